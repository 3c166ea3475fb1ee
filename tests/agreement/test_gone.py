"""Who is no longer in `customers` leaves at the next tick, in both forms."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.agreement.both import Both, Look, both
from tests.agreement.prelude import record
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    goes,
    happens,
    journey,
    people,
    person,
    program,
    project,
)

LATER = START + 2 * HOUR


@pytest.mark.parametrize("headers", [(), ("exit when customer.points = 11",)])
def test_at_the_next_tick(headers: tuple[str, ...]) -> None:
    with both(program("w: wait 1d", *headers), START) as pair:
        people(pair, 1, 2)
        for n in (1, 2):
            happens(pair, "signed_up", START + MINUTE, n)
        pair.tick(START + HOUR)
        goes(pair, 2)
        look = pair.tick(LATER)
        assert {r[0]: r[4] for r in look["runs"]} == {1: "active", 2: "gone"}
        assert {r[6] for r in look["runs"] if r[0] == 2} == {LATER}
        assert {r[4] for r in pair.tick(START + 2 * DAY)["runs"]} == {"finished", "gone"}


@pytest.mark.parametrize(
    ("steps", "hours"),
    [
        ("w: wait 1h", 3),
        ('w: wait 1h\nm: send email "t"', 3),
        ("r: wait for ordered where not (customer.points > 5) up to 30d", 2),
        ("u: wait until not (customer.points > 100) up to 1d", 2),
        ("u: wait until not (customer.points > 100) up to 1d", 30),
    ],
    ids=["wait", "send", "race", "state", "state late"],
)
@pytest.mark.parametrize("headers", [(), ("exit when not (customer.points > 5)",)])
def test_before_anything_moves_them(steps: str, hours: int, headers: tuple[str, ...]) -> None:
    """Everything about them is unknown, so that `not` of it holds; and no exit is theirs."""
    with both(program(steps, *headers), START) as pair:
        enters(pair, points=500)
        goes(pair, 1)
        happens(pair, "ordered", START + HOUR + MINUTE)
        look = pair.tick(START + hours * HOUR)
        assert (ends(look), look["messages"]) == ([("gone", "gone")], [])
        assert look["runs"][0][6] == START + hours * HOUR


def test_whoever_is_taken_out_by_only_where() -> None:
    with both(program("w: wait 1d"), START) as pair:
        enters(pair)
        pair.put("crm.customers", [person(1, deleted=START), person(2)])
        assert ends(pair.tick(LATER)) == [("gone", "gone")]


def test_as_many_have_come() -> None:
    with both(program("w: wait 1d"), START) as pair:
        people(pair, 1, 2, 3)
        happens(pair, "signed_up", START + MINUTE, 2)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [person(1), person(3), person(4)])
        assert ends(pair.tick(LATER)) == [("gone", "gone")]


def test_who_comes_back_meanwhile_was_never_gone() -> None:
    with both(program("w: wait 1d"), START) as pair:
        enters(pair)
        goes(pair, 1)
        pair.put("crm.customers", [person(1)])
        assert ends(pair.tick(LATER)) == [("active", None)]


def test_who_comes_back_begins_anew() -> None:
    with both(program("w: wait 10d", "reenter after 1d"), START) as pair:
        enters(pair)
        goes(pair, 1)
        pair.tick(LATER)
        pair.put("crm.customers", [person(1)])
        happens(pair, "signed_up", START + 2 * DAY)
        look = pair.tick(START + 2 * DAY + MINUTE)
        assert ends(look) == [("gone", "gone"), ("active", None)]


def test_an_empty_table_is_one_that_is_being_loaded() -> None:
    with both(program("w: wait 1d"), START) as pair:
        enters(pair)
        there = list(pair.tables.rows["crm.customers"])
        pair.put("crm.customers", [])
        assert ends(pair.tick(LATER)) == [("active", None)]
        pair.put("crm.customers", there)
        assert ends(pair.tick(LATER + MINUTE)) == [("active", None)]


def test_of_a_paused_journey() -> None:
    with both(program("w: wait 1d"), START) as pair:
        enters(pair)
        pair.pause("j")
        goes(pair, 1)
        assert ends(pair.tick(LATER)) == [("gone", "gone")]


def test_of_all_journeys_and_versions_at_once() -> None:
    second = journey("k", "w: wait 2d", "exit when customer.points > 900", "upgrade pin")
    text = project(journey("j", "w: wait 1d"), second)
    with both(text, START) as pair:
        enters(pair)
        assert pair.apply(text.replace("wait 2d", "wait 5d"), START + HOUR + MINUTE)
        _enters_again(pair)
        goes(pair, 1)
        assert set(ends(pair.tick(LATER))) == {("gone", "gone")}


def _enters_again(pair: Both) -> None:
    people(pair, 2)
    happens(pair, "signed_up", START + HOUR + 2 * MINUTE, 2)
    pair.tick(START + HOUR + 3 * MINUTE)
    goes(pair, 2)


def test_nobody_was_on_the_way_when_the_first_went() -> None:
    with both(program("w: wait 1d"), START) as pair:
        people(pair, 1, 2)
        pair.tick(START)
        goes(pair, 2)
        pair.tick(START + MINUTE)
        happens(pair, "signed_up", START + 2 * MINUTE, 1)
        happens(pair, "signed_up", START + 2 * MINUTE, 2)
        assert len(pair.tick(START + timedelta(minutes=3))["runs"]) == 1
        goes(pair, 1)
        assert ends(pair.tick(START + timedelta(minutes=4))) == [("gone", "gone")]


MANY = range(1, 131)


ALL = range(1, 301)


def _many_enter(pair: Both, numbers: range = MANY) -> None:
    pair.add("crm.customers", *(person(n) for n in numbers))
    pair.add(
        "shop.signups",
        *(record("shop.signups", id=n, customer_id=n, at=START + MINUTE) for n in numbers),
    )
    pair.tick(START + HOUR)


def _statuses(look: Look) -> dict[str, int]:
    return dict(Counter(status for status, _ in ends(look)))


def test_a_table_that_is_being_loaded_anew_lacks_too_many() -> None:
    """Seen with 20, then with 29 and then with all but 6 of 130: only those 6 leave."""
    with both(program("w: wait 1d\nm: wait 5d"), START) as pair:
        _many_enter(pair)
        for hours, there in ((2, 20), (3, 29)):
            pair.put("crm.customers", [person(n) for n in range(1, there + 1)])
            assert _statuses(pair.tick(START + hours * HOUR)) == {"active": 130}
        pair.put("crm.customers", [person(n) for n in range(1, 125)])
        assert _statuses(pair.tick(START + 4 * HOUR)) == {"active": 130}
        assert _statuses(pair.tick(START + 5 * HOUR)) == {"active": 124, "gone": 6}


def test_of_what_was_being_loaded_as_many_are_missing_twice_before_they_leave() -> None:
    with both(program("w: wait 1d"), START) as pair:
        _many_enter(pair, ALL)
        for minutes, there in ((1, 50), (2, 140), (3, 170), (4, 170), (5, 170)):
            pair.put("crm.customers", [person(n) for n in range(1, there + 1)])
            look = pair.tick(START + 2 * HOUR + minutes * MINUTE)
            gone = {"active": 170, "gone": 130} if minutes >= 4 else {"active": 300}
            assert _statuses(look) == gone, minutes


def test_what_happens_meanwhile_is_made_up_for() -> None:
    """An event in time, an exit: the tick behind the load does what those before it would have."""
    steps = "r: wait for ordered up to 1d { on ordered { a: wait 9d } timeout { b: wait 9d } }"
    with both(program(steps, "exit when customer.points > 900"), START) as pair:
        _many_enter(pair)
        pair.put("crm.customers", [person(n) for n in range(1, 11)])
        for n in (50, 60):
            happens(pair, "ordered", START + 3 * HOUR, n)
        for hours in (3, 26):
            assert _statuses(pair.tick(START + hours * HOUR)) == {"active": 130}
        pair.put("crm.customers", [person(n, points=1_000 * (n == 3)) for n in MANY])
        look = pair.tick(START + 27 * HOUR)
        assert _statuses(look) == {"active": 129, "exited": 1}
        assert Counter(r[5] for r in look["runs"]) == {"r/a": 2, "r/b": 127, None: 1}


def test_a_hundred_of_many_leave_at_once() -> None:
    with both(program("w: wait 1d"), START) as pair:
        _many_enter(pair)
        pair.put("crm.customers", [person(n) for n in range(1, 31)])
        assert _statuses(pair.tick(START + 2 * HOUR)) == {"active": 30, "gone": 100}


@pytest.mark.parametrize("there", [0, 20])
def test_nobody_moves_meanwhile(there: int) -> None:
    """Not even by a wait that is over, nor by an event, nor who is there."""
    steps = "r: wait for ordered up to 1d\nm: wait 5d"
    with both(program(steps, "exit when customer.points > 900"), START) as pair:
        _many_enter(pair)
        pair.put("crm.customers", [person(n, points=1_000 * (n == 3)) for n in range(1, there + 1)])
        for n in (2, 50):
            happens(pair, "ordered", START + 26 * HOUR, n)
        look = pair.tick(START + 26 * HOUR)
        assert _statuses(look) == {"active": 130}
        assert len([r for r in look["runs"] if r[5] == "r"]) == 130
        pair.put("crm.customers", [person(n) for n in MANY])
        look = pair.tick(START + 26 * HOUR + MINUTE)
        assert _statuses(look) == {"active": 130}
        assert not [r for r in look["runs"] if r[5] == "r"]
