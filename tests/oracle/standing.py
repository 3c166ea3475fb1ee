"""What a customer is among all others, and how old: questions that no row alone answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from journeylang.model.expressions import TileBy, TopBy
from journeylang.model.lists import ContactList
from journeylang.model.project import Project
from tests.oracle.clock import wall, zone
from tests.oracle.facts import Customer


def places(customers: Mapping[Any, Customer], figure: Callable[[Customer], Any]) -> list[Any]:
    """Keys of those whose figure is known: the highest first, of equal ones the least key."""
    known = [(key, figure(customer)) for key, customer in customers.items()]
    ranked = sorted((k, v) for k, v in known if v is not None)
    ranked.sort(key=lambda pair: pair[1], reverse=True)
    return [key for key, _ in ranked]


def top(node: TopBy, ranked: list[Any], key: Any) -> bool:
    """Among the first ceil(P * n / 100)."""
    first = -(-node.share * len(ranked) // 10_000)
    return key in ranked[:first]


def tile(node: TileBy, ranked: list[Any], key: Any) -> int | None:
    """The first n-th of them are in the last tile."""
    if key not in ranked:
        return None
    return node.tiles - ranked.index(key) * node.tiles // len(ranked)


def listed(rows: ContactList, value: Any) -> bool:
    """Whether a customer's value is on the list, as people compare such values."""
    form = _FORMS[rows.key]
    return value is not None and form(str(value)) in {form(v) for v in rows.values} - {""}


def instant_of(text: str | None) -> datetime | None:
    """What a list says of a time; None if it says none."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _telephone(value: str) -> str:
    digits = "".join(c for c in value if c in "0123456789+")
    return "+" + digits[2:] if digits[:2] == "00" else digits


_FORMS: dict[str, Callable[[str], str]] = {
    "key": lambda value: value.strip(" "),
    "email": lambda value: value.strip(" ").lower(),
    "phone": _telephone,
}


def age(born: date | None, customer: Customer | None, project: Project, now: datetime) -> Any:
    """Birthdays so far; without a 29 February it is the day behind."""
    bound = project.binding.customers
    if born is None or customer is None or bound is None:
        return None
    tz = zone(customer.zone) or zone(bound.zone_else)
    assert tz is not None
    today = wall(tz, now).date()
    if born > today:
        return None
    years = today.year - born.year
    try:
        birthday = born.replace(year=today.year)
    except ValueError:
        birthday = date(today.year, 3, 1)
    return years if birthday <= today else years - 1
