"""Waits until a moment in the data, and until something is true: in both forms."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.agreement.both import both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    people,
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
        assert ends(pair.tick(NOW + HOUR)) == [("active", None)]
        assert ends(pair.tick(NOW + DAY)) == [("gone", "gone")]


def test_a_moment_that_is_the_arrival_has_passed() -> None:
    with both(soon(NOW, " else skip"), START) as pair:
        assert sent(enters(pair, joined=NOW - MINUTE)) == []
    with both(soon(NOW, " else skip"), START) as pair:
        assert len(sent(enters(pair, joined=NOW - MINUTE + MINUTE / 60))) == 1
