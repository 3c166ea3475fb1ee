"""Local time as the runtime tabulates it, piece by piece, against the oracle's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from journeylang.model.journey import Calendar, TimeOfDay
from journeylang.plan.operations import DayStart, QuietTimes
from journeylang.runtime import zones
from tests.agreement.prelude import instant
from tests.oracle import clock

DAY = timedelta(days=1)
CHANGES = (
    *("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03"),
    *("2026-02-14", "2026-03-21", "2026-01-30"),
)
# Whole years of Sundays among them: clocks then change where a wait begins and where it ends.
SPANS = (1, 2, 7, 22 * 7, 30 * 7, 35, 53 * 7)

names = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin"),
        *("Africa/Casablanca", "Asia/Kathmandu", "Asia/Beirut", "America/Santiago"),
    ]
)
starts = st.builds(
    lambda day, seconds: instant(day) + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(0, 2 * 86_400),
)
lengths = st.sampled_from([timedelta(0), timedelta(hours=1), DAY, 3 * DAY])
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
calendars = st.builds(Calendar, days=st.sampled_from(SPANS)) | st.builds(
    Calendar, months=st.sampled_from([1, 12])
)
days = st.lists(st.integers(1, 7), min_size=1, unique=True).map(lambda d: tuple(sorted(d)))


def both(name: str) -> tuple[ZoneInfo, ZoneInfo]:
    runtime, oracle = zones.zone(name), clock.zone(name)
    assert runtime is not None
    assert oracle is not None
    return runtime, oracle


def probes(low: datetime, high: datetime, edges: Sequence[datetime]) -> list[datetime]:
    """Instants from low to high: evenly, and around the edges of all pieces."""
    tick = timedelta(microseconds=1)
    found = [low + (high - low) * n / 16 for n in range(17)]
    found += [edge + by for edge in edges for by in (-tick, timedelta(0), tick)]
    return [at for at in found if low <= at <= high]


@settings(max_examples=200)
@given(names, starts, lengths, calendars | st.builds(TimeOfDay, at=times, weekdays=days))
@example("Europe/Berlin", instant("2026-10-24T23:54"), DAY, Calendar(days=53 * 7))
def test_a_wait_ends_where_the_clock_says(
    name: str, low: datetime, length: timedelta, rule: Calendar | TimeOfDay
) -> None:
    runtime, oracle = both(name)
    high = low + length
    pieces = list(zones.pieces(runtime, rule, low, high))
    for at in probes(low, high, [p.since for p in pieces]):
        (piece,) = (p for p in pieces if p.since <= at < p.until)
        assert (piece.instant is None) != (piece.shift is None)
        end = piece.instant or at + timedelta(seconds=piece.shift or 0)
        meant = clock.later if isinstance(rule, Calendar) else clock.next_time
        assert end == meant(oracle, at, rule)  # type: ignore[arg-type]


@settings(max_examples=100)
@given(names, starts, lengths, st.integers(-3, 1))
def test_days_begin_where_the_clock_says(
    name: str, low: datetime, length: timedelta, count: int
) -> None:
    runtime, oracle = both(name)
    high = low + length
    pieces = list(zones.pieces(runtime, DayStart(days=count), low, high))
    for at in probes(low, high, [p.since for p in pieces]):
        (piece,) = (p for p in pieces if p.since <= at < p.until)
        day = clock.wall(oracle, at).date() + count * DAY
        assert piece.instant == clock.begins(oracle, datetime.combine(day, time()))


@settings(max_examples=100)
@given(names, starts, lengths)
def test_periods_are_the_clocks(name: str, low: datetime, length: timedelta) -> None:
    runtime, oracle = both(name)
    high = low + length
    found = list(zones.local_days(runtime, low, high))
    for at in probes(low, high, [d.day for d in found]):
        (day,) = (d for d in found if d.day <= at < d.next_day)
        assert clock.period(oracle, at, "day") == (day.day, day.next_day)
        assert clock.period(oracle, at, "week") == (day.week, day.next_week)
        assert clock.period(oracle, at, "month") == (day.month, day.next_month)


@settings(max_examples=200)
@given(
    names,
    starts,
    lengths,
    st.lists(st.tuples(times, times).filter(lambda w: w[0] != w[1]), min_size=1, max_size=2),
)
def test_it_is_quiet_when_the_clock_says(
    name: str, low: datetime, length: timedelta, windows: list[tuple[time, time]]
) -> None:
    runtime, oracle = both(name)
    high = low + length
    found = list(zones.quiet_times(runtime, QuietTimes(windows=tuple(windows)), low, high))
    for at in probes(low, high, [q.since for q in found]):
        (now,) = (q for q in found if q.since <= at < q.until)
        until = clock.quiet_until(oracle, windows, at)
        assert now.quiet == (until is not None)
        # Quiet for ever has no end that the two could agree on.
        if until is None or until < at + 3 * DAY:
            assert now.release == until
