"""Who enters when the clock says so, and when a journey is open at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from tests.agreement.both import Look, both
from tests.agreement.prelude import instant
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    happens,
    people,
    program,
)

TICK = timedelta(microseconds=1)


def entered(look: Look) -> list[tuple[int, datetime]]:
    return sorted((row[0], row[3]) for row in look["runs"])


def plays(
    enter: str,
    ticks: Sequence[datetime],
    *headers: str,
    start: datetime = START,
    **values: object,
) -> list[datetime]:
    """When customer 1 entered."""
    with both(program("", *headers, enter=enter), start) as pair:
        people(pair, 1, **values)
        look: Look = {"runs": []}
        for now in ticks:
            look = pair.tick(now)
        return [at for _, at in entered(look)]


def hours(start: datetime, days: int, step: int = 5) -> list[datetime]:
    return [start + n * HOUR for n in range(0, 24 * days, step)]


@pytest.mark.parametrize(
    ("enter", "found"),
    [
        ("enter at 2026-03-03T09:00", ["2026-03-03T09:00"]),
        ("enter at 2026-03-03T09:00+02:00", ["2026-03-03T07:00"]),
        ("enter at 2026-03-03T09:00 local", ["2026-03-03T14:00"]),
        ("enter at 2026-03-02T08:00", []),
        ("enter every tuesday at 10:00 local", ["2026-03-03T15:00", "2026-03-10T14:00"]),
        ("enter every tuesday at 10:00", ["2026-03-03T10:00", "2026-03-10T10:00"]),
        ("enter every month on 1, 5 at 10:00 local", ["2026-03-05T15:00"]),
        ("enter every weekends at 00:30 local", ["2026-03-07T05:30", "2026-03-08T05:30"]),
    ],
)
def test_everybody_enters_when_the_time_has_come(enter: str, found: list[str]) -> None:
    """Clocks change in New York on the 8th."""
    times = plays(enter, hours(START, 10), "reenter always", tz="America/New_York")
    assert times == [instant(at) for at in found]


def test_each_customer_on_their_own_clock() -> None:
    enter = "enter every day at 10:00 local"
    zones = ["America/New_York", "UTC", "Mars/Olympus", None, "Asia/Kathmandu"]
    with both(program("w: wait 1h", enter=enter), START) as pair:
        for number, tz in enumerate(zones, 1):
            people(pair, number, tz=tz)
        look: Look = {}
        for n in range(1, 24):
            look = pair.tick(START + n * HOUR)
        expected = ["15:00", "10:00", "09:00", "09:00", "04:15"]
        # In Kathmandu it was ten already.
        days = ["2026-03-02"] * 4 + ["2026-03-03"]
        assert entered(look) == [
            (n, instant(f"{day}T{at}"))
            for n, (day, at) in enumerate(zip(days, expected, strict=True), 1)
        ]


def test_a_time_that_clocks_skip_or_show_twice_comes_once() -> None:
    enter = "enter every day at 02:30 local"
    spring = plays(
        enter,
        hours(instant("2026-03-28T12:00"), 2),
        "reenter always",
        start=instant("2026-03-28T12:00"),
        tz="Europe/Berlin",
    )
    assert spring == [instant("2026-03-29T01:00"), instant("2026-03-30T00:30")]
    autumn = plays(
        enter,
        hours(instant("2026-10-24T12:00"), 2),
        "reenter always",
        start=instant("2026-10-24T12:00"),
        tz="Europe/Berlin",
    )
    assert autumn == [instant("2026-10-25T00:30"), instant("2026-10-26T01:30")]


@pytest.mark.parametrize("local", ["", " local"])
def test_a_tick_that_comes_days_late_takes_the_first_that_was_missed(local: str) -> None:
    """As the run would have begun had there been ticks; the others met it."""
    enter = f"enter every day at 10:00{local}"
    late = [START, START + 3 * DAY + 4 * HOUR]
    first = START + 2 * HOUR
    assert plays(enter, late) == [first]
    assert plays(enter, late, "reenter always") == [first]


def test_of_the_missed_ones_the_first_that_may_enter_again() -> None:
    enter = "enter every day at 10:00 local"
    ticks = [START + 2 * HOUR, START + 4 * HOUR, START + 6 * DAY]
    times = plays(enter, ticks, "reenter after 3d")
    assert times == [START + 2 * HOUR, START + 2 * HOUR + 3 * DAY]


def test_a_run_that_started_late_does_not_block_the_next_day() -> None:
    enter = "enter every day at 23:00"
    ticks = [START + 15 * HOUR + 59 * MINUTE, START + 39 * HOUR]
    assert plays(enter, ticks, "reenter after 1d") == [
        START + 15 * HOUR,
        START + 39 * HOUR,
    ]


def test_a_repeated_tick_enters_nobody_again() -> None:
    at = START + 2 * HOUR
    assert plays("enter every day at 10:00", [at, at, at - HOUR, at], "reenter always") == [at]


@pytest.mark.parametrize(
    ("born", "start", "found"),
    [
        (date(1990, 3, 10), "2026-03-02T08:00", ["2026-03-10T08:00"]),
        # On the 29th of February in leap years, and on the 28th in others.
        (date(2000, 2, 29), "2026-02-26T08:00", ["2026-02-28T08:00"]),
        (date(2000, 2, 29), "2028-02-26T08:00", ["2028-02-29T08:00"]),
        (date(2001, 2, 28), "2028-02-26T08:00", ["2028-02-28T08:00"]),
        # The day itself is the first one; before it there is none.
        (date(2026, 3, 10), "2026-03-02T08:00", ["2026-03-10T08:00"]),
        (date(2027, 3, 10), "2026-03-02T08:00", []),
        (None, "2026-03-02T08:00", []),
    ],
)
def test_each_year_on_a_date_in_the_data(born: date | None, start: str, found: list[str]) -> None:
    since = instant(start)
    times = plays(
        "enter every year on customer.born at 09:00",
        hours(since, 12),
        start=since,
        born=born,
        tz="Europe/Berlin",
    )
    assert times == [instant(at) for at in found]


@pytest.mark.parametrize(
    ("born", "move", "found"),
    [
        # The anniversary comes first: seven days before the 5th of March of this year.
        (date(1992, 3, 5), "- 7d", "2026-02-26T09:00"),
        (date(1992, 1, 25), "+ 1mo", "2026-02-25T09:00"),
        (date(1999, 1, 31), "+ 1mo", "2026-02-28T09:00"),
        (date(1999, 1, 30), "+ 1mo", "2026-02-28T09:00"),
        (date(1999, 3, 28), "- 1mo", "2026-02-28T09:00"),
        (date(2000, 2, 29), "- 3d", "2026-02-25T09:00"),
        (date(1999, 3, 7), "- 2w", "2026-02-21T09:00"),
    ],
)
def test_a_day_of_the_year_may_be_moved(born: date, move: str, found: str) -> None:
    since = instant("2026-02-20T08:00")
    enter = f"enter every year on customer.born {move} at 09:00"
    assert plays(enter, hours(since, 10), start=since, born=born) == [instant(found)]


def test_a_day_of_the_year_may_be_moved_into_the_year_before() -> None:
    since = instant("2026-12-20T08:00")
    enter = "enter every year on customer.born - 7d at 09:00"
    times = plays(enter, hours(since, 9), start=since, born=date(2027, 1, 2))
    assert times == [instant("2026-12-26T09:00")]


def test_a_month_without_the_day_has_its_last_one() -> None:
    since = instant("2026-01-30T08:00")
    times = plays(
        "enter every month on 30, 31 at 09:00", hours(since, 40), "reenter always", start=since
    )
    assert times == [
        instant(at) for at in ("2026-01-30T09:00", "2026-01-31T09:00", "2026-02-28T09:00")
    ]


def test_who_may_enter_is_asked_when_the_tick_comes() -> None:
    headers = ('only customers where customer.country = "DE"', "reenter always")
    enter = "enter every day at 10:00 when customer.points > 5"
    with both(program("w: wait 1h", *headers, enter=enter), START) as pair:
        people(pair, 1)
        people(pair, 2, points=5)
        people(pair, 3, country="FR")
        look = pair.tick(START + 3 * HOUR)
        assert [number for number, _ in entered(look)] == [1]
        assert look["decisions"] == []


def test_a_zone_that_changed_counts_as_it_stands_at_the_tick() -> None:
    enter = "enter every day at 10:00 local"
    with both(program("w: wait 1h", "reenter always", enter=enter), START) as pair:
        people(pair, 1)
        pair.tick(START + HOUR)
        row = pair.tables.rows["crm.customers"][0]
        pair.put("crm.customers", [row | {"tz": "America/New_York"}])
        assert entered(pair.tick(START + 3 * HOUR)) == []
        assert entered(pair.tick(START + 8 * HOUR)) == [(1, START + 7 * HOUR)]


# --- when it runs -------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "first", "last"),
    [
        ("from 2026-03-03", "2026-03-03T00:00", "2026-03-06T07:00"),
        ("until 2026-03-03", "2026-03-02T09:00", "2026-03-03T23:00"),
        (
            "from 2026-03-03T10:00 until 2026-03-04T10:00",
            "2026-03-03T10:00",
            "2026-03-04T09:00",
        ),
        (
            "from 2026-03-03T10:00+01:00 until 9999-12-31",
            "2026-03-03T09:00",
            "2026-03-06T07:00",
        ),
    ],
)
def test_outside_nobody_enters(runs: str, first: str, last: str) -> None:
    """An event each hour, and both days belong to it."""
    with both(program("", f"runs {runs}", "reenter always"), START) as pair:
        people(pair, 1)
        look: Look = {}
        for now in hours(START, 4, 1)[1:]:
            happens(pair, "signed_up", now)
            look = pair.tick(now)
        times = [at for _, at in entered(look)]
        assert (times[0], times[-1]) == (instant(first), instant(last))
        assert look["decisions"] == []


def test_a_row_that_comes_late_counts_by_its_own_instant() -> None:
    with both(program("", "runs until 2026-03-02", "reenter always"), START) as pair:
        people(pair, 1)
        end = instant("2026-03-03T00:00")
        pair.tick(end)
        happens(pair, "signed_up", end - MINUTE)
        happens(pair, "signed_up", end)
        look = pair.tick(end + 30 * MINUTE)
        assert [at for _, at in entered(look)] == [end - MINUTE]


def test_who_is_in_when_it_ends_goes_on() -> None:
    steps = 'w: wait 2d\nhello: send email "t"'
    with both(program(steps, "runs until 2026-03-02"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        assert len(pair.tick(START + 3 * DAY)["messages"]) == 1


@pytest.mark.parametrize(
    "enter",
    [
        "enter when customer.points > 5",
        "enter every day at 10:00",
        "enter every day at 10:00 local",
    ],
)
def test_conditions_and_schedules_have_seasons_too(enter: str) -> None:
    runs = "runs from 2026-03-04T10:00 until 2026-03-05"
    times = plays(enter, hours(START, 6), runs, "reenter after 1d")
    assert times[0] == instant("2026-03-04T10:00")
    assert times[-1] < instant("2026-03-06T00:00")
