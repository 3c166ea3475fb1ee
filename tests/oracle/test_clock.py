"""Local time at the days when clocks change."""

from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from journeylang.model.journey import Calendar, TimeOfDay
from tests.oracle.clock import begins, later, next_time, period, quiet_until, wall, zone

BERLIN, LORD_HOWE, APIA = "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"


def tz(name: str) -> ZoneInfo:
    found = zone(name)
    assert found is not None
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "shown", "instant"),
    [
        (BERLIN, "2026-03-29T01:59", "2026-03-29T00:59"),
        (BERLIN, "2026-03-29T02:00", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T02:59", "2026-03-29T01:00"),
        (BERLIN, "2026-03-29T03:00", "2026-03-29T01:00"),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T00:30"),
        (BERLIN, "2026-10-25T03:00", "2026-10-25T02:00"),
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-04T14:45"),
        # A day that was skipped.
        (APIA, "2011-12-30T09:00", "2011-12-30T10:00"),
    ],
)
def test_a_wall_time_begins_when_the_clock_shows_it_or_has_gone_past(
    name: str, shown: str, instant: str
) -> None:
    assert begins(tz(name), at(shown)) == at(instant)


@pytest.mark.parametrize("name", [BERLIN, LORD_HOWE, "Africa/Casablanca", "Asia/Kathmandu"])
def test_every_wall_time_of_a_year_begins_once_and_in_order(name: str) -> None:
    """What it begins at shows it, unless the clock skips it; the order is never turned round."""
    shown = [at("2026-01-01") + n * timedelta(minutes=47) for n in range(11_000)]
    instants = [begins(tz(name), s) for s in shown]
    assert all(a <= b for a, b in pairwise(instants))
    assert all(wall(tz(name), i) >= s for i, s in zip(instants, shown, strict=True))
    just_before = (wall(tz(name), i - timedelta(microseconds=1)) for i in instants)
    assert all(b < s for b, s in zip(just_before, shown, strict=True))


def test_the_31st_of_a_short_month_is_its_last_day() -> None:
    assert later(tz("UTC"), at("2026-01-31T06:00"), Calendar(months=1)) == at("2026-02-28T06:00")
    assert later(tz("UTC"), at("2024-01-31T06:00"), Calendar(months=1)) == at("2024-02-29T06:00")
    assert later(tz("UTC"), at("2026-12-31T06:00"), Calendar(months=2)) == at("2027-02-28T06:00")


def test_the_next_time_of_day_is_strictly_later() -> None:
    nine = TimeOfDay(at=time(9))
    assert next_time(tz("UTC"), at("2026-03-02T09:00"), nine) == at("2026-03-03T09:00")
    friday = TimeOfDay(at=time(9), weekdays=(5,))
    assert next_time(tz("UTC"), at("2026-03-02T08:00"), friday) == at("2026-03-06T09:00")


def test_periods_begin_at_local_midnight() -> None:
    now = at("2026-03-01T18:30")  # Monday, 2 March, in Kathmandu
    assert period(tz("Asia/Kathmandu"), now, "day")[0] == at("2026-03-01T18:15")
    assert period(tz("Asia/Kathmandu"), now, "week") == (
        at("2026-03-01T18:15"),
        at("2026-03-08T18:15"),
    )
    assert period(tz("Asia/Kathmandu"), now, "month") == (
        at("2026-02-28T18:15"),
        at("2026-03-31T18:15"),
    )


def test_quiet_times_that_touch_are_one() -> None:
    windows = [(time(22), time(0)), (time(0), time(7))]
    assert quiet_until(tz("UTC"), windows, at("2026-03-02T23:00")) == at("2026-03-03T07:00")
    assert quiet_until(tz("UTC"), windows, at("2026-03-02T07:00")) is None


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../UTC", "Europe", "/etc/passwd"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone(name) is None
