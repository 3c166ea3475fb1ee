"""A database in memory in which a dry run plays; of the live one it only reads.

A DuckDB file is attached for reading only, and its tables are seen through views of the same
names: nothing of them is copied. What the runtime knows (runs, messages, consents told to it) is
copied, for ticks write there.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from journeylang.engines.base import DatabaseBusyError, DatabaseUnavailableError
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.sql.dialects import quote, text

LIVE = "live_database"
"""The name under which a live file is attached."""

# What a tick does not read; and `meta` has the key that signs links.
_NOT_COPIED = ("tick", "transition", "batch", "meta", "revision", "source")
# No other process is written to: what it leaves in its log is read, and not cleared away.
_LOCKED = re.compile(r"Could not set lock on file|being used by another process", re.IGNORECASE)


@contextmanager
def beside_a_file(path: str, *, wait: float = 10.0) -> Iterator[DuckDbEngine]:
    """An empty database in memory, with the file attached as `LIVE` for reading only.

    Raises:
        DatabaseBusyError: another process is still writing to it after `wait` seconds.
        DatabaseUnavailableError: there is no such file, or it is no database.
    """
    folder = tempfile.mkdtemp(prefix="journey-simulate-")
    engine = DuckDbEngine.open(":memory:")
    try:
        engine.execute(f"SET temp_directory = {text(folder)}")
        _attach(engine.connection, path, wait)
        yield engine
    finally:
        engine.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def beside(live: DuckDbEngine) -> Iterator[tuple[DuckDbEngine, str]]:
    """The same on a second connection to a database that is open: the engine, and the live name.

    What the first has not yet committed is not seen.
    """
    engine = live.beside()
    [[name]] = engine.query("SELECT current_database()")
    scratch = f"simulated_{id(engine):x}"
    engine.execute(f"ATTACH ':memory:' AS {scratch}")
    try:
        engine.execute(f"USE {scratch}")
        yield engine, name
    finally:
        with suppress(duckdb.Error):
            engine.connection.execute(f"USE {quote(name)}; DETACH {scratch}")
        engine.close()


def show_tables(engine: DuckDbEngine, live: str) -> None:
    """Let every table of the live database be found under its own name; the runtime's apart."""
    rows = engine.query(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $live"
        " AND NOT internal AND NOT temporary UNION ALL"
        " SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $live"
        " AND NOT internal AND NOT temporary",
        {"live": live},
    )
    for schema in {schema for schema, _ in rows if schema != "journey"}:
        engine.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
    for schema, name in rows:
        if schema != "journey":
            there = f"{quote(schema)}.{quote(name)}"
            engine.execute(f"CREATE VIEW {there} AS SELECT * FROM {quote(live)}.{there}")


def copy_state(engine: DuckDbEngine, live: str, among: str | None) -> None:
    """What the runtime knows there, as far as a tick reads it; nothing if it never ran.

    `among` is a query of customers: of others nothing is copied.
    """
    tables = engine.query(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = $live"
        " AND schema_name = 'journey'",
        {"live": live},
    )
    if tables:
        engine.execute("CREATE SCHEMA journey")
    for (table,) in tables:
        there = f"{quote(live)}.journey.{quote(table)}"
        where = ""
        if table in _NOT_COPIED:
            where = " WHERE FALSE"
        elif among is not None and "customer_id" in (
            engine.columns((live, "journey", table)) or ()
        ):
            where = f" WHERE customer_id IS NULL OR customer_id IN {among}"
        engine.execute(f"CREATE TABLE journey.{quote(table)} AS SELECT * FROM {there}{where}")
    if engine.columns(("journey", "lock")) is not None:
        # Whoever moves people there goes on doing so.
        engine.execute("UPDATE journey.lock SET holder = NULL, lease_until = NULL")


def _attach(connection: duckdb.DuckDBPyConnection, path: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            connection.execute(f"ATTACH {text(path)} AS {LIVE} (READ_ONLY)")
        except duckdb.Error as error:
            message = str(error)
            if not _LOCKED.search(message):
                raise DatabaseUnavailableError(message.strip().splitlines()[0]) from error
            if time.monotonic() >= deadline:
                holder = re.search(r"PID (\d+)", message)
                who = f"process {holder[1]}" if holder else "another process"
                raise DatabaseBusyError(path, who) from error
            time.sleep(0.1)
        else:
            return
