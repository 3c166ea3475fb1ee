"""Generated questions about a customer among all others: rankings, ages, favourites."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.agreement.prelude import LISTS

if TYPE_CHECKING:
    from tests.agreement.expressions import Expressions, Names

RANKED = ("int", "int", "money", "number", "instant")


def age(draw: Expressions, names: Names) -> str:
    """Whole years since a date."""
    dates = ["customer.born"] * 4 + ["due"] * (names.event == "ordered")
    return f"age({draw.pick(dates)})"


def tile(draw: Expressions, names: Names) -> str:
    return f"tile {draw.pick((2, 3, 5))} by {_figure(draw, names)}"


def top(draw: Expressions, names: Names) -> str:
    share = draw.pick(("0.01%", "10%", "33.3%", "50%", "50%", "100%"))
    return f"top {share} by {_figure(draw, names)}"


def listed(draw: Expressions) -> str:
    negated = draw.pick(("", "not "))
    return f'customer {negated}in list "{draw.pick(tuple(LISTS))}"'


SELECTED = (
    "sql`select customer_id from shop.orders where status = 'paid' and total > 5`",
    "sql`select customer_id from shop.visits intersect select customer_id from shop.orders`",
)


def selected(draw: Expressions) -> str:
    return f"{draw.pick(('', 'not '))}{draw.pick(SELECTED)}"


def most(draw: Expressions, names: Names, kind: str) -> str:
    """The most frequent value of a field of the kind."""
    of = {"text": "visited.page", "int": "ordered.items", "bool": "ordered.gift"}
    of |= {"money": "ordered.total", "date": "ordered.due", "instant": "visited.seen"}
    of |= {"number": "visited.weight", "time": "visited.daily"}
    event = of[kind].partition(".")[0]
    return f"most({of[kind]}{draw.scope(names, event)})"


def _figure(draw: Expressions, names: Names) -> str:
    """Something to rank by: of the customer alone."""
    alone = replace(names, event=None, trigger=None, run=False, own=())
    return draw.value(alone, draw.pick(RANKED))
