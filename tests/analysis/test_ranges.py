"""Contradictions are found through everything that a condition may be made of, and never invented.

What is said is checked against the reference interpreter: of generated conditions that are called
contradictory, none may be true in any of many generated worlds.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylang.analysis.ranges import Effort, Fact, contradictory, implies
from journeylang.model.expressions import All, Either, EventSource, Expression, Negated
from journeylang.model.project import Project
from journeylang.source import Span
from tests.analysis.project import checked, project
from tests.oracle.facts import Customer, Happening
from tests.oracle.values import Evaluator, Subject

NAMED = """
metric spend = sum(order_placed.total)
metric spend_year = sum(order_placed.total within 365d)
metric doubled = spend_year * 2
segment vip = spend_year >= 500 EUR
segment buyer = exists(order_placed)
segment german = customer.country = "DE"
segment loyal = customer in segment vip and count(order_placed) >= 5
"""


def found(text: str) -> tuple[str, ...] | None:
    """The parts of a condition that exclude each other, as written."""
    source = f"{NAMED} segment it = {text}"
    made = project(source)
    facts = contradictory([Fact(condition=made.segments["it"].condition)], made)
    if facts is None:
        return None
    return tuple(source[f.condition.span.start : f.condition.span.end] for f in facts)


@pytest.mark.parametrize(
    "text",
    [
        # One attribute.
        "customer.points > 5 and customer.points < 3",
        "customer.points >= 5 and not (customer.points > 3)",
        "customer.points > 2 and customer.points < 3",
        "5 < customer.points and customer.points = 5",
        "customer.points between 5 and 3",
        "customer.points between 1 and 3 and customer.points between 4 and 6",
        "customer.points in (1, 2) and customer.points in (3, 4)",
        "customer.points in (1, 2) and customer.points != 1 and customer.points != 2",
        'customer.country = "DE" and customer.country = "AT"',
        'customer.country in ("DE", "AT") and not customer.country in ("AT", "DE", "CH")',
        'customer.country = "DE" and customer.country starts with "A"',
        'customer.country starts with "DE" and customer.country starts with "DA"',
        'customer.country starts with "DE" and customer.country < "D"',
        'customer.country = "DE" and customer.country contains "A"',
        'customer.country contains "stria" and not customer.country contains "tri"',
        "customer.email is known and customer.email is unknown",
        'customer.email is unknown and customer.email = "a"',
        'customer.email is unknown and customer.email != "a"',
        "customer.subscribed and not customer.subscribed",
        (
            "customer.subscribed is known and customer.subscribed != true"
            " and customer.subscribed != false"
        ),
        "customer.birth_date older than 20d and customer.birth_date newer than 10d",
        "customer.birth_date > 2000-01-01 and customer.birth_date < 2000-01-02",
        "customer.spent > 5 EUR and customer.spent <= 5 EUR",
        # `or`, `not`, and both.
        "customer.points > 5 and (customer.points < 3 or customer.points = 4)",
        "not (customer.points < 9 or customer.points >= 9 or customer.points is unknown)",
        "(customer.points < 3 or customer.points > 9) and customer.points between 4 and 8",
        'not (customer.country = "DE" or customer.points > 3) and customer in segment german',
        # Two values.
        "customer.points > customer.points",
        # Figures.
        "count(order_placed) >= 5 and count(order_placed) < 3",
        "count(order_placed) > 2 and count(order_placed) < 3",
        "count(order_placed) < 0",
        "count(order_placed) is unknown",
        "exists(order_placed) and count(order_placed) = 0",
        "exists(order_placed) and not exists(order_placed)",
        "count(order_placed within 30d) >= 5 and count(order_placed) < 3",
        (
            "count(order_placed where items > 3 and total > 5 EUR) >= 5"
            " and count(order_placed where total > 5 EUR) < 3"
        ),
        "count(order_placed within 30d) > count(order_placed within 30d)",
        "exists(order_placed within 90d) and last(order_placed) older than 120d",
        "not exists(order_placed within 120d) and last(order_placed) newer than 90d",
        "not exists(order_placed) and last(order_placed) older than 3d",
        "last(order_placed) is unknown and exists(order_placed within 3d)",
        "last(order_placed within 30d) older than 60d",
        "last(order_placed) older than 90d and last(order_placed) newer than 30d",
        (
            "last(order_placed) older than 90d and first(order_placed) newer than 120d"
            " and first(order_placed) newer than 60d"
        ),
        "first(order_placed) newer than 60d and last(order_placed) older than 90d",
        "last(order_placed where items > 3) newer than 10d and last(order_placed) older than 20d",
        "sum(order_placed.total) > 5 EUR and not exists(order_placed)",
        "avg(order_placed.items) is known and count(order_placed) = 0",
        "distinct(order_placed.category) > 3 and count(order_placed) < 3",
        "exists(order_placed since last(signed_up)) and not exists(signed_up)",
        "count(opened of email) >= 3 and count(opened) < 2",
        # Names.
        "customer in segment vip and spend_year < 100 EUR",
        "customer in segment vip and sum(order_placed.total within 365d) < 100 EUR",
        "doubled > 10 EUR and doubled < 5 EUR",
        "customer in segment loyal and not customer in segment buyer",
        "customer in segment loyal and not customer in segment vip",
    ],
)
def test_contradictions(text: str) -> None:
    assert found(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "customer.points > 5 and customer.points < 7",
        "customer.points > 5 or customer.points < 3",
        # A comparison with an unknown value is false, and `not` of it true.
        "not (customer.points > 5) and not (customer.points <= 5)",
        'not (customer.country = "DE") and not (customer.country != "DE")',
        'customer.email is unknown and not (customer.email = "a")',
        "not customer.subscribed and not (customer.subscribed = false)",
        (
            "not (customer.points between 0 and 9) and not (customer.points < 0)"
            " and not (customer.points > 9)"
        ),
        # Values of other things.
        "count(order_placed) >= 5 and count(signed_up) < 3",
        "count(order_placed within 30d) < 3 and count(order_placed) >= 5",
        "count(order_placed where items > 3) < 3 and count(order_placed where items > 2) >= 5",
        "count(order_placed where items > 3) >= 5 and count(order_placed where total > 1 EUR) < 3",
        "exists(order_placed within 90d) and last(order_placed where items > 3) older than 120d",
        "exists(order_placed within 90d) and first(order_placed) older than 120d",
        "exists(order_placed) and last(order_placed within 90d) is unknown",
        "not exists(order_placed within 30d) and last(order_placed) newer than 90d",
        "not exists(order_placed within 90d) and last(order_placed) is unknown",
        # Returns make a sum negative, a row without a total makes none, sums may not fit.
        "sum(order_placed.total) < 0 EUR",
        "exists(order_placed) and sum(order_placed.total) = 0 EUR",
        "exists(order_placed) and avg(order_placed.items) is unknown",
        "sum(order_placed.total) is unknown",
        "last(order_placed.category) is unknown and exists(order_placed)",
        "distinct(order_placed.category) = 0 and count(order_placed) > 3",
        "sum(order_placed.total) > 100 EUR and sum(order_placed.total within 30d) > 200 EUR",
        "count(opened of email) < 2 and count(opened) >= 3",
        # Whole numbers have gaps, others do not; dates have a midnight.
        "customer.spent > 5 EUR and customer.spent < 5.01 EUR",
        "customer.birth_date older than 20d and customer.birth_date newer than 21d",
        "customer.points > 2.5 and customer.points < 3.5",
        # Texts.
        'customer.country starts with "D" and customer.country contains "E"',
        'customer.country starts with "D" and customer.country starts with "DE"',
        'customer.country >= "DE" and customer.country < "DF"',
        'customer.country != "DE" and customer.country in ("DE", "AT")',
        "customer in segment vip and spend < 100 EUR",
        "not customer in segment loyal and customer in segment vip",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert found(text) is None


def test_the_parts_that_exclude_each_other_are_named() -> None:
    assert found(
        'count(order_placed) >= 5 and customer.country = "DE" and count(order_placed) < 3'
    ) == ("count(order_placed) >= 5", "count(order_placed) < 3")
    # Through a segment: the part of its definition.
    assert found("customer in segment loyal and count(order_placed) < 3") == (
        "count(order_placed) >= 5",
        "count(order_placed) < 3",
    )


def test_implication() -> None:
    made = project(
        "segment a = count(order_placed within 7d) >= 2 segment b = exists(order_placed)"
        " segment c = customer.points > 3"
    )
    a, b, c = (made.segments[name].condition for name in "abc")
    assert implies(a, b, made)
    assert not implies(b, a, made)
    assert not implies(a, c, made)


def test_too_many_ways_are_possible() -> None:
    """Forty alternatives of three parts each have more ways than anybody can try."""
    made = project(
        "segment it = "
        + " and ".join(
            f"(customer.points > {n} or customer.points < {-n} or customer.spent > {n} EUR)"
            for n in range(1, 60)
        )
        + " and customer.points = 0 and customer.spent = 0 EUR and customer.country is unknown"
        ' and customer.country = "DE"'
    )
    # Of these two, which exclude each other, it is told nevertheless: they need no choice.
    assert contradictory([Fact(condition=made.segments["it"].condition)], made) is not None
    hidden = project(
        "segment it = "
        + " and ".join(
            f"(count(order_placed where items > {n}) > {n} or count(signed_up) > {n}"
            f" or customer.spent > {n} EUR)"
            for n in range(1, 60)
        )
        + " and count(order_placed) < 40 and count(signed_up) < 40 and customer.spent < 40 EUR"
    )
    contradictory([Fact(condition=hidden.segments["it"].condition)], hidden)


# --- against the reference interpreter ---------------------------------------------------------

NOW = datetime.fromisoformat("2026-03-02T12:00")
DAY = timedelta(days=1)

ATOMS = (
    *(f"customer.points {how} {n}" for how in ("=", "!=", "<", "<=", ">", ">=") for n in (1, 2)),
    "customer.points between 1 and 2",
    "customer.points in (0, 2)",
    "customer.points is known",
    *(f'customer.country {how} "{c}"' for how in ("=", "!=", "<", ">=") for c in ("A", "AB")),
    'customer.country starts with "A"',
    'customer.country starts with "AB"',
    'customer.country contains "B"',
    "customer.country is unknown",
    "customer.subscribed",
    "customer.subscribed != true",
    "customer.subscribed = false",
    "customer.birth_date older than 2d",
    "customer.birth_date newer than 1d",
    "customer.birth_date > 2026-03-01",
    "customer.birth_date <= 2026-02-28",
    "customer.spent > 1 EUR",
    "customer.spent <= 1 EUR",
    "customer.spent < 2 EUR",
    "first(order_placed where items > 1) newer than 2d",
    *(f"count(order_placed) {how} {n}" for how in ("=", "<", ">=") for n in (0, 1, 2)),
    *(f"count(order_placed within 2d) {how} {n}" for how in ("=", "<", ">=") for n in (1, 2)),
    "count(order_placed where items > 1) >= 1",
    "count(order_placed where items > 1) < 2",
    "exists(order_placed where items > 1 and total > 1 EUR within 1d)",
    "exists(order_placed within 1d)",
    "exists(order_placed within 3d)",
    "exists(order_placed)",
    "exists(order_placed since last(signed_up))",
    "exists(signed_up)",
    *(
        f"{f}(order_placed) {how} than {n}d"
        for f in ("first", "last")
        for how in ("older", "newer")
        for n in (1, 2)
    ),
    "last(order_placed within 2d) older than 1d",
    "last(order_placed where items > 1) newer than 2d",
    "last(order_placed) is known",
    "first(order_placed) is unknown",
    "last(order_placed) >= 2026-03-01T12:00",
    "sum(order_placed.items) > 1",
    "sum(order_placed.items) = 0",
    "sum(order_placed.items) < 3",
    "distinct(order_placed.category) >= 2",
    "distinct(order_placed.category) = 0",
    "min(order_placed.items) > 1",
    "max(order_placed.items) is unknown",
    "avg(order_placed.items) <= 1.5",
    'last(order_placed.category) = "x"',
    "last(order_placed.category) is unknown",
    "customer.points < count(order_placed)",
    "customer.points = count(order_placed)",
    "count(order_placed) > customer.points",
    "items_sum > 1",
    "customer in segment named",
    "not customer in segment named",
)

SOME_NAMES = """
metric items_sum = sum(order_placed.items)
segment named = count(order_placed) >= 2 and customer.points > 1
"""


AGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0)


def worlds(count: int) -> list[dict[str, Any]]:
    """Customers with values at, below and above whatever the atoms ask for."""
    draw = random.Random(7)

    def orders() -> list[tuple[float, int | None, Decimal | None, str | None]]:
        return [
            (
                draw.choice(AGES),
                draw.choice((None, 0, 1, 2, 3)),
                draw.choice((None, Decimal(1), Decimal(2))),
                draw.choice((None, "x", "y")),
            )
            for _ in range(draw.randrange(4))
        ]

    return [
        {
            "points": draw.choice((None, 0, 1, 2, 3)),
            "country": draw.choice((None, "", "A", "AA", "AB", "ABC", "B")),
            "subscribed": draw.choice((None, True, False)),
            "birth_date": draw.choice((None, *(date(2026, 2, 26) + n * DAY for n in range(5)))),
            "spent": draw.choice((None, Decimal(1), Decimal("1.5"), Decimal(2))),
            "orders": orders(),
            "signed_up": [draw.choice(AGES) for _ in range(draw.randrange(3))],
        }
        for _ in range(count)
    ]


WORLDS = worlds(600)


def holds(condition: Expression, world: dict[str, Any], made: Project) -> bool:
    fields = {k: v for k, v in world.items() if k not in ("orders", "signed_up")}
    customer = Customer(
        key="c", zone="UTC", locale="en", prefers=None, fields=fields | {"email": None}
    )
    rows = {
        "order_placed": [
            Happening(
                key=str(n),
                at=NOW - age * DAY,
                fields={"items": items, "total": total, "category": category},
            )
            for n, (age, items, total, category) in enumerate(world["orders"])
        ],
        "signed_up": [
            Happening(key=str(n), at=NOW - age * DAY, fields={"source": "web"})
            for n, age in enumerate(world["signed_up"])
        ],
    }

    def happenings(event: EventSource, _: Subject) -> list[Happening]:
        return rows[event.name]

    evaluator = Evaluator(project=made, now=NOW, happenings=happenings)
    return evaluator.holds(condition, Subject(customer=customer))


@cache
def tried() -> tuple[Project, list[tuple[Expression, int]]]:
    """Each atom with the worlds in which it is true, as bits."""
    text = "".join(f" segment s{n} = {atom}" for n, atom in enumerate(ATOMS))
    made, diagnostics = checked(SOME_NAMES + text)
    assert not [d for d in diagnostics if d.is_error]
    atoms = [made.segments[f"s{n}"].condition for n in range(len(ATOMS))]
    return made, [
        (atom, sum(1 << n for n, world in enumerate(WORLDS) if holds(atom, world, made)))
        for atom in atoms
    ]


NOWHERE = Span("", 0, 0)
ALL = (1 << len(WORLDS)) - 1
Tried = tuple[Expression, int]


def conjunction(parts: list[Tried]) -> Tried:
    bits = ALL
    for _, of in parts:
        bits &= of
    return All(parts=tuple(part for part, _ in parts), span=NOWHERE), bits


def disjunction(parts: list[Tried]) -> Tried:
    bits = 0
    for _, of in parts:
        bits |= of
    return Either(parts=tuple(part for part, _ in parts), span=NOWHERE), bits


def conditions() -> st.SearchStrategy[Tried]:
    return st.recursive(
        st.integers(0, len(ATOMS) - 1).map(lambda n: tried()[1][n]),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(conjunction),
            st.lists(inner, min_size=2, max_size=3).map(disjunction),
            inner.map(lambda p: (Negated(part=p[0], span=NOWHERE), ALL & ~p[1])),
        ),
        max_leaves=8,
    )


@settings(max_examples=500, deadline=None)
@given(st.lists(conditions(), min_size=1, max_size=5).map(conjunction))
def test_what_is_called_contradictory_never_holds(case: Tried) -> None:
    condition, bits = case
    if bits:
        assert contradictory([Fact(condition=condition)], tried()[0]) is None


def test_no_contradiction_of_two_is_invented() -> None:
    """All pairs of the simple conditions, each also negated."""
    made, atoms = tried()
    signed = [
        (Fact(condition=atom, holds=so), bits if so else ALL & ~bits)
        for atom, bits in atoms
        for so in (True, False)
    ]
    for i, (one, mine) in enumerate(signed):
        for other, others in signed[i + 1 :]:
            if mine & others:
                assert contradictory([one, other], made) is None, (one, other)


def test_most_contradictions_of_two_are_seen() -> None:
    """A measure, for silence would be sound as well: of the pairs that no world fulfils. The rest
    are worlds that are not there, and what instants and averages say about each other."""
    made, atoms = tried()
    empty = [
        contradictory([Fact(condition=one), Fact(condition=other)], made) is not None
        for i, (one, mine) in enumerate(atoms)
        for other, others in atoms[i + 1 :]
        if not mine & others
    ]
    assert len(empty) > 300
    assert sum(empty) > 0.85 * len(empty)


def test_without_effort_left_nothing_is_called_contradictory() -> None:
    both = project("segment a = customer.points > 5 and customer.points < 3")
    fact = Fact(condition=both.segments["a"].condition)
    effort = Effort(left=4)
    assert contradictory([fact], both, effort) is not None
    assert effort.left <= 0
    assert contradictory([fact], both, effort) is None
