"""When the time of a schedule comes, on one clock.

Every local day has one wall time (a schedule's time of day), and `resolve` says when a clock
first shows it or has gone past it. So a time that is skipped in spring is not left out, and
one that comes twice in autumn does not come twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.model.entry import Monthly, Once, Schedule, Weekly, Yearly
from journeylang.model.journey import Calendar
from journeylang.runtime.zones import add_calendar, local, resolve

_DAY = timedelta(days=1)
# How far a clock may be from UTC, with a day for islands that skip one.
_BEHIND, _AHEAD = timedelta(hours=16), timedelta(hours=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An instant at which a schedule is due.

    Of a yearly one for those whose date falls on `month_day` (month * 100 + day) and is not
    after `anniversary`.
    """

    at: datetime
    month_day: int | None = None
    anniversary: date | None = None


def occurrences(
    tz: ZoneInfo, schedule: Schedule, since: datetime, until: datetime
) -> Iterator[Occurrence]:
    """All with `since < at <= until` (naive UTC), in order."""
    # Clocks may jump by a day.
    first, last = local(tz, since).date() - 2 * _DAY, local(tz, until).date() + 2 * _DAY
    for wall in _walls(schedule, first, last):
        at = _resolved(tz, wall)
        if since < at <= until:
            if isinstance(schedule, Yearly):
                yield from _anniversaries(schedule, wall.date(), at)
            else:
                yield Occurrence(at=at)


def anywhere(schedule: Schedule, since: datetime, until: datetime) -> bool:
    """False if on no clock in the world it is due with `since < at <= until`."""
    low, high = since - _AHEAD, until + _BEHIND
    return any(low <= wall <= high for wall in _walls(schedule, low.date(), high.date()))


@lru_cache(maxsize=4096)
def _resolved(tz: ZoneInfo, wall: datetime) -> datetime:
    return resolve(tz, wall)


def _walls(schedule: Schedule, first: date, last: date) -> Iterator[datetime]:
    """What a clock shows when it is due, on the local days from `first` to `last`."""
    if isinstance(schedule, Once):
        if first <= schedule.at.date() <= last:
            yield schedule.at
        return
    day = first
    while day <= last:
        if _falls(schedule, day):
            yield datetime.combine(day, schedule.at)
        day += _DAY


def _falls(schedule: Weekly | Monthly | Yearly, day: date) -> bool:
    match schedule:
        case Weekly():
            return day.isoweekday() in schedule.weekdays
        case Monthly():
            is_last = (day + _DAY).day == 1
            return day.day in schedule.days or (is_last and max(schedule.days) > day.day)
        case Yearly():
            return True
        case _:
            assert_never(schedule)


def _anniversaries(schedule: Yearly, day: date, at: datetime) -> Iterator[Occurrence]:
    """Whose anniversaries lie so that moved they come to `day`."""
    move = Calendar(months=schedule.months, days=schedule.days)
    about = add_calendar(day - schedule.days * _DAY, Calendar(months=-schedule.months))
    # Several days may be moved to the last one of a short month.
    for near in (about + n * _DAY for n in range(-4, 5)):
        if add_calendar(near, move) == day:
            yield Occurrence(at=at, month_day=near.month * 100 + near.day, anniversary=near)
            if (near.month, near.day) == (2, 28) and (near + _DAY).month == 3:
                yield Occurrence(at=at, month_day=229, anniversary=near)
