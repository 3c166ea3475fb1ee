"""Records of the spool, taken into the database: what becomes of what people and providers tell.

| told | what follows |
|---|---|
| a bound event | a row of its table, unless its key is there |
| anything about a message | a row of `message_event`, once; the message was accepted |
| `delivered`, `bounced` | the message's state |
| a hard bounce, a complaint | suppression of channel, customer and address |
| seven soft bounces in a row over seven days | the same |
| `unsubscribed`, a word like STOP | suppression, and a no to the channel's consent |
| a choice on the page of preferences | a word on each consent, suppression or its end |

Everything is asked and written for all records at once. Time comes from the caller.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from journeylang.delivery.links import Links
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.runtime.channel_pauses import Limits, judge
from journeylang.serve.findings import Columns, Message, Responded, Response, Taken, Work
from journeylang.serve.intake import Shape
from journeylang.serve.notices import chosen
from journeylang.serve.records import Chose, Happened, Record, Said, Wrote, to_line
from journeylang.serve.statements import Answers
from journeylang.serve.words import BACK, STOP, keyword, phone_number

PATIENCE = timedelta(minutes=15)
"""For so long a message may be unknown that is called by a name of the provider's: the answer in
which the provider told the name may come behind what is said of it."""

MARGIN = timedelta(seconds=5)
"""For so long, at most, a tick does not see what is written while it is going on."""

TRACKED = ("opened", "clicked")
MACHINE = "prefetched"
"""The name under which opens and clicks are kept that no person did."""

CONSENT = "consent"
"""A question that is one: its value names the consent that is given by the answer."""


class Taker:
    """Takes records for one project; every call belongs into a transaction of the caller's."""

    def __init__(
        self,
        engine: Engine,
        project: Project,
        key: str,
        *,
        links: Links,
        shapes: Mapping[str, Shape],
        former: Mapping[str, Shape] | None = None,
        tracking_consent: str | None = None,
        limits: Mapping[str, Limits] | None = None,
        tells: str | None = None,
    ) -> None:
        """`former`: how events looked before the latest apply. `limits`: where channels pause.
        `tells`: the service that is told what people choose."""
        self.engine = engine
        self.project = project
        self.binding = project.binding
        self.answers = Answers(project=project, dialect=engine.dialect, key=key)
        self.links = links
        self.shapes = shapes
        self.former = former or {}
        self.tracking_consent = tracking_consent
        self.limits = limits or {}
        self.tells = tells

    def take(self, records: Iterable[Record], now: datetime) -> Taken:
        """All of them; `now` is naive UTC."""
        taken = Taken()
        happened: dict[tuple[str, tuple[str, ...]], dict[str, Happened]] = {}
        told: list[Said] = []
        wrote: list[Wrote] = []
        chose: list[Chose] = []
        for one in records:
            match one:
                case Happened():
                    fields = tuple(sorted(one.values))
                    happened.setdefault((one.event, fields), {}).setdefault(one.key, one)
                case Said():
                    told.append(one)
                case Wrote():
                    wrote.append(one)
                case Chose():
                    chose.append(one)
        for (event, fields), rows in happened.items():
            self._rows(event, fields, list(rows.values()), taken)
        work = Work(taken=taken, now=now)
        quoted = {w.message for w in wrote if w.message}
        named = self._named({s.message for s in told} | {c.message for c in chose} | quoted)
        for said in told:
            message = named.get(said.message)
            if message is None:
                self._unknown(said, work)
            else:
                work.said.append((said, message))
        self._written(wrote, named, work)
        self._tracking(work)
        for said, message in self._new(work):
            self._follows(said, message, work)
        for choice in chose:
            message = named.get(choice.message)
            if message is None:
                taken.lost["unknown_message"] += 1
            else:
                self._chose(choice, message, work)
        self._write(work)
        return taken

    def respond(self, responses: Sequence[Response], now: datetime) -> Responded:
        """Answers by numbers of messages; those that are known already change nothing."""
        known = self._numbered(one.number for one in responses)
        work = Work(taken=Taken(), now=now)
        for one in responses:
            message = known.get(one.number)
            if message is None:
                continue
            said = Said(
                name="answered",
                message="",
                provider="responses",
                event_id=f"{one.number}:{one.question}:{one.value}"[:250],
                at=one.at,
                data={"question": one.question, "value": one.value},
            )
            work.said.append((said, message))
        new = self._new(work)
        for said, message in new:
            self._follows(said, message, work)
        self._write(work)
        unknown = {one.number for one in responses if one.number not in known}
        return Responded(
            steps=Counter(message.step for _, message in new),
            unknown=frozenset(unknown),
        )

    # -- events

    def _rows(
        self, event: str, fields: tuple[str, ...], rows: list[Happened], taken: Taken
    ) -> None:
        shape = self._shape(event, fields)
        if shape is None:
            # It was taken in by a version of the project that nobody here knows any more.
            taken.lost["unknown_event"] += len(rows)
            return
        given: dict[str, Any] = {
            "key": [row.key for row in rows],
            "customer": [row.customer for row in rows],
            "at": [row.at.isoformat(sep=" ") for row in rows],
        }
        given |= {f"f{n}": [row.values[name] for row in rows] for n, name in enumerate(fields)}
        taken.written[event] += self.engine.execute(self.answers.rows(shape, fields), given)

    def _shape(self, event: str, fields: tuple[str, ...]) -> Shape | None:
        """The one that these fields were posted by."""
        for shapes in (self.shapes, self.former):
            shape = shapes.get(event)
            if shape is not None and {field.name for field in shape.fields}.issuperset(fields):
                return shape
        return None

    # -- messages

    def _named(self, names: set[str]) -> dict[str, Message]:
        if not names:
            return {}
        found = self.engine.query(self.answers.messages, {"names": sorted(names)})
        return {row[0]: Message(*row[1:]) for row in found}

    def _unknown(self, said: Said, work: Work) -> None:
        if said.provider not in OURS and work.now - said.at < PATIENCE:
            work.taken.later.append(said)
        else:
            work.taken.lost["unknown_message"] += 1

    def _written(self, wrote: Sequence[Wrote], named: Mapping[str, Message], work: Work) -> None:
        """What people wrote, as said about the message that it is in answer to, or about the newest
        one that they had by the channel."""
        for channel in dict.fromkeys(one.channel for one in wrote):
            mine = [one for one in wrote if one.channel == channel]
            if channel not in self.binding.channels:
                work.taken.lost["unknown_channel"] += len(mine)
                continue
            addresses = sorted({one.address for one in mine})
            whose: dict[str, list[tuple[Any, int | None]]] = {}
            for address, customer, message in self.engine.query(
                self.answers.writers(channel),
                {"addresses": addresses, "phones": [phone_number(one) for one in addresses]},
            ):
                whose.setdefault(address, []).append((customer, message))
            known = self._numbered([m for people in whose.values() for _, m in people])
            for one in mine:
                people = whose.get(one.address, [])
                if not people:
                    work.taken.lost["unknown_sender"] += 1
                for customer, message in people:
                    quoted = named.get(one.message)
                    own = quoted is not None and quoted.customer == customer
                    self._wrote(one, customer, quoted if own else known.get(message), work)

    def _numbered(self, numbers: Iterable[int | None]) -> dict[int | None, Message]:
        wanted = sorted({number for number in numbers if number is not None})
        if not wanted:
            return {}
        found = self.engine.query(self.answers.numbered, {"messages": wanted})
        return {row[1]: Message(*row) for row in found}

    def _wrote(self, one: Wrote, customer: Any, message: Message | None, work: Work) -> None:
        word = keyword(one.text)
        if message is not None:
            data = {"text": one.text, "keyword": word}
            said = Said(
                name="replied",
                message="",
                provider=one.provider,
                event_id=one.event_id,
                at=one.at,
                data={k: v for k, v in data.items() if v},
            )
            work.said.append((said, message))
            if word in STOP:
                stop = replace(said, name="unsubscribed", event_id=f"{one.event_id}:stop", data={})
                work.said.append((stop, message))
        elif word in STOP:
            self._stop(customer, one.channel, None, one.at, work)
        if word in BACK:
            work.lift.add(customer, one.channel, None)
            self._consent(customer, one.channel, one.at, True, f"{one.channel}: {word}", work)

    def _tracking(self, work: Work) -> None:
        """Opens and clicks of those who did not consent to it are added up, and that is all."""
        consent = self.tracking_consent
        if consent is None:
            return
        people = {m.customer for said, m in work.said if said.name in TRACKED}
        if not people:
            return
        asked = {"customers": list(people), "now": work.now}
        found = self.engine.query(self.answers.standing([consent]), asked)
        agreed = {customer for customer, given in found if given}
        kept = []
        for said, message in work.said:
            if said.name in TRACKED and message.customer not in agreed:
                name = MACHINE if said.machine else said.name
                work.sums[message.step, message.channel, said.at.date(), name] += 1
            else:
                kept.append((said, message))
        work.said = kept

    def _new(self, work: Work) -> list[tuple[Said, Message]]:
        """What is told for the first time, written down: nothing else has consequences."""
        once: dict[tuple[int, str, str], tuple[Said, Message]] = {}
        for said, message in work.said:
            at = min(max(said.at, message.decided_at), max(work.now, message.decided_at))
            name, data = said.name, dict(said.data)
            if said.machine and name in TRACKED:
                name, data = MACHINE, {**data, "of": name}
            told = replace(said, name=name, at=at, data=data)
            once.setdefault((message.message, said.provider, said.event_id), (told, message))
        if not once:
            return []
        rows = Columns(("customers", "messages", "providers", "events", "names", "ats", "data"))
        for (number, provider, event), (said, message) in once.items():
            document = json.dumps(said.data, ensure_ascii=False) if said.data else None
            rows.add(message.customer, number, provider, event, said.name, said.at, document)
        # A tick that is going on does not see it: for the next one it is news all the same.
        parameters = rows.parameters(now=work.now + MARGIN)
        new = set(self.engine.query(self.answers.said, parameters))
        work.taken.lost["repeated"] += len(work.said) - len(new)
        return [once[key] for key in once if key in new]

    def _follows(self, said: Said, message: Message, work: Work) -> None:
        """What has to happen because of it."""
        who, number, channel = message.customer, message.message, message.channel
        name, at = said.name, said.at
        work.taken.written[name] += 1
        match name:
            case "delivered":
                work.states.add(who, number, "delivered", at, said.provider)
            case "bounced":
                work.states.add(who, number, "bounced", at, said.provider)
                if said.data.get("kind") == "hard":
                    work.suppressed.append((message, said.address_hash, at, "hard_bounce"))
                else:
                    work.soft.add(who, channel)
            case "complained":
                work.suppressed.append((message, said.address_hash, at, "complaint"))
            case "unsubscribed":
                self._stop(who, channel, said.address_hash, at, work)
            case "replied" if said.message and said.data.get("keyword") in STOP:
                self._stop(who, channel, said.address_hash, at, work)
            case "answered" if said.data.get("question") == CONSENT:
                if said.data.get("value") in self.binding.consents:
                    source = f"confirmed by message {said.message}"
                    work.consents.add(who, said.data["value"], at, True, source)
                else:
                    work.taken.lost["unknown_consent"] += 1
            case _:
                pass
        if name not in ("bounced", "failed"):
            work.states.add(who, number, "accepted", at, said.provider)

    def _stop(
        self, customer: Any, channel: str, hashed: str | None, at: datetime, work: Work
    ) -> None:
        unknown = Message(customer, 0, channel, None, at, 0)
        work.suppressed.append((unknown, hashed, at, "unsubscribe"))
        self._consent(customer, channel, at, False, "unsubscribed", work)

    def _consent(
        self, customer: Any, channel: str, at: datetime, given: bool, source: str, work: Work
    ) -> None:
        bound = self.binding.channels.get(channel)
        if bound is not None and bound.consent is not None:
            work.consents.add(customer, bound.consent, at, given, source)

    def _chose(self, choice: Chose, message: Message, work: Work) -> None:
        """A channel that is not wanted is suppressed. Channels may rest on one consent: it is taken
        back with the last of them, or with a topic that rests on it too."""
        who = message.customer
        words = {c: (g, "preferences") for c, g in choice.consents.items()}
        rests: dict[str, bool] = {}
        for channel, given in choice.channels.items():
            bound = self.binding.channels.get(channel)
            if bound is None:
                continue
            if given:
                work.lift.add(who, channel, None)
            else:
                unknown = Message(who, 0, channel, None, choice.at, 0)
                work.suppressed.append((unknown, None, choice.at, "unsubscribe"))
            if bound.consent is not None:
                rests[bound.consent] = rests.get(bound.consent, False) or given
        for consent, given in rests.items():
            if not given:
                words[consent] = (False, "unsubscribed")
            else:
                words.setdefault(consent, (True, "preferences"))
        for consent, (given, source) in words.items():
            if consent in self.binding.consents:
                work.consents.add(who, consent, choice.at, given, source)
        if choice.frequency is not None:
            work.wishes.add(who, "frequency", choice.frequency, choice.at)
        work.taken.written["preferences"] += 1

    # -- writing

    def _write(self, work: Work) -> None:
        run, sql, written = self.engine.execute, self.answers, work.taken.written
        if work.states.rows:
            # What ends a message goes first: of the others it leaves nothing to say.
            ordered = sorted(work.states.rows, key=lambda row: row[2] == "accepted")
            ended = {row[1] for row in ordered if row[2] != "accepted"}
            states = Columns(work.states.names)
            for row in ordered:
                if row[2] != "accepted" or row[1] not in ended:
                    ended.add(row[1])
                    states.add(*row)
            run(sql.states, states.parameters())
        if work.soft.rows:
            for who, channel in self.engine.query(sql.worn_out, work.soft.parameters()):
                worn = Message(who, 0, channel, None, work.now, 0)
                work.suppressed.append((worn, None, work.now, "soft_bounce"))
        if work.lift.rows:
            run(sql.lift, self._with_hashes(work.lift).parameters())
        if work.suppressed:
            written["suppressed"] += run(sql.suppress, self._suppressions(work).parameters())
        if work.consents.rows:
            written["consents"] += run(sql.consents, work.consents.parameters())
        if work.wishes.rows:
            run(sql.wishes, work.wishes.parameters())
        if work.sums:
            sums = Columns(("steps", "channels", "days", "names", "numbers"))
            for (step, channel, day, name), number in work.sums.items():
                sums.add(step, channel, day, name, number)
            run(sql.sums, sums.parameters())
        if self.tells is not None:
            notices = chosen(work)
            if notices.rows:
                run(sql.notices, notices.parameters(service=self.tells))
                written["notices"] += len(notices.rows)
        if written["bounced"] or written["complained"]:
            written["paused"] += len(judge(self.engine, self.limits, work.now))
        if work.taken.later:
            rows = Columns(("providers", "events", "lines"))
            for said in work.taken.later:
                rows.add(said.provider, said.event_id, to_line(said).decode())
            run(sql.leave, rows.parameters(now=work.now))

    def _suppressions(self, work: Work) -> Columns:
        """With the hash of the address that the customer has, where none was told."""
        unknown: dict[str, set[Any]] = {}
        for message, hashed, _, _ in work.suppressed:
            if hashed is None:
                unknown.setdefault(message.channel, set()).add(message.customer)
        own = {(c, who): h for c, people in unknown.items() for who, h in self._hashes(c, people)}
        rows = Columns(("customers", "channels", "hashes", "ats", "reasons"))
        first: dict[tuple[Any, ...], datetime] = {}
        for message, hashed, at, reason in work.suppressed:
            of = hashed or own.get((message.channel, message.customer))
            first.setdefault((message.customer, message.channel, of, reason), at)
        for (who, channel, of, reason), at in first.items():
            rows.add(who, channel, of, at, reason)
        return rows

    def _with_hashes(self, lift: Columns) -> Columns:
        rows = Columns(lift.names)
        for channel in dict.fromkeys(row[1] for row in lift.rows):
            mine = [row for row in lift.rows if row[1] == channel]
            own = dict(self._hashes(channel, {row[0] for row in mine}))
            for who, _, hashed in mine:
                rows.add(who, channel, hashed or own.get(who) or "")
        return rows

    def _hashes(self, channel: str, people: Iterable[Any]) -> Iterable[tuple[Any, str]]:
        if channel not in self.binding.channels:
            return
        found = self.engine.query(self.answers.addresses(channel), {"customers": list(people)})
        for who, address in found:
            if address is not None:
                yield who, self.links.address_hash(channel, address)


OURS = ("links", "events")
"""Who calls messages by our own names: those are known at once, or never."""
