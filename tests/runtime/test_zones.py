"""Local time in pieces is local time worked out anew for each instant.

The tables that statements join with come from `pieces`, `quiet_times` and `local_days`. Here they
are asked at instants near changes of clocks, and compared with what says one instant's answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import assert_never
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journeylang.model.journey import Calendar, TimeOfDay
from journeylang.plan.operations import DayStart, QuietTimes
from journeylang.runtime.zones import (
    after_calendar,
    day_start,
    local,
    local_days,
    next_time_of_day,
    pieces,
    quiet_times,
    resolve,
    zone,
)

MICROSECOND = timedelta(microseconds=1)
# A day on which the clocks of the zone change, or the calendar itself does.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Europe/Dublin", "2026-03-29"),  # where winter is the exception
    ("Europe/Dublin", "2026-10-25"),
    ("Africa/Casablanca", "2026-02-15"),  # for Ramadan
    ("Africa/Casablanca", "2026-03-22"),
    ("Pacific/Apia", "2011-12-30"),  # a date that was not
    ("America/Sao_Paulo", "2018-11-04"),  # a day that begins at one
    ("America/Havana", "2026-11-01"),  # a midnight that comes twice
    ("Asia/Kathmandu", "2026-06-01"),
    ("UTC", "2026-06-01"),
]


def tz(name: str) -> ZoneInfo:
    found = zone(name)
    assert found is not None
    return found


@st.composite
def places(draw: st.DrawFn) -> tuple[ZoneInfo, datetime, datetime]:
    """A zone, and two instants near a change of its clocks, the first not after the second."""
    name, day = draw(st.sampled_from(CHANGES))
    middle = datetime.fromisoformat(day) + timedelta(hours=12)
    near = st.one_of(
        st.integers(-5 * 24 * 60, 5 * 24 * 60).map(lambda n: timedelta(minutes=n)),
        st.integers(-3 * 86_400_000_000, 3 * 86_400_000_000).map(
            lambda n: timedelta(microseconds=n)
        ),
    )
    low, high = sorted((middle + draw(near), middle + draw(near)))
    return tz(name), low, high


def asked(data: st.DataObject, low: datetime, high: datetime, edges: list[datetime]) -> datetime:
    """An instant between the two, often at an edge of a piece or a microsecond beside it."""
    beside = [e + n * MICROSECOND for e in edges for n in (-1, 0, 1) if low <= e <= high]
    inside = [e for e in beside if low <= e <= high]
    span = int((high - low) / MICROSECOND)
    anywhere = st.integers(0, span).map(lambda n: low + n * MICROSECOND)
    return data.draw(st.one_of(st.sampled_from(inside), anywhere) if inside else anywhere)


CLOCK = st.one_of(
    st.times().map(lambda t: t.replace(second=0, microsecond=0, fold=0)),
    st.sampled_from([time(0), time(1, 30), time(2), time(2, 30), time(3), time(23, 59)]),
)
RULES = st.one_of(
    st.builds(
        TimeOfDay,
        at=CLOCK,
        weekdays=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    ),
    st.builds(Calendar, days=st.integers(1, 10)),
    st.builds(Calendar, months=st.integers(1, 3), days=st.integers(0, 2)),
    st.builds(DayStart, days=st.integers(-10, 3)),
)


def directly(where: ZoneInfo, arrival: datetime, rule: TimeOfDay | Calendar | DayStart) -> datetime:
    """What the rule makes of one arrival."""
    match rule:
        case TimeOfDay():
            return next_time_of_day(where, arrival, rule)
        case Calendar():
            return after_calendar(where, arrival, rule)
        case DayStart():
            return day_start(where, arrival, rule.days)
        case _:
            assert_never(rule)


@given(data=st.data(), place=places(), rule=RULES)
def test_pieces(
    data: st.DataObject,
    place: tuple[ZoneInfo, datetime, datetime],
    rule: TimeOfDay | Calendar | DayStart,
) -> None:
    where, low, high = place
    found = list(pieces(where, rule, low, high))
    assert found[0].since <= low
    assert found[-1].until > high
    assert all(a.until == b.since for a, b in pairwise(found)), "no gap"
    assert all(piece.since < piece.until for piece in found)
    for _ in range(5):
        arrival = asked(data, low, high, [piece.since for piece in found])
        (piece,) = [p for p in found if p.since <= arrival < p.until]
        meant = directly(where, arrival, rule)
        shown = piece.instant
        if shown is None:
            assert piece.shift is not None
            shown = arrival + timedelta(seconds=piece.shift)
        assert shown == meant


def silent(where: ZoneInfo, rule: QuietTimes, instant: datetime) -> bool:
    """Whether some quiet window that begins within two local days before covers the instant."""
    today = local(where, instant).date()
    for days in range(-3, 4):
        day = today + timedelta(days=days)
        for start, end in rule.windows:
            following = day + timedelta(days=1) if end <= start else day
            begins = resolve(where, datetime.combine(day, start))
            if begins <= instant < resolve(where, datetime.combine(following, end)):
                return True
    return False


WINDOWS = st.lists(
    st.tuples(CLOCK, CLOCK).filter(lambda window: window[0] != window[1]), min_size=1, max_size=3
)


@given(data=st.data(), place=places(), windows=WINDOWS)
def test_quiet_times(
    data: st.DataObject,
    place: tuple[ZoneInfo, datetime, datetime],
    windows: list[tuple[time, time]],
) -> None:
    where, low, high = place
    rule = QuietTimes(windows=tuple(windows))
    found = list(quiet_times(where, rule, low, high))
    for _ in range(5):
        now = asked(data, low, high, [row.since for row in found])
        (row,) = [q for q in found if q.since <= now < q.until]
        assert row.quiet == silent(where, rule, now)
        if row.quiet:
            assert row.release is not None
            assert row.release > now
            # Windows that leave nothing of the day have no end but that of the table.
            assume(row.release - row.since < timedelta(days=3))
            assert silent(where, rule, row.release - MICROSECOND)
            assert not silent(where, rule, row.release)
        else:
            assert row.next_from is not None
            assert row.next_until is not None
            assert not silent(where, rule, row.next_from - MICROSECOND)
            assert silent(where, rule, row.next_from)
            assert silent(where, rule, row.next_until - MICROSECOND)
            assert not silent(where, rule, row.next_until)


@given(data=st.data(), place=places())
def test_local_days(data: st.DataObject, place: tuple[ZoneInfo, datetime, datetime]) -> None:
    where, low, high = place
    found = list(local_days(where, low, high))
    for _ in range(5):
        now = asked(data, low, high, [row.day for row in found])
        (row,) = [d for d in found if d.day <= now < d.next_day]
        today = local(where, now).date()
        assert row.day == day_start(where, now)
        assert row.next_day > now
        assert row.week <= row.day
        assert row.month <= row.day
        assert local(where, row.next_day).date() > today
        monday = today - timedelta(days=today.weekday())
        assert row.week == resolve(where, datetime.combine(monday, time()))
        assert row.next_week == resolve(where, datetime.combine(monday + timedelta(7), time()))
        assert row.month == resolve(where, datetime.combine(today.replace(day=1), time()))


@given(place=places(), clock=CLOCK)
def test_a_wall_clock_is_found(place: tuple[ZoneInfo, datetime, datetime], clock: time) -> None:
    """The first instant that shows it, or the first behind the gap that swallowed it."""
    where, low, _ = place
    wall = datetime.combine(local(where, low).date(), clock)
    instant = resolve(where, wall)
    if local(where, instant) == wall:
        for earlier in (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=24)):
            assert local(where, instant - earlier) != wall, "the first"
        return
    assert local(where, instant) > wall
    assert local(where, instant - MICROSECOND) < wall


@pytest.mark.parametrize(
    ("name", "wall", "instant"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),
        ("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),
        ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00"),
        ("America/New_York", "2026-03-08T02:00", "2026-03-08T07:00"),
    ],
)
def test_by_the_book(name: str, wall: str, instant: str) -> None:
    assert resolve(tz(name), datetime.fromisoformat(wall)) == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../etc/passwd", "Europe", "Europe/", "/Europe/Berlin", "a\0b", "É"]
)
def test_names_that_are_no_zones(name: str) -> None:
    assert zone(name) is None


def test_the_zone_database_is_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the machine's own, which may be older or missing."""
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    zone.cache_clear()
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC).replace(tzinfo=None)
    assert local(tz("Europe/Berlin"), summer).hour == 14
