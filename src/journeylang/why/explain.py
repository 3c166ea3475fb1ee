"""Everything about one customer, explained: the way through each journey, or why not in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from journeylang.analysis.personal import personal
from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.build import build
from journeylang.plan.operations import JourneyPlan, Program
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.keys import key_literal
from journeylang.runtime.numbers import key_type, numbering
from journeylang.source import Source
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Scope, value
from journeylang.sql.relations import customers
from journeylang.sql.scope import Rows
from journeylang.why.clauses import Clauses
from journeylang.why.consents import Consents
from journeylang.why.ledger import Ledger, read_ledger
from journeylang.why.model import Answer, Story
from journeylang.why.outside import Entrance
from journeylang.why.person import Person, put_aside
from journeylang.why.rules import Rules
from journeylang.why.runs import Telling
from journeylang.why.sends import Sends
from journeylang.why.wording import Wording

RUNS = 3
"""So many of a customer's newest runs of a journey are told in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody has this key; `meant` are keys of customers who may be meant."""

    meant: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingRan:
    """No tick has ever looked at this database."""


class _UndoneError(Exception):
    """Ends the transaction without keeping anything of it."""


def explain(
    engine: Engine,
    project: Project,
    *,
    customer: str,
    journeys: Collection[str],
    sources: Mapping[str, Source],
    template_entry_fields: Mapping[str, Sequence[str]] | None = None,
    at: datetime | None = None,
    every_run: bool = False,
) -> Answer | Unknown | NothingRan:
    """What happened to a customer in these journeys up to `at` (naive UTC), and why.

    The present is the instant of the latest tick. Nothing is changed: what is worked out on the
    way is undone.
    """
    if engine.columns(("journey", "lock")) is None:
        return NothingRan()
    # Rows that are set aside are none, to ticks and here.
    project = heeding(project, remembered(engine))
    answer: Answer | Unknown = Unknown(meant=())
    with suppress(_UndoneError), engine.transaction():
        answer = _explained(
            engine,
            project,
            customer=customer,
            journeys=journeys,
            sources=sources,
            fields=template_entry_fields,
            at=at,
            every_run=every_run,
        )
        raise _UndoneError
    return answer


def _explained(
    engine: Engine,
    project: Project,
    *,
    customer: str,
    journeys: Collection[str],
    sources: Mapping[str, Source],
    fields: Mapping[str, Sequence[str]] | None,
    at: datetime | None,
    every_run: bool,
) -> Answer | Unknown:
    kind = key_type(engine, project)
    key = key_literal(customer, kind)
    if key is None:
        return Unknown(meant=meant(engine, project, customer))
    known = numbering(engine)
    program = build(project, known, fields)
    plans = [plan for plan in program.journeys if plan.name in journeys]
    now = at or engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")[0][0]
    person = put_aside(engine, project, plans, dict(known.steps), key=key, key_type=kind, now=now)
    ledger = read_ledger(engine, key, now)
    if not person.there and not ledger.anything:
        return Unknown(meant=meant(engine, project, customer))
    stories = tuple(
        _story(project, program, plan, person, ledger, sources, every_run=every_run)
        for plan in plans
    )
    return Answer(
        customer=person.key_text,
        known=person.there,
        zone=str(person.tz),
        at=now,
        stories=stories,
    )


def _story(
    project: Project,
    program: Program,
    plan: JourneyPlan,
    person: Person,
    ledger: Ledger,
    sources: Mapping[str, Source],
    *,
    every_run: bool,
) -> Story:
    journey = project.journeys[plan.name]
    wording = Wording(sources=sources, personal=personal(project), tz=person.tz, journey=journey)
    clauses = Clauses(project=project, person=person, wording=wording)
    rules = Rules(
        person=person,
        ledger=ledger,
        program=program,
        clauses=clauses,
        consents=Consents(person=person),
    )
    telling = Telling(
        person=person,
        ledger=ledger,
        sends=Sends(ledger=ledger, rules=rules, wording=wording, plan=plan),
        clauses=clauses,
        wording=wording,
        journey=journey,
        plan=plan,
    )
    entrance = Entrance(
        person=person,
        ledger=ledger,
        clauses=clauses,
        wording=wording,
        journey=journey,
        plan=plan,
    )
    mine = [r for r in ledger.runs if r.journey == plan.journey]
    shown = mine if every_run else mine[-RUNS:]
    runs = tuple(telling.run(r) for r in shown)
    active = any(r.status == "active" for r in runs)
    return Story(
        journey=plan.name,
        runs=runs,
        earlier=len(mine) - len(shown),
        refused=entrance.refused(),
        outside=None if active else entrance.outside(),
    )


MOST = 3
"""So many customers are named who may be meant."""


def meant(engine: Engine, project: Project, given: str) -> tuple[str, ...]:
    """Customers with that address, or whose key differs in capitals and blanks alone."""
    d = engine.dialect
    bound = project.binding.customers
    assert bound is not None
    names = [f.name for f in bound.fields]
    base = customers(project.binding, d, names)
    scope = Scope(project=project, dialect=d, steps={}, rows=Rows())
    same = text(given.strip().lower())
    conditions = [f"lower(trim({d.as_text('c.customer_id')})) = {same}"]
    if any(letter in given for letter in "@+"):
        for channel in project.binding.channels.values():
            address = d.as_text(value(channel.address, scope))
            conditions.append(f"lower(trim({address})) = {same}")
    rows = engine.query(
        f"SELECT DISTINCT {d.as_text('c.customer_id')} FROM {base} AS c"
        f" WHERE {' OR '.join(conditions)} ORDER BY 1 LIMIT {MOST}"
    )
    return tuple(key for (key,) in rows)
