"""Waits until a moment in the data, and until something is true: in both forms."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    people,
    person,
    program,
    sent,
)

NOW = START + HOUR


def soon(moment: datetime, otherwise: str, behind: str = 'm: send email "t"') -> str:
    return program(f"w: wait until customer.joined{otherwise}\n{behind}\nexit as done")


def test_the_moment_is_waited_for_and_is_the_arrival_behind_it() -> None:
    with both(soon(NOW, "", "x: wait 2h"), START) as pair:
        enters(pair, joined=NOW + 3 * HOUR)
        look = pair.tick(NOW + 4 * HOUR)
        assert look["runs"][0][5:8] == ("x", NOW + 3 * HOUR, NOW + 5 * HOUR)


def test_a_moment_that_a_late_tick_finds_behind_it_was_waited_for() -> None:
    """It is compared with the arrival, not with the tick: else nothing is skipped by being late."""
    with both(soon(NOW, " else skip"), START) as pair:
        enters(pair, joined=NOW - 30 * 1 * MINUTE + 29 * MINUTE + 59 * MINUTE)
        assert sent(pair.tick(NOW + DAY)) == [("m", "email", NOW + DAY)]


@pytest.mark.parametrize(
    ("otherwise", "messages", "reason"),
    [
        ("", 1, "done"),
        (" else continue", 1, "done"),
        (" else skip", 0, "done"),
        (" else exit", 0, "passed"),
    ],
)
@pytest.mark.parametrize("joined", [START, None])
def test_what_happens_if_it_has_passed_or_is_unknown(
    otherwise: str, messages: int, reason: str, joined: datetime | None
) -> None:
    with both(soon(NOW, otherwise), START) as pair:
        look = enters(pair, joined=joined)
        assert (len(sent(look)), ends(look)) == (messages, [("finished", reason)])


def test_else_skip_leaves_out_one_step_with_all_in_it() -> None:
    behind = """if customer.points > 5 {
  m: send email "t"
  n: wait 1d
}"""
    with both(soon(NOW, " else skip", behind), START) as pair:
        assert ends(enters(pair, joined=START)) == [("finished", "done")]
    with both(soon(NOW, " else skip", behind), START) as pair:
        enters(pair, joined=NOW + HOUR)
        assert pair.tick(NOW + HOUR)["runs"][0][5] == "n"


def test_the_moment_is_that_of_the_arrival() -> None:
    with both(soon(NOW, ""), START) as pair:
        enters(pair, joined=NOW + HOUR)
        pair.put("crm.customers", [])
        people(pair, 1, joined=NOW + DAY)
        assert len(sent(pair.tick(NOW + HOUR))) == 1


STATE = """u: wait until exists(ordered since entry) up to 1d {
  then { exit as ordered }
  timeout { exit as none }
}"""


def test_what_is_true_already_passes_at_once() -> None:
    with both(program(STATE), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        happens(pair, "ordered", START + 2 * MINUTE)
        assert ends(pair.tick(NOW)) == [("finished", "ordered")]


def test_a_state_is_looked_at_by_each_tick() -> None:
    with both(program(STATE), START) as pair:
        enters(pair)
        assert ends(pair.tick(NOW + HOUR)) == [("active", None)]
        happens(pair, "ordered", NOW + 90 * MINUTE)
        look = pair.tick(NOW + 2 * HOUR)
        assert (ends(look), look["runs"][0][6]) == ([("finished", "ordered")], NOW + 2 * HOUR)


def test_a_state_that_passes_by_itself_is_seen_too() -> None:
    steps = "u: wait until entry.at older than 3h up to 1d { then { exit as old } }"
    with both(program(steps), START) as pair:
        enters(pair)
        assert ends(pair.tick(NOW + HOUR)) == [("active", None)]
        assert ends(pair.tick(NOW + 3 * HOUR)) == [("finished", "old")]


def test_it_times_out_at_the_deadline() -> None:
    with both(program(STATE), START) as pair:
        enters(pair)
        look = pair.tick(NOW + 3 * DAY)
        arrived = NOW - MINUTE + DAY
        assert (ends(look), look["runs"][0][6]) == ([("finished", "none")], arrived)


def test_a_state_that_is_true_beats_a_deadline_however_late_the_tick_is() -> None:
    with both(program(STATE), START) as pair:
        enters(pair)
        happens(pair, "ordered", NOW + 2 * DAY)
        look = pair.tick(NOW + 3 * DAY)
        assert (ends(look), look["runs"][0][6]) == ([("finished", "ordered")], NOW + 3 * DAY)


def test_of_somebody_who_is_gone_nothing_is_true() -> None:
    steps = "u: wait until not (customer.points > 100) up to 1d"
    with both(program(steps), START) as pair:
        enters(pair, points=500)
        pair.put("crm.customers", [])
        assert ends(pair.tick(NOW + HOUR)) == [("active", None)], "an empty table says nothing"
        assert ends(pair.tick(NOW + DAY)) == [("active", None)], "nor moves anybody on"
        pair.put("crm.customers", [person(2)])
        pair.tick(NOW + DAY + HOUR)
        assert ends(pair.tick(NOW + DAY + 2 * HOUR)) == [("gone", "gone")]


def test_a_moment_that_is_the_arrival_has_passed() -> None:
    with both(soon(NOW, " else skip"), START) as pair:
        assert sent(enters(pair, joined=NOW - MINUTE)) == []
    with both(soon(NOW, " else skip"), START) as pair:
        assert len(sent(enters(pair, joined=NOW - MINUTE + MINUTE / 60))) == 1


# --- dates, and times of day ------------------------------------------------------------------


def woken(pair: Both, now: datetime = NOW, **values: Any) -> datetime | None:
    """The wake of somebody who enters a minute before now."""
    found = enters(pair, now, **values)["runs"][0][7]
    assert found is None or isinstance(found, datetime)
    return found


ON_A_DATE = [
    # zone, what is added, date, and when that is
    ("UTC", "", "2026-03-05", "2026-03-05T00:00"),
    ("Europe/Berlin", "", "2026-03-05", "2026-03-04T23:00"),
    ("America/New_York", "", "2026-03-05", "2026-03-05T05:00"),
    ("Europe/Berlin", "", "2026-07-01", "2026-06-30T22:00"),
    ("Europe/Berlin", "", "2026-03-29", "2026-03-28T23:00"),
    ("Europe/Berlin", " + 1d", "2026-03-29", "2026-03-29T22:00"),
    ("Mars/Olympus", "", "2026-03-05", "2026-03-04T23:00"),
    # In Beirut the day of the change has no midnight.
    ("Asia/Beirut", "", "2026-03-29", "2026-03-28T22:00"),
    ("Asia/Beirut", "", "2026-03-30", "2026-03-29T21:00"),
    ("Europe/Berlin", "", "2049-07-01", "2049-06-30T22:00"),
    ("Europe/Berlin", "", "2050-07-01", "2050-06-30T23:00"),
    ("Australia/Sydney", "", "2077-07-01", "2077-06-30T13:00"),
    ("America/New_York", "", "9999-12-31", "9999-12-31T05:00"),
]


@pytest.mark.parametrize(("zone", "added", "day", "at"), ON_A_DATE)
def test_a_date_is_midnight_where_the_customer_is(zone: str, added: str, day: str, at: str) -> None:
    steps = f"w: wait until customer.born{added}"
    with both(program(steps), START) as pair:
        found = woken(pair, tz=zone, born=date.fromisoformat(day))
        assert found == datetime.fromisoformat(at)


@pytest.mark.parametrize("born", [date(2026, 3, 2), date(1990, 2, 28), date(1500, 1, 1), None])
def test_a_date_that_has_begun_has_passed(born: date | None) -> None:
    with both(program("w: wait until customer.born else exit"), START) as pair:
        assert ends(enters(pair, born=born)) == [("finished", "passed")]


def test_a_date_is_that_of_the_entry_and_a_late_tick_misses_nothing() -> None:
    steps = 'w: wait until entry.due + 1d else skip\nm: send email "t"'
    with both(program(steps, enter="enter on ordered"), START) as pair:
        people(pair, 1, tz="America/New_York")
        happens(pair, "ordered", NOW, due=date(2026, 3, 4))
        assert sent(pair.tick(NOW)) == []
        look = pair.tick(NOW + 9 * DAY)
        assert sent(look) == [("m", "email", NOW + 9 * DAY)]


@pytest.mark.parametrize(
    ("zone", "now", "daily", "on", "at"),
    [
        ("UTC", "2026-03-02T09:01", time(9, 30), "", "2026-03-02T09:30"),
        ("UTC", "2026-03-02T09:31", time(9, 30), "", "2026-03-03T09:30"),
        ("Europe/Berlin", "2026-03-28T20:00", time(2, 30), "", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-24T20:00", time(2, 30), "", "2026-10-25T00:30"),
        ("Europe/Berlin", "2026-10-25T01:01", time(2, 30), "", "2026-10-26T01:30"),
        ("Europe/Berlin", "2026-03-06T20:00", time(0), " on weekdays", "2026-03-08T23:00"),
        ("UTC", "2026-03-02T09:31", time(9, 30), " on monday", "2026-03-09T09:30"),
        ("UTC", "2026-03-02T09:31", time(9, 30), " on day", "2026-03-03T09:30"),
        # Clocks go back from midnight: what they show again has been.
        ("Asia/Beirut", "2026-10-24T20:46", time(23, 30), "", "2026-10-25T21:30"),
        ("Asia/Beirut", "2026-10-24T21:46", time(0), "", "2026-10-24T22:00"),
        ("UTC", "2026-03-02T09:31", None, " on monday", None),
        ("UTC", "2026-03-02T09:31", None, "", None),
    ],
)
def test_a_time_of_day_is_the_next_on_the_customers_clock(
    zone: str, now: str, daily: time | None, on: str, at: str | None
) -> None:
    steps = f"w: wait until customer.daily{on}"
    start = datetime.fromisoformat(now)
    with both(program(steps), start - DAY) as pair:
        found = woken(pair, start, tz=zone, daily=daily)
        assert found == (None if at is None else datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("otherwise", "reason"), [(" else skip", "end"), (" else exit", "passed"), ("", "done")]
)
def test_an_unknown_time_of_day_has_passed(otherwise: str, reason: str) -> None:
    with both(program(f"w: wait until customer.daily{otherwise}\nexit as done"), START) as pair:
        assert ends(enters(pair)) == [("finished", reason)]


def test_a_moment_may_be_one_of_the_profile() -> None:
    steps = """set day = customer.born
w: wait until profile.day
n: wait until 09:00
v: wait until profile.day + 1d"""
    with both(program(steps), START) as pair:
        enters(pair, born=date(2026, 3, 4), tz="Europe/Berlin")
        look = pair.tick(datetime.fromisoformat("2026-03-04T12:00"))
        assert look["runs"][0][5:8] == (
            "v",
            datetime.fromisoformat("2026-03-04T08:00"),
            datetime.fromisoformat("2026-03-04T23:00"),
        )


def test_a_date_that_is_moved_is_a_date() -> None:
    steps = 'm: send email "t" with { day: customer.born + 1d }'
    with both(program(steps), START) as pair:
        enters(pair, born=date(2026, 3, 5))
        (content,) = pair.engine.query("SELECT content FROM journey.message")[0]
        assert json.loads(content) == {"day": "2026-03-06"}
