"""How long waits take: at least, and at most.

A day on the calendar has 23 to 25 hours. Over several days the clock still changes by one hour in
all, forth or back; zones that skipped a whole day are history.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import time
from functools import cache

from journeylang.classes import dataclass
from journeylang.model.journey import BestHour, Calendar, Elapsed, TimeOfDay, WaitMoment
from journeylang.model.types import Kind

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """From ``low`` to ``high`` seconds; None: nobody can say how long."""

    low: int = 0
    high: int | None = 0

    def __add__(self, other: Lapse) -> Lapse:
        known = self.high is not None and other.high is not None
        return Lapse(
            low=self.low + other.low,
            high=(self.high or 0) + (other.high or 0) if known else None,
        )


AT_ONCE = Lapse()


def up_to(span: Lapse) -> Lapse:
    """Anything from nothing to the span's end."""
    return Lapse(low=0, high=span.high)


def lapse(until: Elapsed | Calendar | TimeOfDay) -> Lapse:
    """How long a wait takes that nothing ends before."""
    match until:
        case Elapsed():
            return Lapse(low=until.seconds, high=until.seconds)
        case Calendar():
            if not until.months and not until.days:
                return AT_ONCE
            low, high = _months(until.months)
            days = until.days
            return Lapse(low=max((low + days) * DAY - HOUR, 0), high=(high + days) * DAY + HOUR)
        case TimeOfDay():
            # The next such time is at most as far as the largest gap between allowed days.
            days_allowed = sorted(until.weekdays)
            following = [*days_allowed[1:], days_allowed[0] + 7]
            gap = max(b - a for a, b in zip(days_allowed, following, strict=True))
            return Lapse(low=0, high=gap * DAY + HOUR)


def ahead(step: WaitMoment) -> Lapse:
    """How far a moment is for which one waits. Of what the data says nobody knows."""
    if isinstance(step.moment, BestHour):
        return Lapse(low=0, high=min(step.moment.within, DAY + HOUR))
    if step.moment.type is None or step.moment.type.kind is not Kind.TIME:
        return Lapse(low=0, high=None)
    return lapse(TimeOfDay(at=time(), weekdays=step.weekdays))


@cache
def _months(months: int) -> tuple[int, int]:
    """The fewest and the most days that so many months have, from any day of two leap cycles."""
    if months == 0:
        return 0, 0
    lengths = [
        _days_after(year, month, day, months)
        for year in range(2023, 2031)
        for month in range(1, 13)
        for day in (1, 28, monthrange(year, month)[1])
    ]
    return min(lengths), max(lengths)


def _days_after(year: int, month: int, day: int, months: int) -> int:
    """Days from a date to the same day so many months later, or that month's last."""
    passed = 0
    for n in range(months):
        at = month - 1 + n
        passed += monthrange(year + at // 12, at % 12 + 1)[1]
    at = month - 1 + months
    last = monthrange(year + at // 12, at % 12 + 1)[1]
    return passed + min(day, last) - day


_CLOCK_CHANGES = 4 * HOUR


def words(seconds: int) -> str:
    """A span of time as people say it, by its two largest units: `2 days 3 hours`.

    Days that are short of some hours, as calendar days at their shortest are, are said as days.
    """
    short = -seconds % DAY
    rest = seconds + short if seconds >= DAY - HOUR and short < _CLOCK_CHANGES else seconds
    parts = []
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count:,} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "no time"


def at_most(seconds: int) -> str:
    """As `words`, of an upper end: days with the hours by which calendar days may be longer."""
    long = seconds % DAY
    return words(seconds - long if seconds > DAY and long < _CLOCK_CHANGES else seconds)
