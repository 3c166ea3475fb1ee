"""For how many of those who stand in line is there enough, and when again?"""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    happens,
    journey,
    people,
    program,
    project,
    refusals,
    sent,
)

SMS = 'ring: send sms "t"'
NOW = START + HOUR
Look = dict[str, list[tuple[object, ...]]]


def crowd(pair: Both, count: int, now: datetime = NOW, **values: object) -> Look:
    """Customers 1, 2, … come in that order; each can be reached by e-mail and SMS."""
    people(pair, *range(1, count + 1), **({"mobile": "+49"} | values))
    for number in range(1, count + 1):
        happens(pair, "signed_up", now - (count + 1 - number) * MINUTE, number)
    return pair.tick(now)


def reached(look: Look) -> list[tuple[object, object]]:
    return sorted((row[0], row[4]) for row in look["messages"])


def held(look: Look) -> list[tuple[object, ...]]:
    return sorted((r[0], *r[7:9]) for r in look["runs"] if r[4] == "active")


def test_a_budget_lets_through_as_many_as_fit() -> None:
    with both(program(SMS, policy="budget sms 0.15 EUR per 30d then skip"), START) as pair:
        look = crowd(pair, 4)
        assert reached(look) == [(1, "sms"), (2, "sms")]
        assert refusals(look) == ["budget", "budget"]


def test_a_budget_is_free_again_when_its_oldest_charge_leaves() -> None:
    with both(program(SMS, policy="budget sms 0.12 EUR per 2d"), START) as pair:
        look = crowd(pair, 3)
        assert held(look) == [(3, NOW + 2 * DAY, "budget")]
        assert reached(pair.tick(NOW + 2 * DAY - MINUTE)) == [(1, "sms"), (2, "sms")]
        assert len(reached(pair.tick(NOW + 2 * DAY))) == 3


def test_a_budget_for_all_time_is_not_waited_for() -> None:
    for own in ("", " else hold 1d"):
        with both(program(SMS + own, "budget 0.06 EUR"), START) as pair:
            assert refusals(crowd(pair, 2)) == ["budget"]


def test_what_is_given_back_is_free_again() -> None:
    with both(program(SMS, "budget 0.06 EUR", "reenter always"), START) as pair:
        crowd(pair, 1)
        pair.give_back(0)
        happens(pair, "signed_up", NOW + MINUTE, 1)
        assert len(reached(pair.tick(NOW + HOUR))) == 2


def test_parts_are_charged_as_they_go_out() -> None:
    """As of the decision: one part stands for those that nobody knows of yet."""
    policy = "budget sms 0.25 EUR per 2d then skip capacity sms 3 per 2d then skip"
    with both(program(SMS, "guard cost < 0.31 EUR", policy=policy), START) as pair:
        assert reached(crowd(pair, 2)) == [(1, "sms"), (2, "sms")]
        pair.goes_in(0, 3)
        pair.goes_in(0, 3)
        people(pair, 3, mobile="+49")
        happens(pair, "signed_up", NOW + MINUTE, 3)
        assert refusals(pair.tick(NOW + HOUR)) == ["budget"]
        # Tried again, and shorter by then.
        pair.goes_in(0, 2)
        people(pair, 4, mobile="+49")
        happens(pair, "signed_up", NOW + HOUR + MINUTE, 4)
        assert len(reached(pair.tick(NOW + 2 * HOUR))) == 3
        paused = "SELECT cause FROM journey.pause"
        assert pair.engine.query(paused) == []
        pair.goes_in(2, 3)
        pair.tick(NOW + 3 * HOUR)
        assert pair.engine.query(paused) == [("guard",)]


def test_parts_that_use_up_a_wide_budget_are_seen() -> None:
    """What a tick has charged is known to the next one, and is not all that has been taken."""
    with both(program(SMS, policy="budget sms 0.60 EUR per 2d then skip"), START) as pair:
        assert len(reached(crowd(pair, 2))) == 2
        pair.goes_in(0, 9)
        people(pair, 3, mobile="+49")
        happens(pair, "signed_up", NOW + MINUTE, 3)
        assert refusals(pair.tick(NOW + HOUR)) == ["budget"]


def test_what_parts_have_cost_is_heard_of() -> None:
    """Though the tick that decided lies behind, and the customer has no other news."""
    exits = "exit when sum(sent.cost) > 0.1 EUR as dear"
    with both(program(f"{SMS}\nw: wait 9d", exits), START) as pair:
        crowd(pair, 2)
        pair.tick(NOW + HOUR)
        pair.tick(NOW + 2 * HOUR)
        pair.goes_in(1, 2)
        look = pair.tick(NOW + 3 * HOUR)
        assert sorted((r[0], r[4]) for r in look["runs"]) == [(1, "active"), (2, "exited")]


def test_the_first_that_does_not_fit_closes_the_budget_for_all_behind() -> None:
    text = project(
        journey("a", 'mail: send email "t"', "priority 1"),
        journey("b", SMS, "priority 5"),
        journey("c", 'post: send email "t"'),
        policy="budget any 0.0608 EUR per 30d then skip",
    )
    with both(text, START) as pair:
        people(pair, 1, 2, mobile="+49")
        happens(pair, "signed_up", NOW - MINUTE, 1)
        happens(pair, "signed_up", NOW, 2)
        look = pair.tick(NOW)
        # Rank 1 is the SMS of both: the second of them does not fit. In ranks 2 and 3 there is
        # enough for two e-mails.
        assert sorted(str(m[0]) for m in sent(look)) == ["mail", "mail", "ring"]
        assert refusals(look) == ["budget"] * 3


def test_the_next_channel_is_tried_when_there_is_not_enough_for_the_first() -> None:
    steps = 'hello: send first of { sms "t" email "t" }'
    with both(program(steps, policy="budget sms 0.06 EUR per 30d"), START) as pair:
        assert reached(crowd(pair, 3)) == [(1, "sms"), (2, "email"), (3, "email")]


def test_who_is_stopped_otherwise_takes_nothing() -> None:
    policy = "budget sms 0.06 EUR per 30d then skip"
    with both(program(SMS, policy=policy), START) as pair:
        people(pair, 1, mobile=None)
        people(pair, 2, 3, mobile="+49")
        for number in (1, 2, 3):
            happens(pair, "signed_up", NOW - (4 - number) * MINUTE, number)
        look = pair.tick(NOW)
        assert reached(look) == [(2, "sms")]
        assert refusals(look) == ["budget", "no_address"]


def test_what_one_budget_stops_takes_nothing_from_another() -> None:
    text = project(
        journey("a", SMS, "priority 5", "budget 0.06 EUR"),
        journey("b", 'call: send sms "t"', enter="enter on ordered"),
        policy="budget sms 0.12 EUR per 30d then skip",
    )
    with both(text, START) as pair:
        people(pair, 1, 2, 3, mobile="+49")
        happens(pair, "signed_up", NOW - MINUTE, 1)
        happens(pair, "signed_up", NOW - MINUTE, 2)
        happens(pair, "ordered", NOW - MINUTE, 3)
        look = pair.tick(NOW)
        assert reached(look) == [(1, "sms"), (3, "sms")]


@pytest.mark.parametrize(("then", "until"), [("", True), (" then skip", False)])
def test_a_capacity_is_by_priority_and_by_the_projects_day(then: str, until: bool) -> None:
    text = project(
        journey("a", 'one: send email "t"'),
        journey("b", 'two: send email "t"', "priority 5", enter="enter on ordered"),
        policy=f"capacity email 2 per day{then}",
    )
    with both(text, START) as pair:
        people(pair, 1, 2, 3, tz="Asia/Kathmandu")
        for number in (1, 2):
            happens(pair, "signed_up", NOW - MINUTE, number)
        happens(pair, "ordered", NOW, 3)
        look = pair.tick(NOW)
        assert reached(look) == [(1, "email"), (3, "email")]
        # Midnight in Berlin, the zone behind the binding's `else`.
        midnight = START.replace(hour=23)
        assert held(look) == ([(2, midnight, "capacity")] if until else [])
        assert refusals(look) == ([] if until else ["capacity"])


def test_a_budget_comes_before_quiet_hours_as_a_reason() -> None:
    policy = "budget sms 0.06 EUR per 1d quiet sms 08:00 to 10:00"
    with both(program(SMS, policy=policy), START) as pair:
        look = crowd(pair, 2)
        assert held(look) == [(1, START + 2 * HOUR, "quiet"), (2, START + 2 * HOUR, "quiet")]
        look = pair.tick(START + 2 * HOUR)
        assert held(look) == [(2, START + 2 * HOUR + DAY, "budget")]


def test_service_is_charged_and_transactional_is_not_asked() -> None:
    text = project(
        journey("a", SMS, "purpose service"),
        journey("b", 'bill: send sms "t"', 'purpose transactional "a booking"'),
        policy="budget sms 0.06 EUR per 30d then skip",
    )
    with both(text, START) as pair:
        look = crowd(pair, 2)
        assert sorted(str(m[0]) for m in sent(look)) == ["bill", "bill", "ring"]


def test_windows_of_one_budget_hold_together() -> None:
    policy = "budget sms 0.06 EUR per 1d budget sms 0.12 EUR per 7d then skip"
    with both(program(SMS, policy=policy), START) as pair:
        crowd(pair, 3)
        look = pair.tick(NOW + DAY)
        assert reached(look) == [(1, "sms"), (2, "sms")]
        assert refusals(look) == ["budget"]


def test_figures_say_what_was_used() -> None:
    with both(program(SMS, policy="budget sms 0.06 EUR per 30d then skip"), START) as pair:
        crowd(pair, 2)
        figures = pair.engine.query("SELECT figures FROM journey.non_sends")[0][0]
        assert "policy p: budget sms 0.06 EUR per 30d: 0.06" in figures
