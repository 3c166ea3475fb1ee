"""Which journeys somebody may enter in this tick, and what their statements are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal, assert_never

from journeylang.classes import dataclass
from journeylang.model.entry import (
    EnterBySchedule,
    EnterByStart,
    EnterJoins,
    EnterOn,
    EnterWhen,
    Yearly,
)
from journeylang.model.project import Project
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.looks import Among, Looks
from journeylang.runtime.program import Ready
from journeylang.runtime.schedules import anywhere, occurrences
from journeylang.runtime.zones import zone
from journeylang.sql.wakes import news_of

_EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
_TICK = timedelta(microseconds=1)

# A row of `due`: journey, zone (None: everybody), instant, month and day, anniversary.
Due = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A journey whose entries are looked at. `looked`: when that was is to be remembered.

    `among`: of whom a condition is asked.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    looked: bool = False
    among: Among = "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What decides it: the instants of this tick and of the one before.

    `marks` say when something was last looked at, `applied` when a journey was first applied.
    """

    ready: Ready
    now: datetime
    previous: datetime
    applied: Mapping[int, datetime]
    marks: Mapping[str, datetime]
    looks: Looks

    def asks_for_zones(self, plans: Iterable[JourneyPlan]) -> bool:
        """Whether it may have come to a schedule's time on some customer's own clock."""
        return any(
            anywhere(plan.entry.schedule, *between)
            for plan in plans
            if isinstance(plan.entry, EnterBySchedule) and plan.entry.local
            for between in [self._between(plan, self.previous)]
            if between is not None
        )

    def openings(
        self,
        plans: Iterable[JourneyPlan],
        *,
        events: Collection[str],
        zones: Collection[str],
        started: Collection[str],
    ) -> dict[int, Opening]:
        """By journey; the others have nobody who could enter.

        `events` have new rows, `zones` are those of the customers if they were asked for,
        `started` are the journeys that others have started.
        """
        found = ((plan.journey, self._opening(plan, events, zones, started)) for plan in plans)
        return {journey: opening for journey, opening in found if opening is not None}

    def _opening(
        self,
        plan: JourneyPlan,
        events: Collection[str],
        zones: Collection[str],
        started: Collection[str],
    ) -> Opening | None:
        match plan.entry:
            case EnterOn():
                return self._on(plan, plan.entry) if news_of(plan.entry.event) in events else None
            case EnterWhen():
                return self._when(plan, plan.entry)
            case EnterJoins():
                return self._joins(plan, plan.entry)
            case EnterByStart():
                open_ = self._season(plan) == "open"
                return Opening(parameters={"open": open_}) if plan.name in started else None
            case EnterBySchedule():
                return self._by_schedule(plan, plan.entry, zones)
            case _:
                assert_never(plan.entry)

    def _between(self, plan: JourneyPlan, since: datetime) -> tuple[datetime, datetime] | None:
        """The instants whose entries count, `since < at <= until`; None if there are none."""
        since, until = max(since, self.applied[plan.journey]), self.now
        if plan.runs is not None and plan.runs.start is not None:
            since = max(since, plan.runs.start - _TICK)
        if plan.runs is not None and plan.runs.end is not None:
            until = min(until, plan.runs.end - _TICK)
        return (since, until) if since < until else None

    def _on(self, plan: JourneyPlan, entry: EnterOn) -> Opening | None:
        late = timedelta(seconds=self.ready.late(news_of(entry.event)))
        between = self._between(plan, self.previous - late)
        if between is None:
            return None
        return Opening(parameters=dict(zip(("since_entry", "until_entry"), between, strict=True)))

    def _when(self, plan: JourneyPlan, entry: EnterWhen) -> Opening | None:
        if self._season(plan) != "open" or not self._turn(plan, entry.every):
            return None
        return self._look(plan, {})

    def _joins(self, plan: JourneyPlan, entry: EnterJoins) -> Opening | None:
        # Who comes in before it opens is no passage afterwards: it is looked at before, too.
        season = self._season(plan)
        if season == "over" or not self._turn(plan, entry.every):
            return None
        return self._look(plan, {"open": season == "open"})

    def _look(self, plan: JourneyPlan, parameters: Mapping[str, Any]) -> Opening | None:
        among = self.looks.among(plan.journey, "when")
        if among == "nobody":
            return None
        if among == "changed":
            parameters = {**parameters, **self.looks.looked("when", plan.journey)}
        return Opening(parameters=parameters, looked=True, among=among)

    def _turn(self, plan: JourneyPlan, every: int | None) -> bool:
        return not every or turn_of(self.now, self.marks.get(mark(plan.journey)), every)

    def _season(self, plan: JourneyPlan) -> Literal["before", "open", "over"]:
        runs = plan.runs
        if runs is not None and runs.start is not None and self.now < runs.start:
            return "before"
        if runs is not None and runs.end is not None and self.now >= runs.end:
            return "over"
        return "open"

    def _by_schedule(
        self, plan: JourneyPlan, entry: EnterBySchedule, zones: Collection[str]
    ) -> Opening | None:
        between = self._between(plan, self.previous)
        if between is None:
            return None
        # Of several that were missed the first counts; a later one only if the rule of
        # re-entry or the date in the data is against the first.
        all_of_them = plan.reenter.rule == "after" or isinstance(entry.schedule, Yearly)
        due: list[Due] = []
        for name in sorted(zones) if entry.local else [None]:
            found = occurrences(clock(self.ready.project, name), entry.schedule, *between)
            due += (
                (plan.journey, name, o.at, o.month_day, o.anniversary)
                for o in (found if all_of_them else islice(found, 1))
            )
        return Opening(due=tuple(due)) if due else None


def clock(project: Project, name: str | None) -> Any:
    """A customer's zone, the binding's own where that is none; None is UTC."""
    customers = project.binding.customers
    assert customers is not None
    if name is None:
        return zone("UTC")
    return (zone(name) if name else None) or zone(customers.zone_else)


def mark(journey: int) -> str:
    """The name under which it is remembered when a journey's condition was looked at."""
    return f"enter {journey}"


def turn_of(now: datetime, last: datetime | None, every: int) -> bool:
    """Whether a condition is looked at again; `every` in seconds, counted from the epoch."""
    return last is None or _period(now, every) > _period(last, every)


def _period(instant: datetime, every: int) -> int:
    return int((instant - _EPOCH).total_seconds() // every)
