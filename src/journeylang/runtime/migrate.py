"""Bringing the runtime's own tables up to what this release knows: forward only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import md5

from journeylang.engines.base import Engine, StatementError
from journeylang.sql.dialects import text
from journeylang.sql.migrations import MIGRATIONS, Migration, statements
from journeylang.sql.schema import views

_DERIVED = "views and indexes"


class NewerSchemaError(Exception):
    """A later release has changed the tables: what they hold now is not known here."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"its tables are those of migration {found}, and {known} is the last")
        self.found = found
        self.known = known


def refuse_newer(engine: Engine, known: int = MIGRATIONS[-1].number) -> None:
    """Look only.

    Raises:
        NewerSchemaError: the tables have been through a migration later than `known`.
    """
    found = reached(engine)
    if found > known:
        raise NewerSchemaError(found, known)


def migrate(
    engine: Engine,
    key_type: str,
    now: datetime,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Apply what is missing, each migration in a transaction of its own, with a record of it.

    Raises:
        NewerSchemaError: nothing was changed.
    """
    derived = _derived(engine)
    known = migrations[-1].number
    if reached(engine) == known and _mark(engine) == derived:
        return
    with _alone(engine):
        refuse_newer(engine, known)
        last = reached(engine)
        for migration in migrations:
            if migration.number > last:
                with engine.transaction():
                    _apply(engine, migration, key_type, now)
        shown = [line for name, query in views().items() for line in _shown(engine, name, query)]
        with engine.transaction():
            for statement in (*engine.dialect.indexes(), *shown):
                engine.execute(statement)
            engine.execute(f"DELETE FROM journey.meta WHERE name = '{_DERIVED}'")
            engine.execute(f"INSERT INTO journey.meta VALUES ('{_DERIVED}', '{derived}')")


def _apply(engine: Engine, migration: Migration, key_type: str, now: datetime) -> None:
    if migration.number == 1:
        engine.execute(engine.dialect.own_schema())
    for statement in statements(migration, key_type, engine.dialect):
        engine.execute(statement)
    engine.execute(
        f"INSERT INTO journey.migration VALUES ({migration.number}, {text(migration.name)},"
        f" {engine.dialect.instant(now)})"
    )


def reached(engine: Engine) -> int:
    """The number of the last migration; 0 for a fresh database, and for one without numbers."""
    if engine.columns(("journey", "migration")) is None:
        return 0
    [[number]] = engine.query("SELECT coalesce(max(number), 0) FROM journey.migration")
    return int(number)


def _mark(engine: Engine) -> str | None:
    found = engine.query(f"SELECT value FROM journey.meta WHERE name = '{_DERIVED}'")
    return str(found[0][0]) if found else None


def _derived(engine: Engine) -> str:
    """A digest of what can be made anew at any time, for it holds nothing."""
    parts = (*engine.dialect.indexes(), *(f"{name} {query}" for name, query in views().items()))
    return md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()


def _shown(engine: Engine, name: str, query: str) -> Iterator[str]:
    """A view in place of the one that is there: PostgreSQL takes more columns, and no others.

    To be asked outside of a transaction: DuckDB ends one in which a table is not found.
    """
    there = list((engine.columns(("journey", name)) or {}).items())
    if there and list(engine.shape(query).items())[: len(there)] != there:
        yield f"DROP VIEW journey.{name}"
    yield f"CREATE OR REPLACE VIEW journey.{name} AS{query}"


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    between = engine.dialect.alone()
    if between is None:
        yield
        return
    engine.query(between[0])
    try:
        yield
    finally:
        # With a connection that is lost, the lock is gone as well.
        with suppress(StatementError):
            engine.query(between[1])
