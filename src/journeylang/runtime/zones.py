"""Local time, worked out once per zone and tick from one zone database.

Engines ship different zone data and resolve overlaps differently. Here every rule over
local time becomes a handful of rows that a statement joins with: for a wait, a function
from arrival to wake in pieces (`since <= arrival < until`: a fixed instant, or a shift);
for quiet times and days, the same over now.

A local time that does not exist is the first instant after the gap; one that occurs twice
is the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import assert_never
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.model.journey import Calendar, TimeOfDay
from journeylang.plan.operations import DayStart, QuietTimes

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_NAME = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """A zone by its IANA name, from the tzdata package; None if there is none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        with _zones().joinpath(*name.split("/")).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError):
        return None


@cache
def _zones() -> Path:
    spec = find_spec("tzdata")
    assert spec is not None, "the package needs it"
    assert spec.origin is not None
    return Path(spec.origin).parent / "zoneinfo"


def local(tz: ZoneInfo, instant: datetime) -> datetime:
    """The wall clock (naive) at an instant (naive UTC)."""
    return tz.fromutc(instant.replace(tzinfo=tz)).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=16_384)
def resolve(tz: ZoneInfo, wall: datetime) -> datetime:
    """The instant (naive UTC) at which the wall clock shows `wall`; see the module.

    Remembered, for each tick asks for the midnights and quiet hours of the one before.
    """
    early = wall.replace(tzinfo=tz, fold=0)
    instant = early.astimezone(UTC).replace(tzinfo=None)
    if local(tz, instant) == wall:
        return instant
    # In a gap: find the transition between the readings by the two offsets.
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC).replace(tzinfo=None)
    high = instant
    after = _offset(tz, high)
    while high - low > _TICK:
        middle = low + (high - low) / 2
        low, high = (low, middle) if _offset(tz, middle) == after else (middle, high)
    return high


def _offset(tz: ZoneInfo, instant: datetime) -> timedelta:
    return local(tz, instant) - instant


def add_calendar(day: date, span: Calendar) -> date:
    """Months first, clipped to the month's end, then days."""
    if span.months:
        month = day.year * 12 + day.month - 1 + span.months
        year, month = divmod(month, 12)
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        day = date(year, month + 1, min(day.day, (following - _DAY).day))
    return day + timedelta(days=span.days)


def after_calendar(tz: ZoneInfo, arrival: datetime, span: Calendar) -> datetime:
    """The same wall-clock time some calendar days or months later."""
    wall = local(tz, arrival)
    return resolve(tz, datetime.combine(add_calendar(wall.date(), span), wall.time()))


def next_time_of_day(tz: ZoneInfo, arrival: datetime, rule: TimeOfDay) -> datetime:
    """The first such local time strictly after arrival, on an allowed weekday."""
    day = local(tz, arrival).date()
    for _ in range(16):
        if day.isoweekday() in rule.weekdays:
            instant = resolve(tz, datetime.combine(day, rule.at))
            if instant > arrival:
                return instant
        day += _DAY
    raise AssertionError("a rule without weekdays is refused by the compiler")


def day_start(tz: ZoneInfo, instant: datetime, days: int = 0) -> datetime:
    """The first instant of the local day, or of one some days away."""
    return _midnight(tz, local(tz, instant).date() + timedelta(days=days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """For an arrival in [since, until): `instant`, or arrival + `shift` seconds."""

    since: datetime
    until: datetime
    instant: datetime | None
    shift: int | None


def pieces(
    tz: ZoneInfo, rule: Calendar | TimeOfDay | DayStart, low: datetime, high: datetime
) -> Iterator[Piece]:
    """The rule as a function of the arrival, for low <= arrival <= high."""
    match rule:
        case TimeOfDay():
            yield from _steps(low, high, lambda a: next_time_of_day(tz, a, rule), None)
        case DayStart():
            yield from _steps(
                low, high, lambda a: day_start(tz, a, rule.days), lambda a: day_start(tz, a, 1)
            )
        case Calendar():
            yield from _merged(_by_day(tz, rule, low, high))
        case _:
            assert_never(rule)


def _by_day(tz: ZoneInfo, rule: Calendar, low: datetime, high: datetime) -> Iterator[Piece]:
    since = low
    while since <= high:
        until = min(since + _DAY, high + _TICK)
        yield from _split(tz, since, until, lambda a: after_calendar(tz, a, rule))
        since = until


def _merged(found: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours that say the same as one piece."""
    last = None
    for piece in found:
        if last is not None and (last.instant, last.shift) == (piece.instant, piece.shift):
            last = Piece(
                since=last.since, until=piece.until, instant=last.instant, shift=last.shift
            )
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _steps(
    low: datetime,
    high: datetime,
    wake: Callable[[datetime], datetime],
    end: Callable[[datetime], datetime] | None,
) -> Iterator[Piece]:
    """Pieces of a step function; it changes at its own value, or at `end`."""
    since = low
    while since <= high:
        instant = wake(since)
        until = end(since) if end is not None else instant
        yield Piece(since=since, until=until, instant=instant, shift=None)
        since = until


def _split(
    tz: ZoneInfo, since: datetime, until: datetime, wake: Callable[[datetime], datetime]
) -> Iterator[Piece]:
    """Halve until each piece is constant or a shift: at most one change of clocks a day.

    Equal ends do not tell of the middle where clocks change in between: there a shift may go
    back to what it was, if clocks also change where it leads to.
    """
    last = until - _TICK
    first_wake, last_wake = wake(since), wake(last)
    steady = _offset(tz, since) == _offset(tz, last)
    straight = steady and _offset(tz, first_wake) == _offset(tz, last_wake)
    if steady and first_wake == last_wake:
        yield Piece(since=since, until=until, instant=first_wake, shift=None)
    elif straight and last_wake - first_wake == last - since:
        shift = (first_wake - since) // timedelta(seconds=1)
        yield Piece(since=since, until=until, instant=None, shift=shift)
    else:
        middle = since + (until - since) // 2
        yield from _split(tz, since, middle, wake)
        yield from _split(tz, middle, until, wake)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quietness:
    """From `since` until `until`: quiet, to end at `release`; or not, then the next one's ends."""

    since: datetime
    until: datetime
    quiet: bool
    release: datetime | None
    next_from: datetime | None
    next_until: datetime | None


def quiet_times(
    tz: ZoneInfo, rule: QuietTimes, low: datetime, high: datetime
) -> Iterator[Quietness]:
    """When it is quiet and when it is not, for low <= now <= high."""
    first, last = local(tz, low).date(), local(tz, high).date()
    spans = []
    for days in range(-2, (last - first).days + 9):
        day = first + timedelta(days=days)
        for start, end in rule.windows:
            following = day + _DAY if end <= start else day
            begins = resolve(tz, datetime.combine(day, start))
            ends = resolve(tz, datetime.combine(following, end))
            if ends > begins:
                spans.append((begins, ends))
    merged: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(spans):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    for n, (begins, ends) in enumerate(merged):
        if n and merged[n - 1][1] <= high and begins > low:
            yield Quietness(
                since=merged[n - 1][1],
                until=begins,
                quiet=False,
                release=None,
                next_from=begins,
                next_until=ends,
            )
        if begins <= high and ends > low:
            yield Quietness(
                since=begins, until=ends, quiet=True, release=ends, next_from=None, next_until=None
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDay:
    """A local day with the starts of its week (Monday) and month, and of the next ones."""

    day: datetime
    week: datetime
    month: datetime
    next_day: datetime
    next_week: datetime
    next_month: datetime


def local_days(tz: ZoneInfo, low: datetime, high: datetime) -> Iterator[LocalDay]:
    """The local days that low <= now <= high lie in."""
    today = local(tz, low).date()
    while True:
        monday = today - timedelta(days=today.weekday())
        first = today.replace(day=1)
        found = LocalDay(
            day=_midnight(tz, today),
            week=_midnight(tz, monday),
            month=_midnight(tz, first),
            next_day=_midnight(tz, today + _DAY),
            next_week=_midnight(tz, monday + 7 * _DAY),
            next_month=_midnight(tz, add_calendar(first, Calendar(months=1))),
        )
        if found.day > high:
            return
        # On an island that skips a date the day is empty.
        if found.next_day > found.day:
            yield found
        today += _DAY


def _midnight(tz: ZoneInfo, day: date) -> datetime:
    return resolve(tz, datetime.combine(day, time()))
