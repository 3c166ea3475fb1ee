"""Local time: what a customer's clock shows, and when it shows it.

Instants are naive datetimes in UTC, wall clocks naive datetimes too. One rule does for
clocks that jump: a wall time begins at *the first instant at which the clock shows it or
has gone past it*. So a time that the clock skips in spring is the first instant after the
gap, and one that it shows twice in autumn is the first of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

from journeylang.model.journey import Calendar, TimeOfDay

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIDNIGHT = time()


@cache
def zone(name: str) -> ZoneInfo | None:
    """A zone of the tzdata package, whatever the machine has; None if there is none."""
    if not name or any(part in ("", ".", "..") for part in name.split("/")):
        return None
    try:
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
            return ZoneInfo.from_file(data)
    except (OSError, ValueError):
        return None


def offset(tz: ZoneInfo, at: datetime) -> timedelta:
    found = at.replace(tzinfo=UTC).astimezone(tz).utcoffset()
    assert found is not None
    return found


def wall(tz: ZoneInfo, at: datetime) -> datetime:
    """What the clock shows."""
    return at + offset(tz, at)


def begins(tz: ZoneInfo, shown: datetime) -> datetime:
    """The first instant at which the clock shows `shown`, or has gone past it."""
    for since, until, ahead in _regimes(tz, shown.date()):
        at = max(since, shown - ahead)
        if at < until:
            return at
    raise AssertionError("no clock stands still for days")


@cache
def _regimes(tz: ZoneInfo, day: date) -> list[tuple[datetime, datetime, timedelta]]:
    """Spans around a day (UTC) in each of which the clock is ahead of UTC by one offset."""
    since = datetime.combine(day, MIDNIGHT) - 2 * DAY
    hours = [since + n * HOUR for n in range(6 * 24 + 1)]
    found = []
    for at, following in pairwise(hours):
        if offset(tz, at) != offset(tz, following):
            change = _change(tz, at, following)
            found.append((since, change, offset(tz, at)))
            since = change
    return [*found, (since, hours[-1], offset(tz, hours[-1]))]


def _change(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset; clocks change on whole seconds."""
    at = before
    while offset(tz, at) == offset(tz, before):
        at += timedelta(seconds=1)
    assert at <= after
    return at


def later(tz: ZoneInfo, arrival: datetime, span: Calendar) -> datetime:
    """The same wall-clock time some months and days on; the 31st of a short month is its last."""
    shown = wall(tz, arrival)
    years, month = divmod(shown.month - 1 + span.months, 12)
    first = shown.date().replace(year=shown.year + years, month=month + 1, day=1)
    following = (first + 31 * DAY).replace(day=1)
    day = min(first + (shown.day - 1) * DAY, following - DAY) + span.days * DAY
    return begins(tz, datetime.combine(day, shown.time()))


def next_time(tz: ZoneInfo, arrival: datetime, rule: TimeOfDay) -> datetime:
    """The next such local time strictly after arrival, on an allowed weekday."""
    day = wall(tz, arrival).date()
    while True:
        at = begins(tz, datetime.combine(day, rule.at))
        if at > arrival and day.isoweekday() in rule.weekdays:
            return at
        day += DAY


def period(tz: ZoneInfo, now: datetime, name: str) -> tuple[datetime, datetime]:
    """The first instants of the local day, week (Monday) or month of now, and of the next."""
    today = wall(tz, now).date()
    match name:
        case "day":
            first, following = today, today + DAY
        case "week":
            first = today - today.weekday() * DAY
            following = first + 7 * DAY
        case "month":
            first = today.replace(day=1)
            following = (first + 31 * DAY).replace(day=1)
        case _:
            raise AssertionError(name)
    return begins(tz, datetime.combine(first, MIDNIGHT)), begins(
        tz, datetime.combine(following, MIDNIGHT)
    )


Window = tuple[time, time]


def quiet_until(tz: ZoneInfo, windows: Sequence[Window], now: datetime) -> datetime | None:
    """When the quiet time that now is in ends; None if it is not quiet."""
    return next((end for start, end in _quiet(tz, windows, now) if start <= now < end), None)


def next_quiet(
    tz: ZoneInfo, windows: Sequence[Window], now: datetime
) -> tuple[datetime, datetime] | None:
    """The first quiet time that begins later than now."""
    return next(((start, end) for start, end in _quiet(tz, windows, now) if start > now), None)


def _quiet(
    tz: ZoneInfo, windows: Sequence[Window], now: datetime
) -> list[tuple[datetime, datetime]]:
    """The quiet times around now; those that touch or overlap are one.

    A window whose end is not behind its start goes on past midnight.
    """
    today = wall(tz, now).date()
    spans = sorted(
        (
            begins(tz, datetime.combine(day, start)),
            begins(tz, datetime.combine(day if end > start else day + DAY, end)),
        )
        for day in (today + days * DAY for days in range(-2, 10))
        for start, end in windows
    )
    found: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found
