"""Guards on what a journey brings, in both forms."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program
from tests.agreement.test_guards import pauses

MAIL = 'hello: send email "t"\nw: wait 60d'
GOAL = "goal ordered within 2d worth total"
NOW = START + HOUR


def arrive(pair: Both, numbers: range) -> None:
    people(pair, *numbers, mobile="+49")
    for number in numbers:
        happens(pair, "signed_up", NOW - MINUTE, number)


def orders(pair: Both, *customers: int, total: str | None = "20.00", hours: int = 2) -> None:
    amount = None if total is None else Decimal(total)
    for customer in customers:
        happens(pair, "ordered", NOW + hours * HOUR, customer, total=amount)


def broken(pair: Both) -> list[object]:
    """What the guards say that have paused the journey."""
    return [detail for _, _, detail in pauses(pair)]


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        ("orders <= 4", "guard orders <= 4: 5"),
        ("orders <= 5", None),
        ("leads <= 2", "guard leads <= 2: 3"),
        ("leads <= 3", None),
        ("revenue < 80 EUR", "guard revenue < 80 EUR: 80"),
        ("revenue <= 80 EUR over 7d", None),
    ],
)
def test_orders_are_events_and_leads_are_people(guard: str, says: str | None) -> None:
    with both(program(MAIL, GOAL, f"guard {guard}"), START) as pair:
        arrive(pair, range(1, 5))
        orders(pair, 9, hours=-2)
        pair.tick(NOW)
        orders(pair, 1, 1, 2)
        orders(pair, 3, total=None)
        orders(pair, 3, hours=3)
        # Too late, too early, somebody else's, and one that is still to come.
        orders(pair, 4, hours=60)
        orders(pair, 4, hours=-3)
        orders(pair, 8)
        pair.tick(NOW + 4 * HOUR)
        assert broken(pair) == ([says] if says else [])


def test_the_window_begins_behind_the_entry_and_includes_its_end() -> None:
    with both(program(MAIL, GOAL, "guard orders < 1"), START) as pair:
        arrive(pair, range(1, 2))
        happens(pair, "ordered", NOW - MINUTE, 1)
        pair.tick(NOW)
        happens(pair, "ordered", NOW + 2 * DAY, 1)
        pair.tick(NOW + 3 * DAY)
        assert broken(pair) == []
        happens(pair, "ordered", NOW - MINUTE + 2 * DAY, 1)
        pair.tick(NOW + 3 * DAY + HOUR)
        assert broken(pair) == ["guard orders < 1: 1"]


def test_an_order_within_the_time_of_two_runs_counts_once() -> None:
    text = program(MAIL, GOAL, "guard orders < 2", enter="enter on signed_up per score")
    with both(text, START) as pair:
        people(pair, 1)
        for score in (1, 2):
            happens(pair, "signed_up", NOW - score * MINUTE, score=score)
        assert len(pair.tick(NOW)["runs"]) == 2
        orders(pair, 1)
        pair.tick(NOW + 4 * HOUR)
        assert broken(pair) == []


def test_only_what_happened_in_its_window_counts() -> None:
    with both(program(MAIL, GOAL, "guard orders < 2 over 6h"), START) as pair:
        arrive(pair, range(1, 3))
        pair.tick(NOW)
        orders(pair, 1, hours=1)
        orders(pair, 2, hours=7)
        pair.tick(NOW + 7 * HOUR)
        assert broken(pair) == []
        orders(pair, 2, hours=6)
        pair.tick(NOW + 7 * HOUR + MINUTE)
        assert broken(pair) == ["guard orders < 2 over 6h: 2"]


def test_what_has_to_be_so_much_is_judged_when_its_time_has_come() -> None:
    with both(program(MAIL, GOAL, "guard orders >= 1 over 1d"), START) as pair:
        for hours in (1, 23):
            pair.tick(START + hours * HOUR)
        assert broken(pair) == []
        pair.tick(START + 24 * HOUR)
        assert broken(pair) == ["guard orders >= 1 over 1d: 0"]
        pair.resume("j")
        for hours in (25, 47):
            pair.tick(START + hours * HOUR)
        assert len(broken(pair)) == 1
        pair.tick(START + 48 * HOUR)
        assert len(broken(pair)) == 2


def test_revenue_is_of_value_where_the_goal_has_no_worth() -> None:
    value = "value { revenue: ordered.total }"
    goal = "goal ordered where items > 1 within 2d"
    text = f"{program(MAIL, goal, 'guard revenue < 50 EUR')}\n{value}"
    with both(text, START) as pair:
        arrive(pair, range(1, 3))
        pair.tick(NOW)
        # Of the goal's own event, what counts as the goal.
        orders(pair, 1, total="90.00")
        happens(pair, "ordered", NOW + HOUR, 2, total=Decimal("30.00"), items=2)
        pair.tick(NOW + 3 * HOUR)
        assert broken(pair) == []
        happens(pair, "ordered", NOW + 3 * HOUR, 2, total=Decimal("20.00"), items=2)
        pair.tick(NOW + 4 * HOUR)
        assert broken(pair) == ["guard revenue < 50 EUR: 50"]


@pytest.mark.parametrize(
    ("count", "converted", "says"),
    [
        (199, 0, None),
        (200, 3, "guard conversion >= 2%: 3 of 200 customers"),
        (200, 4, None),
    ],
)
def test_conversion_is_of_customers_whose_time_is_over(
    count: int, converted: int, says: str | None
) -> None:
    text = program(MAIL, "goal ordered within 2d", "guard conversion >= 2%")
    with both(text, START) as pair:
        arrive(pair, range(1, count + 1))
        pair.tick(NOW)
        orders(pair, *range(1, converted + 1), 1)
        pair.tick(NOW + 2 * DAY - 2 * MINUTE)
        assert broken(pair) == []
        pair.tick(NOW + 2 * DAY)
        assert broken(pair) == ([says] if says else [])


def test_who_is_held_out_does_not_count() -> None:
    headers = ("goal ordered within 2d", "guard conversion < 50%", 'holdout 50% salt "h"')
    with both(program(MAIL, *headers), START) as pair:
        arrive(pair, range(1, 301))
        look = pair.tick(NOW)
        held = [row[0] for row in look["runs"] if row[4] == "held_out"]
        assert 100 < len(held) < 200
        orders(pair, *range(1, 301))
        pair.tick(NOW + 2 * DAY)
        # Fewer than 200 are left.
        assert broken(pair) == []


def test_roi_is_what_is_left_of_the_revenue_for_each_cent_of_the_messages() -> None:
    steps = 'hello: send sms "t"\nw: wait 60d'
    for roi, holds in (("1.0", True), ("1.01", False)):
        text = program(steps, GOAL, f"guard roi >= {roi}")
        with both(text, START) as pair:
            arrive(pair, range(1, 202))
            pair.tick(NOW)
            pair.give_back(200)
            # 12 EUR of messages, 24 EUR of orders.
            orders(pair, 1, total="24.00")
            pair.tick(NOW + 2 * DAY)
            assert broken(pair) == ([] if holds else ["guard roi >= 1.01: 1.0000"])


def test_goods_are_taken_off() -> None:
    steps = 'hello: send sms "t"\nw: wait 60d'
    value = "value { revenue: ordered.total goods: ordered.total }"
    text = f"{program(steps, 'goal ordered within 2d', 'guard roi > -1')}\n{value}"
    with both(text, START) as pair:
        arrive(pair, range(1, 201))
        pair.tick(NOW)
        orders(pair, 1, 2, 3)
        pair.tick(NOW + 2 * DAY)
        assert broken(pair) == ["guard roi > -1: -1.0000"]


def test_a_goal_may_ask_of_the_run_and_of_all_customers() -> None:
    goal = "goal ordered where items = entry.score and top 50% by customer.points within 2d"
    text = program(MAIL, goal, "guard orders < 1")
    with both(text, START) as pair:
        people(pair, 1, 2, points=3)
        people(pair, 3, 4, points=5)
        for number in (1, 3, 4):
            happens(pair, "signed_up", NOW - MINUTE, number, score=7)
        pair.tick(NOW)
        happens(pair, "ordered", NOW + HOUR, 1, items=7)
        happens(pair, "ordered", NOW + HOUR, 3, items=6)
        pair.tick(NOW + 2 * HOUR)
        assert broken(pair) == []
        happens(pair, "ordered", NOW + HOUR, 4, items=7)
        pair.tick(NOW + 3 * HOUR)
        assert broken(pair) == ["guard orders < 1: 1"]
