"""The shop's tables: crm.customers, signups, consents; shop.orders, carts, visits, app_sessions.

Every figure is drawn from md5 over (seed, purpose, number), in SQL over whole tables, so
that the same seed always makes the same rows, on every machine and in every version. Rows
of the virtual days are there from the start, dated ahead: a tick does not see what has not
happened at its `now`.

The people are invented, and so is how they answer to messages: see ``answers.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.demo import tables

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

# A Monday, with the spring change of the clocks within the thirty days that follow.
OPENING = datetime(2026, 3, 2)  # noqa: DTZ001 - instants are UTC without a zone in every table
HISTORY_DAYS = 730
DAYS = 30
CUSTOMERS = 50_000

Progress = Callable[[str, int, int], None]
"""Called with what is made next, how many parts are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """How large a shop to make. `days` is how far ahead of ``OPENING`` its rows go."""

    customers: int = CUSTOMERS
    days: int = DAYS
    seed: int = 1

    @property
    def opening(self) -> datetime:
        """When the virtual days begin; what lies before is history."""
        return OPENING

    @property
    def first(self) -> datetime:
        """When the first customer signed up."""
        return OPENING - timedelta(days=HISTORY_DAYS)

    @property
    def last(self) -> datetime:
        """The end of the last virtual day; no row is dated later."""
        return OPENING + timedelta(days=self.days)


def make(path: Path, shop: Shop, progress: Progress | None = None) -> dict[str, int]:
    """Write the shop into the DuckDB file at `path`; answer with the rows of each table.

    Tables that are already there are replaced, all else in the file is left alone.
    """
    import duckdb

    with duckdb.connect(path) as connection:
        return fill(connection, shop, progress)


def fill(
    connection: DuckDBPyConnection, shop: Shop, progress: Progress | None = None
) -> dict[str, int]:
    """The same into a database that is open."""
    parts = tables.parts(shop)
    for done, (name, statements) in enumerate(parts):
        if progress is not None:
            progress(name, done, len(parts))
        for statement in statements:
            connection.execute(statement)
    if progress is not None:
        progress("done", len(parts), len(parts))
    return {name: _count(connection, name) for name in tables.NAMES}


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
