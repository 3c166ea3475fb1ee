"""The engines that a suite runs on, and a fresh database of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from journeylang.engines.base import Engine
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.engines.postgres import PostgresEngine
from tests.agreement.prelude import TABLES, create
from tests.engines.server import new_database

ENGINES = ("duckdb", "postgres")
"""The names to parametrise a test by."""

_opened: list[Engine] = []


def open_engine(name: str, place: str | None = None) -> Engine:
    """A connection to the database at `place`, a file or a URL; without one, to a fresh one.

    One that a test leaves open is closed behind it.
    """
    engine: Engine
    if name == "postgres":
        engine = PostgresEngine.open(place or new_database())
    else:
        engine = DuckDbEngine.open(place or ":memory:", wait=0)
        engine.execute("SET threads = 1")
    _opened.append(engine)
    return engine


@contextmanager
def closing_what_is_left() -> Iterator[None]:
    """Close what was opened within and not closed.

    A test that fails closes nothing, and a connection of PostgreSQL that is collected open is a
    warning: in whatever test comes next, which would fail of it.
    """
    before = len(_opened)
    try:
        yield
    finally:
        for engine in _opened[before:]:
            engine.close()
        del _opened[before:]


@contextmanager
def database(name: str) -> Iterator[Engine]:
    """A fresh database with the tables of the shared binding, empty."""
    engine = open_engine(name)
    for statement in create(engine.dialect):
        engine.execute(statement)
    yield engine
    engine.close()


Rows = Iterable[Mapping[str, Any]]


def tell_counts(engine: Engine) -> None:
    """PostgreSQL tells how many rows have gone with its statistics: let it do so at once."""
    if engine.dialect.name == "postgres":
        engine.query("SELECT pg_stat_force_next_flush()")


def put(engine: Engine, table: str, rows: Rows) -> None:
    """Add rows to a table of the shared binding."""
    columns = TABLES[table]
    engine.insert(table, columns, [[row.get(name) for name in columns] for row in rows])
