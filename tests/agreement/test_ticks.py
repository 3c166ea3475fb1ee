"""What a tick looks at, in which order, and what decides a race: in both forms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeylang.runtime.tick import tick
from tests.agreement.both import both
from tests.agreement.prelude import BINDING
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    journey,
    people,
    person,
    program,
    project,
    sent,
)


def test_what_happened_since_the_apply_enters_at_the_first_tick() -> None:
    """However long after the apply that is."""
    with both(program('hello: send email "t"'), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        look = pair.tick(START + 30 * HOUR)
        assert sent(look) == [("hello", "email", START + 30 * HOUR)]


def test_what_happened_before_the_apply_does_not_enter() -> None:
    with both(program('hello: send email "t"'), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START)
        assert pair.tick(START + MINUTE)["runs"] == []


def test_a_tick_does_not_go_back() -> None:
    with both(program("w: wait 1h"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + 2 * HOUR)
        assert pair.tick(START - DAY)["runs"] == []
        pair.tick(START + 2 * HOUR)
        look = pair.tick(START + HOUR)
        assert ends(look) == [("active", None)]


@pytest.mark.parametrize("minutes", [60, 61])
def test_a_late_row_enters_if_an_earlier_tick_could_have_seen_it_in_time(minutes: int) -> None:
    """`late` is measured back from the tick before: exactly an hour is too late."""
    with both(program("w: wait 1d"), START - DAY) as pair:
        people(pair, 1)
        pair.tick(START)
        happens(pair, "signed_up", START - minutes * MINUTE + MINUTE)
        look = pair.tick(START + HOUR)
        assert len(look["runs"]) == (1 if minutes == 60 else 0)


def test_somebody_who_is_not_a_customer_yet_enters_as_soon_as_they_are() -> None:
    """A row that no longer is the newest counts for as long as rows of its instant may come."""
    with both(program("w: wait 1d"), START) as pair:
        happens(pair, "signed_up", START + 30 * MINUTE)
        pair.tick(START + 40 * MINUTE)
        people(pair, 1)
        look = pair.tick(START + 80 * MINUTE)
        assert ends(look) == [("active", None)]
        assert look["decisions"] == []


def test_an_entry_condition_is_looked_at_anew_at_each_tick() -> None:
    where = "enter on signed_up where customer.points > 10"
    with both(program("w: wait 1d", enter=where), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + 30 * MINUTE)
        assert pair.tick(START + 40 * MINUTE)["runs"] == []
        pair.put("crm.customers", [person(1, points=11)])
        assert len(pair.tick(START + 80 * MINUTE)["runs"]) == 1


def test_an_awaited_condition_is_looked_at_anew_at_each_tick() -> None:
    steps = "r: wait for signed_up where customer.points > 10 up to 3d { on signed_up { exit } }"
    with both(program(steps, enter="enter on visited"), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        happens(pair, "signed_up", START + 30 * MINUTE)
        pair.tick(START + 40 * MINUTE)
        pair.put("crm.customers", [person(1, points=11)])
        assert ends(pair.tick(START + 80 * MINUTE)) == [("finished", "exit")]


def test_an_exit_sees_a_row_that_was_changed_long_after_the_fact() -> None:
    """By `changed at`, not by the instant at which it happened."""
    exits = 'exit when exists(visited where page = "cart") as left'
    with both(program("w: wait 30d", exits), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START - DAY, page="home")
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.tick(START + DAY)
        row = pair.tables.rows["shop.visits"][0]
        pair.put("shop.visits", [row | {"page": "cart", "changed": START + DAY + HOUR}])
        assert ends(pair.tick(START + DAY + 2 * HOUR)) == [("exited", "left")]


def test_an_exit_sees_a_row_when_its_instant_comes() -> None:
    """Rows with a later instant do not exist yet, however early they were written."""
    with both(program("w: wait 30d", "exit when exists(visited since entry)"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        happens(pair, "visited", START + DAY, changed=START)
        assert ends(pair.tick(START + DAY - HOUR)) == [("active", None)]
        assert ends(pair.tick(START + DAY)) == [("exited", "exit")]


def test_an_exit_sees_a_row_that_broke_the_promise_with_the_next_one() -> None:
    """Append only: rows come within `late`. So who has no new row is not looked at."""
    exits = "exit when exists(signed_up since entry) as left"
    with both(program("w: wait 30d", exits, enter="enter on visited"), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        pair.tick(START + 9 * HOUR)
        statuses = []
        for hours, at in ((10, 2 * HOUR), (11, 11 * HOUR)):
            happens(pair, "signed_up", START + at)
            tick(pair.session, START + hours * HOUR)
            statuses += pair.engine.query("SELECT status FROM journey.runs")
        assert statuses == [("active",), ("exited",)]


UNCHANGED = BINDING.replace("  changed at c.changed\n", "")
"""Where nothing tells that a customer's row has changed, an exit looks at new events alone."""


def test_an_exit_with_a_condition_sees_what_came_too_late_with_the_next_row() -> None:
    exits = 'exit when exists(signed_up since entry where source = "shop") as left'
    text = program("w: wait 30d", exits, enter="enter on visited")
    with both(text, START, binding=UNCHANGED) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        pair.tick(START + 5 * HOUR)
        statuses = []
        for hours, at, source in ((6, 2 * HOUR, "shop"), (7, 6 * HOUR + MINUTE, "street")):
            happens(pair, "signed_up", START + at, source=source)
            tick(pair.session, START + hours * HOUR)
            statuses += pair.engine.query("SELECT status FROM journey.runs")
        assert statuses == [("active",), ("exited",)]


@pytest.mark.parametrize("second", ["count(signed_up since entry)", "count(signed_up)"])
def test_an_exit_sees_a_row_that_counts_only_with_later_ones(second: str) -> None:
    exits = f'exit when exists(signed_up since entry where source = "shop" and {second} >= 2)'
    text = program("w: wait 30d", f"{exits} as left", enter="enter on visited")
    with both(text, START, binding=UNCHANGED) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "signed_up", START + HOUR + MINUTE, source="shop")
        assert ends(pair.tick(START + 2 * HOUR)) == [("active", None)]
        pair.tick(START + 5 * HOUR)
        happens(pair, "signed_up", START + 5 * HOUR + MINUTE, source="street")
        assert ends(pair.tick(START + 6 * HOUR)) == [("exited", "left")]


def test_the_runtimes_own_decisions_can_be_awaited() -> None:
    """`sent` is an event like others; a message of the same tick is seen by the next one."""
    text = project(
        journey("a", 'hello: send email "t"', enter="enter on signed_up"),
        journey("b", "r: wait for sent of email up to 1d { on sent of email { exit as seen } }"),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        assert ("active", None) in ends(pair.tick(START + HOUR))
        assert ("finished", "seen") in ends(pair.tick(START + 2 * HOUR))


def test_of_label_means_the_message_of_this_very_run() -> None:
    steps = """hello: send email "t"
w: wait 2h
if exists(opened of hello) { exit as opened }"""
    with both(program(steps, "reenter always"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.say(0, "opened", START + 2 * HOUR)
        assert ends(pair.tick(START + 4 * HOUR)) == [("finished", "opened")]
        happens(pair, "signed_up", START + 5 * HOUR)
        pair.tick(START + 5 * HOUR)
        assert ends(pair.tick(START + 8 * HOUR))[1] == ("finished", "end")


RACE = """r: wait up to 2h {
  on ordered { exit as ordered }
  on visited { exit as visited }
  timeout { exit as timeout }
}"""


@pytest.mark.parametrize(
    ("ordered", "visited", "reason"),
    [
        (60, 59, "visited"),
        (60, 60, "ordered"),
        (120, None, "ordered"),
        (121, None, "timeout"),
        (0, None, "timeout"),
    ],
)
def test_the_earliest_event_in_time_ends_a_race(
    ordered: int, visited: int | None, reason: str
) -> None:
    """Of equal ones the one written first; one at the deadline beats the timeout."""
    with both(program(RACE), START) as pair:
        people(pair, 1)
        entered = START + MINUTE
        happens(pair, "signed_up", entered)
        happens(pair, "ordered", entered + ordered * MINUTE)
        if visited is not None:
            happens(pair, "visited", entered + visited * MINUTE)
        assert ends(pair.tick(START + 5 * HOUR)) == [("finished", reason)]


@pytest.mark.parametrize(("minutes", "status"), [(60, "finished"), (59, "active")])
def test_rows_that_come_too_late_wake_nobody(minutes: int, status: str) -> None:
    """An hour before the tick before is too late, a minute less is not."""
    steps = "r: wait for signed_up up to 3d { on signed_up { exit } }"
    with both(program(steps, enter="enter on visited"), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        pair.tick(START + 3 * HOUR)
        happens(pair, "signed_up", START + HOUR + minutes * MINUTE + MINUTE)
        # What happens to others makes no difference.
        happens(pair, "signed_up", START + 4 * HOUR, customer=2)
        assert ends(pair.tick(START + 4 * HOUR))[0][0] == status


@pytest.mark.parametrize(("late", "messages"), [(-MINUTE, 0), (0 * MINUTE, 1)])
def test_a_wait_is_over_at_its_very_end(late: timedelta, messages: int) -> None:
    with both(program('a: wait 1h\nhello: send email "t"'), START) as pair:
        enters(pair)
        assert len(pair.tick(START + 2 * HOUR - MINUTE + late)["messages"]) == messages


def test_who_leaves_and_is_due_in_one_tick_leaves() -> None:
    headers = ("exit when exists(ordered since entry) as bought",)
    with both(program('a: wait 1h\nhello: send email "t"', *headers), START) as pair:
        enters(pair)
        happens(pair, "ordered", START + HOUR + MINUTE)
        look = pair.tick(START + 3 * HOUR)
        assert ends(look) == [("exited", "bought")]
        assert look["messages"] == []
