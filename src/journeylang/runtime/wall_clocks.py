"""When a clock shows what: wall-clock times as instants, for moments that the data names.

In pieces of wall-clock time between the changes of a zone's clocks. A time that the clock skips
is the first instant after the gap, one that it shows twice the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.plan.operations import PastClock, WallClock
from journeylang.runtime.zones import Piece

# Nobody knows the clocks of a distant year: from 2050 on they stay as they were.
FAR = datetime.fromisoformat("2049-12-31T00:00")
_NEAR = timedelta(days=15)
_NEVER = datetime.fromisoformat("9999-12-31T12:00")
_SECOND = timedelta(seconds=1)
# No clock has changed twice within so many days for a long time.
_STEP = timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """From `since` until `until` (UTC) a clock is ahead of UTC by `offset`."""

    since: datetime
    until: datetime
    offset: timedelta


def pieces(tz: ZoneInfo, rule: WallClock, low: datetime, high: datetime) -> Iterator[Piece]:
    """For wall-clock times in [since, until) the instant; for all whose instant is behind `low`.

    Until some days behind `high`, or if `far` for all time.
    """
    end = max(FAR, high) if rule.far else high + _NEAR
    found = list(_in_walls(regimes(tz, low.year, end.year)))
    yield from found[:-1]
    last = found[-1]
    until = _NEVER if rule.far else last.until
    yield Piece(since=last.since, until=until, instant=last.instant, shift=last.shift)


def past(tz: ZoneInfo, rule: PastClock, low: datetime, high: datetime) -> Iterator[Piece]:
    """For instants in [since, until) how far the clock is ahead of UTC, up to `high`."""
    since = low - timedelta(days=rule.days)
    for regime in regimes(tz, since.year, high.year):
        shift = regime.offset // _SECOND
        yield Piece(since=regime.since, until=regime.until, instant=None, shift=shift)


def regimes(tz: ZoneInfo, first: int, last: int) -> Iterator[Regime]:
    """The offsets of a zone in these years."""
    since = datetime(first, 1, 1)  # noqa: DTZ001 (naive is UTC)
    offset = _offset(tz, since)
    for year in range(first, last + 1):
        for at, following in _changes(tz, year):
            yield Regime(since=since, until=at, offset=offset)
            since, offset = at, following
    yield Regime(since=since, until=datetime(last + 1, 1, 1), offset=offset)  # noqa: DTZ001


@lru_cache(maxsize=100_000)
def _changes(tz: ZoneInfo, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """The first instants of other offsets in a year (UTC), and these offsets."""
    at, end = datetime(year, 1, 1), datetime(year + 1, 1, 1)  # noqa: DTZ001
    found = []
    while at < end:
        following = min(at + _STEP, end)
        before, after = _offset(tz, at), _offset(tz, following)
        if before != after:
            low, high = at, following
            while high - low > _SECOND:
                middle = low + (high - low) // 2 // _SECOND * _SECOND
                low, high = (low, middle) if _offset(tz, middle) == after else (middle, high)
            found.append((high, after))
        at = following
    return tuple(found)


def _offset(tz: ZoneInfo, at: datetime) -> timedelta:
    offset = at.replace(tzinfo=UTC).astimezone(tz).utcoffset()
    assert offset is not None
    return offset


def _in_walls(found: Iterator[Regime]) -> Iterator[Piece]:
    shown: datetime | None = None
    for regime in found:
        begin, end = regime.since + regime.offset, regime.until + regime.offset
        if shown is not None and shown < begin:
            yield Piece(since=shown, until=begin, instant=regime.since, shift=None)
        begin = begin if shown is None else max(shown, begin)
        if begin < end:
            shift = -(regime.offset // _SECOND)
            yield Piece(since=begin, until=end, instant=None, shift=shift)
            shown = end
