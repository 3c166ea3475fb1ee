"""A send's messages as one customer would get them: written as a delivery does, and not kept.

The customer's rows and the values of `with` are read in a transaction that is undone. Links have
the shape of real ones and lead nowhere; codes are not drawn, a stand-in is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time

from jinja2 import Undefined

from journeylang.analysis.messages import sends
from journeylang.api.program import template_entry_fields
from journeylang.classes import dataclass
from journeylang.delivery.channels import manifest_of
from journeylang.delivery.compose import Letterhead
from journeylang.delivery.links import Links
from journeylang.delivery.manifest import Manifest
from journeylang.delivery.mime import Address, Email, address
from journeylang.delivery.provider import Note
from journeylang.delivery.recipes import Row, write
from journeylang.delivery.render import Broken, Failed, renderer
from journeylang.delivery.values import from_json
from journeylang.delivery.writing import Draft, Writer
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from journeylang.model.binding import Pattern
from journeylang.model.entry import EnterOn, entry_fields
from journeylang.model.expressions import EventValue
from journeylang.model.project import Project
from journeylang.model.text_message import CHANNEL, not_gsm, parts
from journeylang.model.types import Kind, Type
from journeylang.plan.asks import asked
from journeylang.plan.build import build
from journeylang.plan.numbering import number
from journeylang.plan.operations import JourneyPlan, SendPark
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.keys import key_literal
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.setup import pretend
from journeylang.sql.advance import send_columns
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Scope, value
from journeylang.sql.picks import TOO_FEW
from journeylang.sql.profile import stored_value
from journeylang.sql.relations import customer_column
from journeylang.why.explain import Unknown, meant
from journeylang.why.person import Person, Since, put_aside

NOBODY = Address(local="nobody", domain="customer.invalid")
"""To whom the message is written of somebody without an address."""

SENDER = Address(local="sender", domain="project.invalid")
"""From whom, where neither the template nor the environment says it."""

_ID = "0" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A send, by its journey and path."""

    journey: str
    path: str

    def __str__(self) -> str:
        return f"{self.journey}/{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How a text message goes out; `because` is the first letter that is not in GSM 7-bit."""

    characters: int
    parts: int
    because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes by one channel, or the `problem` why nothing would; `notes` say what else is so."""

    channel: str
    template: str
    to: str | None
    notes: tuple[str, ...]
    problem: str | None = None
    sender: str | None = None
    reply_to: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    parts: Parts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All channels of a send, in the order written. `entry` says where `entry.…` comes from."""

    journey: str
    step: str
    customer: str
    at: datetime
    zone: str
    locale: str
    entry: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotGiven:
    """A value for `entry` that the journey has not, or that is none of its type."""

    why: str


class _UndoneError(Exception):
    """Ends the transaction without keeping anything of it."""


def sending_steps(project: Project) -> list[Step]:
    """All sends of a project."""
    return [
        Step(journey=journey.name, path=send.path)
        for journey in project.journeys.values()
        for send in sends(journey.body)
    ]


def named(steps: Sequence[Step], given: str) -> list[Step]:
    """The steps that are meant by `JOURNEY/PATH`, by a path, or by its last label."""
    whole = [step for step in steps if str(step) == given]
    return whole or [
        step
        for step in steps
        if step.path == given
        or step.path.endswith(f"/{given}")
        or (given.startswith(f"{step.journey}/") and str(step).endswith(given.partition("/")[2]))
    ]


def preview(
    engine: Engine,
    loaded: LoadedProject,
    env: str,
    step: Step,
    *,
    customer: str,
    now: datetime,
    entry: Mapping[str, str] | None = None,
) -> Preview | Unknown | NotGiven:
    """What the customer would get at the step at `now` (naive UTC), were they there.

    `entry` replaces fields of the event that began the run: without them those of the customer's
    newest run count, or of the newest row of the event.

    Raises:
        StatementError: the database refused.
    """
    there = engine.columns(("journey", "lock")) is not None
    kind = key_type(engine, loaded.project)
    found: Preview | Unknown | NotGiven = Unknown(meant=())
    with suppress(_UndoneError), engine.transaction():
        if not there:
            pretend(engine, loaded.project, kind, now)
        project = heeding(loaded.project, remembered(engine) if there else ())
        key = key_literal(customer, kind)
        if key is None:
            found = Unknown(meant=meant(engine, project, customer))
        else:
            known = number(project, numbering(engine))
            program = build(project, known, template_entry_fields(loaded))
            plan = next(p for p in program.journeys if p.name == step.journey)
            person = put_aside(
                engine, project, [plan], dict(known.steps), key=key, key_type=kind, now=now
            )
            if person.there:
                writer = Writer(program, project, renderer(loaded.template_texts()))
                links = Links(key=_ID.encode(), base_url=loaded.config.env[env].base_url)
                showing = _Showing(loaded, env, plan, person, writer, links)
                found = showing.show(step, entry or {})
            else:
                found = Unknown(meant=meant(engine, project, customer))
        raise _UndoneError
    return found


@dataclass(frozen=True, slots=True)
class _Showing:
    loaded: LoadedProject
    env: str
    plan: JourneyPlan
    person: Person
    writer: Writer
    links: Links

    def show(self, step: Step, given: Mapping[str, str]) -> Preview | NotGiven:
        park = next(p for p in self.plan.parks if isinstance(p, SendPark) and p.path == step.path)
        run, said = self._run(given)
        if isinstance(run, NotGiven):
            return run
        channels = [c.channel for c in park.candidates]
        drafts = {c: self.writer.draft(park.step, c) for c in channels}
        plain = [draft for draft in drafts.values() if isinstance(draft, Draft)]
        fields = tuple(dict.fromkeys(n for draft in plain for n in draft.recipe.customer))
        profile = tuple(dict.fromkeys(n for draft in plain for n in draft.recipe.profile))
        project = self.person.compiler.project
        bound = [project.binding.channels[c].address for c in channels]

        def columns(scope: Scope) -> list[str]:
            d = scope.dialect
            masks, contents = send_columns([park], scope)
            types = project.profile
            return [
                'c."_zone"',
                'c."_locale"',
                masks.get(park.step, "-1"),
                contents.get(park.step, "NULL"),
                *(d.as_text(value(address, scope)) for address in bound),
                *(f"c.{quote(customer_column(name))}" for name in fields),
                *(d.cast(stored_value(n, "w.customer_id"), types[n]) for n in profile),
            ]

        nodes = [*asked(project, (park.candidates, park.values, park.picks)), *bound]
        needed = ("timezone", "locale", *fields)
        row = self.person.row(nodes, columns, self.person.now, run, fields=needed)
        zone, locale, mask, content = row[:4]
        addresses = dict(zip(channels, row[4:], strict=False))
        values = row[4 + len(channels) :]
        content = self._with_code(park, content)
        messages = []
        for n, candidate in enumerate(park.candidates):
            channel = candidate.channel
            made = Row(
                number=0,
                public_id=_ID,
                known=True,
                address=addresses[channel],
                zone=zone or "",
                locale=locale or "",
                entered_at=run.entered_at,
                entry=run.entry,
                content=content,
                fields=dict(zip(fields, values, strict=False)),
                profile=dict(zip(profile, values[len(fields) :], strict=True)),
            )
            notes = list(self._notes(park, mask, n))
            messages.append(
                self._message(drafts[channel], channel, candidate.template, made, notes)
            )
        return Preview(
            journey=step.journey,
            step=step.path,
            customer=self.person.key_text,
            at=self.person.now,
            zone=zone or "",
            locale=locale or "",
            entry=said,
            messages=tuple(messages),
        )

    def _run(self, given: Mapping[str, str]) -> tuple[Since | NotGiven, str]:
        """The run that the message would be of, and where it is from."""
        person, entry = self.person, self.plan.entry
        types = dict(entry_fields(entry))
        rows = person.engine.query(
            "SELECT run_id, entered_at, entry FROM journey.run"
            f" WHERE customer_id = {person.key} AND journey = {self.plan.journey}"
            " ORDER BY status, entered_at DESC, run_id LIMIT 1"
        )
        run, said = Since(entered_at=person.now), "nothing: never entered"
        if rows:
            run = Since(run_id=rows[0][0], entered_at=rows[0][1], entry=rows[0][2])
            said = "the newest run"
        elif isinstance(entry, EnterOn):
            nodes = [
                EventValue(event=entry.event.name, name=n, type=t, span=entry.span)
                for n, t in entry.fields
            ]
            newest = person.rows_of(entry.event, nodes, person.now, most=1)
            if newest:
                values = {n.name: newest[0].values[n] for n in nodes}
                run = Since(entered_at=newest[0].at, entry=json.dumps(values, default=_plain))
                said = "the newest row of the event"
        if not given:
            return run, said
        for name, text in given.items():
            wrong = _unfit(name, text, types)
            if wrong is not None:
                return wrong, said
        kept = {} if run.entry is None else json.loads(run.entry)
        kept |= {n: _given(text, types[n]) for n, text in given.items()}
        told = "what was given" if run.entry is None else f"what was given, and {said}"
        return Since(run_id=run.run_id, entered_at=run.entered_at, entry=json.dumps(kept)), told

    def _with_code(self, park: SendPark, content: str | None) -> str | None:
        """A stand-in for the code, of the length that real ones have."""
        if park.code is None:
            return content
        source = self.person.compiler.project.binding.promos[park.code.promo].source
        code = source.text.replace("#", "X") if isinstance(source, Pattern) else "CODE"
        return json.dumps({**json.loads(content or "{}"), park.code.name: code})

    def _notes(self, park: SendPark, mask: int, n: int) -> list[str]:
        notes = []
        if park.code is not None:
            notes.append(f"`{park.code.name}` is a stand-in: no code is drawn")
        if mask == TOO_FEW:
            few = ", ".join(f"`{p.name}`" for p in park.picks if p.otherwise)
            notes.append(f"nothing would go out: too few rows for {few}")
        elif park.candidates[n].when is not None and not mask >> n & 1:
            notes.append("would not go by this channel: its `when` does not hold")
        return notes

    def _message(
        self, draft: object, channel: str, template: str, row: Row, notes: list[str]
    ) -> Message:
        to = row.address
        if to is None:
            notes.append("there is no address for this channel")
            row = row._replace(address=NOBODY.mailbox if channel == "email" else "")
        of = Message(channel=channel, template=f"{template}.{channel}", to=to, notes=tuple(notes))
        if not isinstance(draft, Draft):
            assert isinstance(draft, Broken), "a candidate has a template"
            return replace(of, problem=draft.detail)
        made = write(
            self.writer.renderer,
            draft.recipe,
            self._letterhead(channel),
            row,
            self.links,
            self.person.now,
        )
        match made:
            case None:
                return replace(of, problem="the address is no e-mail address")
            case Failed() | Broken():
                return replace(of, problem=made.detail)
            case Email():
                return replace(
                    of,
                    sender=_shown(made.sender),
                    reply_to=None if made.reply_to is None else _shown(made.reply_to),
                    subject=made.subject,
                    text=made.text,
                    html=made.html,
                )
            case Note():
                return replace(
                    of,
                    subject=made.subject or None,
                    text=made.text,
                    html=made.html,
                    parts=_parts(made.text) if channel == CHANNEL else None,
                )
            case _:
                raise AssertionError("a send is no call")

    def _letterhead(self, channel: str) -> Letterhead:
        """As the environment has it, without asking for secrets."""
        table = self.loaded.config.env[self.env].channels.get(channel)
        written: dict[str, object] = {}
        if table is not None:
            manifest = manifest_of(table.provider, self.loaded.root)
            if isinstance(manifest, Manifest):
                written = {n: s.default for n, s in manifest.settings.items()}
            written |= table.settings
        sender, place = written.get("from"), written.get("postal_address")
        known = address(sender) if isinstance(sender, str) else None
        return Letterhead(
            sender=known or SENDER, postal_address=place if isinstance(place, str) else None
        )


def _parts(text: str) -> Parts:
    body = text.strip()
    return Parts(characters=len(body), parts=parts(body), because=not_gsm(body))


def _shown(one: Address) -> str:
    return f"{one.name} <{one.mailbox}>" if one.name else one.mailbox


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _unfit(name: str, text: str, types: Mapping[str, Type]) -> NotGiven | None:
    if name not in types:
        hint = did_you_mean(name, types) or f"it has {', '.join(types) or 'none'}"
        return NotGiven(why=f"`entry` has no field `{name}`; {hint}")
    one = json.dumps({name: _given(text, types[name])})
    if isinstance(from_json(one, {name: types[name]})[name], Undefined):
        return NotGiven(why=f"`{text}` is no {types[name].kind.value}, as `entry.{name}` is")
    return None


def _given(text: str, type_: Type) -> object:
    if type_.kind is Kind.BOOL:
        return {"true": True, "false": False}.get(text.lower())
    return text
