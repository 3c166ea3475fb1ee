"""Pausing journeys: by a guard, by templates that fail, by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.entry import EnterJoins, EnterOn, EnterWhen
from journeylang.model.measures import RATES, Target
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.readings import of_messages
from journeylang.sql import pauses as sql
from journeylang.sql.dialects import Dialect

AT_LEAST = 1_000
TIMES = 3
FROM_DAY = timedelta(days=14)
"""The guard of a journey without one of its own: so many entries in 24 hours are always fine,
and so many times the most of 24 hours before; from this long after the first apply."""

Query = Callable[..., list[tuple[Any, ...]]]


@dataclass(slots=True)
class Pauses:
    """What the probe found: who is paused, who has just been resumed and since when it slept,
    and what the guards measured (messages, figure).
    """

    paused: set[int] = field(default_factory=set)
    resumed: dict[int, datetime] = field(default_factory=dict)
    figures: dict[tuple[int, int], tuple[int, Decimal]] = field(default_factory=dict)

    def read(self, kind: str, name: str, count: int, first: str, second: str | None) -> None:
        """One row of the probe."""
        if kind == "guard":
            journey, number = name.split(":")
            self.figures[int(journey), int(number)] = (count, Decimal(first))
        elif second is None:
            self.paused.add(int(name))
        else:
            after = datetime.fromisoformat(first)
            self.resumed[int(name)] = min(after, self.resumed.get(int(name), after))

    def broken(self, plan: JourneyPlan) -> str | None:
        """Which of the journey's guards no longer holds, with its figures."""
        if plan.journey in self.paused:
            return None
        for number, guard in enumerate(plan.guards):
            found = self.figures.get((plan.journey, number))
            if found is not None and (one := of_messages(guard, *found)).holds is False:
                return f"{shown(guard)}: {one.told}"
        return None


def shown(guard: Target) -> str:
    """A guard as it is written."""
    return f"guard {written(guard)}"


def written(guard: Target) -> str:
    """A target without the word that it begins with."""
    from journeylang.sql.caps import span_of_time

    of = f" of {guard.channel}" if guard.channel else ""
    bound = f"{guard.bound.normalize():f}"
    if guard.measure in RATES or guard.measure == "conversion":
        bound = f"{(guard.bound * 100).normalize():f}%"
    unit = f" {guard.currency}" if guard.currency else ""
    over = f" over {span_of_time(guard.over)}" if guard.over else ""
    return f"{guard.measure}{of} {guard.operator} {bound}{unit}{over}"


def too_many(
    plan: JourneyPlan,
    applied: datetime,
    now: datetime,
    dialect: Dialect,
    query: Query,
    resting: str | None = None,
) -> str | None:
    """Why this tick's candidates of a journey do not enter, if they are too many.

    `resting`: as `sql.pauses.entered` has it.
    """
    own = [guard for guard in plan.guards if guard.measure == "entries"]
    for guard in own:
        count = query(sql.entered(dialect, plan.journey, guard, resting))[0][0]
        if not guard.holds(Decimal(count)):
            return f"{shown(guard)}: {count:,}"
    # A schedule is meant to let everybody in at once.
    if (
        own
        or not isinstance(plan.entry, EnterOn | EnterWhen | EnterJoins)
        or now < applied + FROM_DAY
    ):
        return None
    today, most = query(sql.usual(dialect, plan.journey, resting))[0]
    if today <= max(AT_LEAST, TIMES * most):
        return None
    return f"{today:,} entries in 24 hours, the most before were {most:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A journey that is paused: since which tick, by what, and why."""

    journey: str
    since: datetime
    cause: str
    detail: str


def paused(engine: Engine) -> Iterator[Pause]:
    """All journeys that are paused now."""
    if engine.columns(("journey", "pause")) is None:
        return
    for journey, since, cause, detail in engine.query(sql.OPEN):
        yield Pause(journey=journey, since=since, cause=cause, detail=detail)


def journeys(engine: Engine) -> Mapping[str, int]:
    """Numbers of the journeys that were ever applied."""
    if engine.columns(("journey", "pause")) is None:
        return {}
    return dict(engine.query("SELECT DISTINCT name, journey FROM journey.version"))


def pause(engine: Engine, journey: str, *, cause: str, detail: str) -> bool:
    """Pause a journey from the latest tick on; False if it is paused already."""
    number = journeys(engine)[journey]
    with engine.transaction():
        return engine.execute(sql.begin(number, cause, detail)) > 0


def resume(engine: Engine, journey: str) -> bool:
    """Let it go on with the next tick, as after a late one; False if it is not paused."""
    number = journeys(engine)[journey]
    with engine.transaction():
        return engine.execute(sql.end(number)) > 0


def by_guard(d: Dialect, journey: int, why: str, now: datetime, previous: datetime) -> str:
    """The statement by which a guard pauses a journey in the tick at `now`."""
    return sql.begin(journey, "guard", why, (d.instant(now), d.instant(previous)))
