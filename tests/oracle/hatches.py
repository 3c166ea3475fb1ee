"""What the SQL means that the tests write by hand: the oracle reads no SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]


def _shout(row: Row) -> str | None:
    return None if row["country"] is None else str(row["country"]).upper() + "!"


VALUES: dict[str, Callable[[Row], Any]] = {
    """UPPER("t"."country") || '!'""": _shout,
}


def _paid(rows: Rows) -> set[str]:
    found = [r for r in rows["shop.orders"] if r["status"] == "paid" and r["total"] is not None]
    return {str(r["customer_id"]) for r in found if r["total"] > 5}


def _both(rows: Rows) -> set[str]:
    visits = {r["customer_id"] for r in rows["shop.visits"]}
    orders = {r["customer_id"] for r in rows["shop.orders"]}
    return {str(key) for key in visits & orders}


MEMBERS: dict[str, Callable[[Rows], set[str]]] = {
    """SELECT "customer_id" FROM "shop"."orders" WHERE "status" = 'paid' AND "total" > 5""": _paid,
    'SELECT "customer_id" FROM "shop"."visits" INTERSECT'
    ' SELECT "customer_id" FROM "shop"."orders"': _both,
}
