"""Who enters, who does not and why, and who leaves: in both forms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.agreement.both import both
from tests.agreement.prelude import instant
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
    refusals,
)
from tests.oracle.chance import bucket


def test_rows_without_a_key_stop_nobody() -> None:
    """An apply refuses such tables; a row that comes later enrols nobody."""
    with both(program("w: wait 1d"), START) as pair:
        people(pair, 1, 2)
        happens(pair, "signed_up", START + MINUTE, id=None)
        happens(pair, "signed_up", START + MINUTE, customer=2)
        assert [row[0] for row in pair.tick(START + HOUR)["runs"]] == [2]


def test_customers_without_a_key_are_none() -> None:
    enter = "enter when customer.email is known"
    with both(program("w: wait 1d", enter=enter), START) as pair:
        people(pair, 1)
        pair.add("crm.customers", person(2, id=None))
        assert [row[0] for row in pair.tick(START + HOUR)["runs"]] == [1]


@pytest.mark.parametrize("share", ["0.01%", "100%"])
def test_one_run_of_a_customer_enters_per_tick_held_out_or_not(share: str) -> None:
    headers = ("reenter always", f'holdout {share} salt "h"')
    with both(program("w: wait 1h", *headers), START) as pair:
        people(pair, 1)
        for minute in (3, 1, 2):
            happens(pair, "signed_up", START + minute * MINUTE)
        look = pair.tick(START + HOUR)
        assert refusals(look) == ["active", "active"]
        assert look["runs"][0][3] == START + MINUTE


def test_refusals_are_given_in_the_order_active_reentry_audience() -> None:
    headers = ("reenter after 1d", "only customers where customer.points > 5")
    with both(program("w: wait 6h", *headers), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [person(1, points=0)])
        expected = []
        for hours, reason in ((2, "active"), (8, "reentry"), (24, "audience")):
            pair.tick(START + (hours - 1) * HOUR)
            happens(pair, "signed_up", START + hours * HOUR)
            look = pair.tick(START + hours * HOUR)
            expected.append(reason)
            assert refusals(look) == sorted(expected)


def test_a_run_that_ends_with_this_tick_is_in_the_way_of_entries_still() -> None:
    """Entries come before the woken move on; only who left by an exit is out of the way."""
    with both(program("w: wait 1h", "reenter always"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "signed_up", START + 4 * HOUR)
        look = pair.tick(START + 4 * HOUR)
        assert (ends(look), refusals(look)) == ([("finished", "end")], ["active"])


@pytest.mark.parametrize(("rule", "runs"), [("never", 1), ("always", 2), ("after 1d", 2)])
def test_reentry_after_the_run_has_ended(rule: str, runs: int) -> None:
    with both(program("w: wait 1h", f"reenter {rule}"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + 2 * HOUR)
        happens(pair, "signed_up", START + DAY)
        look = pair.tick(START + DAY)
        assert len(look["runs"]) == runs
        assert refusals(look) == ["reentry"] * (2 - runs)


def test_the_first_instant_of_a_day_belongs_to_it_for_reentry_too() -> None:
    with both(program("w: wait 1h", "reenter after 1d"), START) as pair:
        people(pair, 1)
        midnight = START.replace(hour=0) + DAY
        happens(pair, "signed_up", midnight)
        pair.tick(midnight)
        pair.tick(midnight + 2 * HOUR)
        happens(pair, "signed_up", midnight + 3 * HOUR)
        assert refusals(pair.tick(midnight + 3 * HOUR)) == ["reentry"]


def test_who_left_by_an_exit_may_enter_with_the_same_tick() -> None:
    headers = ("reenter always", "exit when exists(ordered since entry) as bought")
    with both(program("w: wait 30d", *headers), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "ordered", START + 2 * HOUR)
        happens(pair, "signed_up", START + 2 * HOUR)
        look = pair.tick(START + 2 * HOUR)
        assert ends(look) == [("exited", "bought"), ("active", None)]


def test_the_last_bucket_of_a_control_group_is_the_one_before_its_share() -> None:
    """Of two people one is drawn last, and the other is the first who is not."""
    inside, outside = (
        next(n for n in range(1, 10**6) if bucket("g", n) == place) for place in (1999, 2000)
    )
    text = program('hello: send email "t"', "purpose marketing", policy='control 20% salt "g"')
    with both(text, START) as pair:
        people(pair, inside, outside)
        for n in (inside, outside):
            happens(pair, "signed_up", START + MINUTE, n)
        look = pair.tick(START + HOUR)
        assert {row[0] for row in look["messages"]} == {outside}


def test_the_global_control_group_is_drawn_before_the_hold_out() -> None:
    headers = ('holdout 100% salt "h"',)
    control = 'control 100% salt "g"'
    with both(program('hello: send email "t"', *headers, policy=control), START) as pair:
        look = enters(pair)
        assert ends(look) == [("global_control", "global_control")]
        assert [(row[3], row[4]) for row in look["exposures"]] == [("holdout", "global_control")]


@pytest.mark.parametrize(("more", "status"), [(0, "active"), (1, "held_out")])
def test_a_share_ends_before_its_bucket(more: int, status: str) -> None:
    share = (bucket("h", 1) + more) / 100
    with both(program("w: wait 1h", f'holdout {share:.2f}% salt "h"'), START) as pair:
        assert [run_status for run_status, _ in ends(enters(pair))] == [status]


@pytest.mark.parametrize(("more", "arm"), [(0, "b"), (1, "a")])
def test_an_arm_ends_before_its_bucket(more: int, arm: str) -> None:
    points = bucket("x", 1) + more
    shares = f"arm a {points / 100:.2f}% {{ }} arm b {(10_000 - points) / 100:.2f}% {{ }}"
    with both(program(f'x: experiment salt "x" {{ {shares} }}'), START) as pair:
        assert [row[4] for row in enters(pair)["exposures"]] == [arm]


@pytest.mark.parametrize(("zone", "again"), [("America/New_York", False), ("Asia/Kathmandu", True)])
def test_reentry_counts_local_days(zone: str, again: bool) -> None:
    """From 08:00 to 18:30 UTC midnight passes in Kathmandu alone."""
    with both(program("w: wait 1h", "reenter after 1d"), START) as pair:
        people(pair, 1, tz=zone)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + 2 * HOUR)
        happens(pair, "signed_up", START + 10 * HOUR + 30 * MINUTE)
        look = pair.tick(START + 11 * HOUR)
        assert len(look["runs"]) == (2 if again else 1)


def test_a_run_that_enters_meets_its_exits_before_anything_else() -> None:
    with both(program('hello: send email "t"', "exit when customer.points = 10"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        look = pair.tick(START + HOUR)
        assert (ends(look), look["messages"]) == ([("exited", "exit")], [])


def test_exit_beats_a_wake_of_the_same_tick() -> None:
    steps = 'r: wait for ordered up to 1d { on ordered { hello: send email "t" } }'
    with both(program(steps, "exit when exists(ordered since entry) as bought"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "ordered", START + 2 * HOUR)
        assert ends(pair.tick(START + 2 * HOUR)) == [("exited", "bought")]


def test_enter_when_every_looks_once_per_period_and_records_nobody() -> None:
    enter = "enter when customer.points >= 10 every 6h"
    with both(program("w: wait 1h", "reenter after 1d", enter=enter), START) as pair:
        people(pair, 1)
        pair.tick(START)
        people(pair, 2)
        pair.tick(START + 3 * HOUR)
        look = pair.tick(START + 4 * HOUR)
        assert sorted((row[0], row[3]) for row in look["runs"]) == [
            (1, START),
            (2, START + 4 * HOUR),
        ]
        assert look["decisions"] == []


@pytest.mark.parametrize(("before", "number"), [(MINUTE, 1), (0 * MINUTE, 0)])
def test_nobody_enters_from_the_end_on(before: timedelta, number: int) -> None:
    headers = ("runs from 2026-03-01 until 2026-03-03",)
    text = program("w: wait 30d", *headers, enter="enter when customer.points > 0")
    with both(text, START) as pair:
        people(pair, 1)
        look = pair.tick(instant("2026-03-04T00:00") - before)
        assert len(look["runs"]) == number
