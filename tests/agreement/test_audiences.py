"""Who somebody is among all customers, how old, and what an event's `where` asks of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.agreement.audiences import SELECTED
from tests.agreement.both import both
from tests.agreement.prelude import instant
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    happens,
    journey,
    people,
    person,
    program,
    project,
    refusals,
)


def entered(text: str, *, start: str = "2026-03-02T08:00") -> set[int]:
    """Customers who enter a program's journey, of five: 1 has no points, 2 and 3 as many."""
    now = instant(start)
    with both(text, now) as pair:
        for number, points in ((1, None), (2, 30), (3, 30), (4, 20), (5, 10)):
            people(pair, number, points=points)
        return {row[0] for row in pair.tick(now + HOUR)["runs"]}


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        # The first ceil(P * n / 100) of the four whose points are known; ties by key.
        ("top 25% by customer.points", {2}),
        ("top 25.01% by customer.points", {2, 3}),
        ("top 0.01% by customer.points", {2}),
        ("top 50% by customer.points", {2, 3}),
        ("top 75% by customer.points", {2, 3, 4}),
        ("top 100% by customer.points", {2, 3, 4, 5}),
        ("not (top 100% by customer.points)", {1}),
        ("top 50% by (0 - customer.points)", {4, 5}),
        ("tile 2 by customer.points = 2", {2, 3}),
        ("tile 2 by customer.points = 1", {4, 5}),
        # Fewer customers than tiles: the highest is in the last tile all the same.
        ("tile 5 by customer.points = 5", {2}),
        ("tile 5 by customer.points <= 3", {4, 5}),
        ("tile 5 by customer.points is unknown", {1}),
        # A tenth of three quarters: a ranking by what rests on another one.
        ("tile 3 by (tile 4 by customer.points) = 3", {2, 3}),
        ("top 20% by count(ordered)", {1}),
    ],
)
def test_rankings_are_over_all_customers(condition: str, who: set[int]) -> None:
    assert entered(program("w: wait 1h", enter=f"enter when {condition}")) == who


def test_a_ranking_does_not_move_within_a_tick() -> None:
    """Messages of this tick count in the next one's ranking."""
    rank = "if top 50% by count(sent) { b: wait 2d } else { c: wait 1d }"
    with both(program(f'm: send email "t"\n{rank}', enter="enter when true"), START) as pair:
        people(pair, 1, 2)
        steps = {row[0]: row[5] for row in pair.tick(START + HOUR)["runs"]}
        assert steps == {1: "b", 2: "c"}


@pytest.mark.parametrize(
    ("born", "now", "years"),
    [
        ("2000-03-02", "2026-03-01T22:00", 25),
        ("2000-03-02", "2026-03-01T23:30", 26),
        ("2000-02-29", "2026-02-28T12:00", 25),
        ("2000-02-29", "2026-03-01T12:00", 26),
        ("2000-02-29", "2028-02-28T12:00", 27),
        ("2000-02-29", "2028-02-29T12:00", 28),
        ("2026-03-02", "2026-03-02T12:00", 0),
        ("2026-03-03", "2026-03-02T12:00", None),
    ],
)
def test_age_is_counted_on_the_customers_own_date(born: str, now: str, years: int | None) -> None:
    told = "is unknown" if years is None else f"= {years}"
    text = program("w: wait 1h", enter=f"enter when age(customer.born) {told}")
    with both(text, instant(now) - DAY) as pair:
        people(pair, 1, tz="Europe/Berlin", born=date.fromisoformat(born))
        assert len(pair.tick(instant(now))["runs"]) == 1


def test_somebody_comes_of_age_while_they_wait() -> None:
    text = program("w: wait 10d", "exit when age(customer.born) >= 18 as adult")
    with both(text, START) as pair:
        people(pair, 1, tz="America/New_York", born=date(2008, 3, 5))
        happens(pair, "signed_up", START + MINUTE)
        assert ends(pair.tick(START + HOUR)) == [("active", None)]
        assert ends(pair.tick(instant("2026-03-05T04:59"))) == [("active", None)]
        assert ends(pair.tick(instant("2026-03-05T05:00"))) == [("exited", "adult")]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('most(visited.page) = "b"', True),
        ("most(visited.weight) = 0.5", True),
        ("most(visited.weight within 10m) is unknown", True),
        ("most(ordered.items where total > avg(ordered.total)) = 1", True),
        ("count(ordered where total > avg(ordered.total)) = 1", True),
        ("count(ordered where total < avg(ordered.total) and exists(visited)) = 2", True),
        ("exists(ordered where total > sum(ordered.total))", False),
        ("count(ordered where in segment spends and items = 1) = 1", True),
        ("sum(ordered.items where total < spent) = 6", True),
        ("count(ordered where age(due) = 30) = 1", True),
        ("count(visited since last(ordered where total = max(ordered.total))) = 3", True),
        ("count(ordered where top 50% by spent) = 3", True),
    ],
)
def test_where_asks_the_customer_too(condition: str, holds: bool) -> None:
    steps, exit_when = "w: wait 1h", f"exit when {condition} as held"
    text = project(
        journey("j", steps, exit_when),
        "metric spent = sum(ordered.total)",
        "segment spends = spent > 10 EUR",
    )
    with both(text, START) as pair:
        people(pair, 1, 2)
        happens(pair, "signed_up", START + MINUTE)
        for minute, (total, items) in enumerate((("9", 1), ("2", 2), ("1", 3))):
            happens(
                pair,
                "ordered",
                START + minute * MINUTE,
                total=Decimal(total),
                items=items,
                due=date(1996, 1, 1) if items == 1 else None,
            )
        for minute, (page, weight) in enumerate((("c", 0.5), ("b", None), ("b", 0.5), ("c", 2.0))):
            happens(pair, "visited", START + minute * MINUTE, page=page, weight=weight)
        look = pair.tick(START + HOUR)
        assert ends(look) == [("exited", "held") if holds else ("active", None)]


def test_entries_and_races_ask_the_customer_too() -> None:
    text = project(
        journey(
            "j",
            "w: wait for visited where weight > avg(visited.weight) up to 2d {\n"
            "  on visited { exit as more }\n}",
            enter="enter on signed_up where count(ordered where total > 5 EUR) > 1",
        ),
    )
    with both(text, START) as pair:
        people(pair, 1, 2)
        for who, totals in ((1, ("6", "7")), (2, ("6", "5"))):
            for total in totals:
                happens(pair, "ordered", START, who, total=Decimal(total))
            happens(pair, "signed_up", START + MINUTE, who)
        look = pair.tick(START + HOUR)
        assert [row[0] for row in look["runs"]] == [1]
        assert refusals(look) == []
        happens(pair, "visited", START + 2 * HOUR, 1, weight=2.0)
        assert ends(pair.tick(START + 2 * HOUR)) == [("active", None)]
        happens(pair, "visited", START + 3 * HOUR, 1, weight=3.0)
        assert ends(pair.tick(START + 3 * HOUR)) == [("finished", "more")]


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ('customer in list "lists/keys.csv"', {1, 3}),
        ('in list "lists/mails.csv"', {2}),
        ('customer not in list "lists/mails.csv"', {1, 3, 4}),
        ('in list "lists/phones.csv"', {3, 4}),
        ('count(ordered where in list "lists/keys.csv") = 1', {1}),
    ],
)
def test_lists_tell_people_by_key_address_or_number(condition: str, who: set[int]) -> None:
    with both(program("w: wait 1h", enter=f"enter when {condition}"), START) as pair:
        people(pair, 1, email=None)
        people(pair, 2, email=" a@X.example")
        people(pair, 3, mobile="00 49")
        people(pair, 4, mobile="+49", email="")
        happens(pair, "ordered", START, 1)
        happens(pair, "ordered", START, 2)
        assert {row[0] for row in pair.tick(START + HOUR)["runs"]} == who


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        (SELECTED[0], {1}),
        (f"not {SELECTED[0]}", {2}),
        (SELECTED[1], {2}),
        ('customer.shout = "DE!"', {1, 2}),
        (
            f"exists(ordered where total > 5 EUR and {SELECTED[0]})",
            {1},
        ),
    ],
)
def test_sql_tells_people(condition: str, who: set[int]) -> None:
    with both(program("w: wait 1h", enter=f"enter when {condition}"), START) as pair:
        people(pair, 1, 2, country="de")
        happens(pair, "ordered", START, 1, total=Decimal(6))
        happens(pair, "ordered", START, 2, total=Decimal(4))
        happens(pair, "visited", START, 2)
        assert {row[0] for row in pair.tick(START + HOUR)["runs"]} == who


FAIR = """prospects fair from list "lists/fair.csv" {
  key email
  consent email_ok when row.agreed = "yes" at row.day source row.source expires 10d
}"""


@pytest.mark.parametrize(
    ("now", "reached"),
    [
        # Those who have agreed by then, for ten days from then on.
        ("2026-02-27T00:00", {1, 2}),
        ("2026-03-02T08:00", {1}),
        ("2026-03-10T00:00", {1, 5}),
        ("2026-03-11T11:59", {1, 2, 5}),
        ("2026-03-11T12:00", {2, 5}),
    ],
)
def test_people_on_a_collected_list_have_agreed_to_something(now: str, reached: set[int]) -> None:
    text = project(journey("j", 'm: send email "t" else skip', enter="enter when true"), FAIR)
    with both(text, instant(now) - DAY) as pair:
        people(pair, 2, email="b@x.example")
        for number, letter in ((1, "a"), (3, "c"), (4, "d"), (5, "e")):
            pair.add("crm.customers", person(number, email=f"{letter}@X.example"))
        assert {row[0] for row in pair.tick(instant(now))["messages"]} == reached


def test_joining_asks_who_is_at_the_top_when_it_is_applied_too() -> None:
    text = project(
        journey("j", "w: wait 1h", enter="enter when joins best"),
        "segment best = top 50% by customer.points and not (age(customer.born) < 18)",
    )
    rows = {"crm.customers": [person(1, points=9), person(2, points=5)]}
    with both(text, START, rows) as pair:
        assert pair.tick(START + HOUR)["runs"] == []
        pair.put("crm.customers", [person(1, points=9), person(2, points=10)])
        assert [row[0] for row in pair.tick(START + 2 * HOUR)["runs"]] == [2]
