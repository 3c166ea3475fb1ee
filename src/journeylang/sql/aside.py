"""Rows that are set aside for their keys: what their table is called, and how they are left out."""

from __future__ import annotations

from typing import assert_never

from journeylang.model.binding import Binding, Catalog, Customers, Event
from journeylang.sql.dialects import Dialect, text


def source_of(bound: Customers | Event | Catalog) -> str:
    """The name of a bound table in `journey.set_aside`; redemptions are rows of another event."""
    match bound:
        case Customers():
            return "customers"
        case Event():
            return f"event {bound.origin or bound.name}"
        case Catalog():
            return f"catalog {bound.name}"
        case _:
            assert_never(bound)


def kept(
    binding: Binding, bound: Customers | Event | Catalog, key: str, dialect: Dialect
) -> list[str]:
    """Conditions that leave those rows out: none where keys are in order."""
    source = source_of(bound)
    if source not in binding.aside:
        return []
    listed = (
        "SELECT s.key FROM journey.set_aside AS s"
        f" WHERE s.source = {text(source)} AND s.key IS NOT NULL"
    )
    return [f"{key} IS NOT NULL", f"{dialect.as_text(key)} NOT IN ({listed})"]
