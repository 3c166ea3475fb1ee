"""Guards on what a journey has brought: looked at in the beginning of each tick."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.model.expressions import Age, TileBy, TopBy
from journeylang.model.measures import OF_COHORTS, OF_GOALS, Target
from journeylang.plan.asks import asked
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.pauses import Query, shown
from journeylang.runtime.readings import Reading
from journeylang.sql.compiler import Compiler
from journeylang.sql.results import result

Result = tuple[int, Decimal, Decimal | None]
"""How many it rests on, the figure, and of what it is a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A journey's guards on results: their statements, {now}.

    `answers`: its goal asks for rankings or for the date where a customer is.
    """

    statements: tuple[str, ...]
    answers: bool


def measured(compiler: Compiler, plan: JourneyPlan) -> Measured | None:
    """None if nothing is to be measured of the journey."""
    numbers = [n for n, guard in enumerate(plan.guards) if guard.measure in OF_GOALS]
    if not numbers:
        return None
    asks = asked(compiler.project, plan.results)
    return Measured(
        statements=tuple(result(compiler, plan, number) for number in numbers),
        answers=any(isinstance(n, Age | TopBy | TileBy) for n in asks),
    )


def results(
    found: Mapping[int, Measured], journeys: Collection[int], query: Query
) -> dict[tuple[int, int], Result]:
    """Of these journeys' guards, by (journey, number), in one statement."""
    statements = [s for journey in journeys if journey in found for s in found[journey].statements]
    if not statements:
        return {}
    whole = "\nUNION ALL ".join(f"SELECT o.* FROM (\n{s}) AS o" for s in statements)
    return {_key(name): _read(*row) for name, *row in query(whole)}


def _key(name: str) -> tuple[int, int]:
    journey, number = name.split(":")
    return int(journey), int(number)


def _read(rests: int, figure: Any, of: Any) -> Result:
    return rests, Decimal(figure), None if of is None else Decimal(of)


def broken(
    plan: JourneyPlan, found: Mapping[tuple[int, int], Result], applied: datetime, now: datetime
) -> Iterator[str]:
    """Which guards on results no longer hold, with their figures."""
    for number, guard in enumerate(plan.guards):
        one = found.get((plan.journey, number))
        if one is not None and (why := _judged(guard, one, applied, now)) is not None:
            yield why


def _judged(guard: Target, found: Result, applied: datetime, now: datetime) -> str | None:
    rests, figure, of = found
    # Whatever has to be so large needs its time, from the first apply or the last resume on.
    time = timedelta(seconds=guard.over or 0)
    grows = guard.measure not in OF_COHORTS and guard.is_floor
    if grows and (not rests or applied > now - time):
        return None
    one = Reading(target=guard, rests=rests, figure=figure, of=of)
    return f"{shown(guard)}: {one.told}" if one.holds is False else None
