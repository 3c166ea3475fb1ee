"""Every guard with its figure, as the latest tick would have seen it; nothing is paused by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.measures import OF_GOALS
from journeylang.model.project import Project
from journeylang.plan.build import build
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.pauses import Pauses, shown
from journeylang.runtime.program import make_ready
from journeylang.runtime.rankings import make_answers
from journeylang.runtime.readings import Reading, of_messages
from journeylang.runtime.results import results
from journeylang.sql import pauses as sql
from journeylang.sql.session import TRAIL, temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A guard and what it measures. `judged` False: it rests on too little to be judged yet."""

    journey: str
    guard: str
    figure: str
    judged: bool
    holds: bool


class _UndoneError(Exception):
    """Ends the transaction without keeping anything of it."""


def guarded(
    engine: Engine,
    project: Project,
    template_entry_fields: Mapping[str, Sequence[str]] | None = None,
) -> list[Guarded]:
    """All guards of the journeys that have been applied."""
    found: list[Guarded] = []
    if not any(journey.guards for journey in project.journeys.values()):
        return found
    project = heeding(project, remembered(engine))
    with suppress(_UndoneError), engine.transaction():
        found += _measured(engine, project, template_entry_fields)
        raise _UndoneError
    return found


def _measured(
    engine: Engine, project: Project, fields: Mapping[str, Sequence[str]] | None
) -> Iterator[Guarded]:
    known = numbering(engine)
    program = build(project, known, fields)
    plans = [p for p in program.journeys if p.guards and p.name in known.journeys]
    now: datetime = engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")[0][0]
    kind = key_type(engine, project)
    d = engine.dialect

    def query(statement: str) -> list[tuple[Any, ...]]:
        return engine.query(statement, {"now": now})

    # Nobody is about to enter.
    engine.execute(temporary(d, "trail", TRAIL, kind))
    pauses = Pauses()
    for row in query("\nUNION ALL ".join(sql.probed(d, program))):
        if row[0] == "guard":
            pauses.read(*row)
    versions = dict.fromkeys((p.journey for p in program.journeys), 0)
    ready = make_ready(project, program, dict(known.steps), versions, d)
    asking = {j for j, measured in ready.results.items() if measured.answers}
    make_answers(engine, ready, kind, asking, now)
    brought = results(ready.results, [p.journey for p in plans], query)
    for plan in plans:
        for number, guard in enumerate(plan.guards):
            place = (plan.journey, number)
            if guard.measure in OF_GOALS:
                rests, figure, of = brought[place]
                one = Reading(target=guard, rests=rests, figure=figure, of=of)
            elif guard.measure == "entries":
                rests = query(sql.entered(d, plan.journey, guard))[0][0]
                one = Reading(target=guard, rests=rests, figure=Decimal(rests))
            else:
                one = of_messages(guard, *pauses.figures[place])
            yield Guarded(
                journey=plan.name,
                guard=shown(guard),
                figure=one.told,
                judged=one.holds is not None,
                holds=one.holds is not False,
            )
