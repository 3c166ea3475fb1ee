"""A database in memory in which a dry run plays; of the live one it only reads.

A DuckDB file is attached for reading only, and its tables are seen through views of the same
names: nothing of them is copied. Of a PostgreSQL server all that is bound is copied, by one
transaction that may not write. What the runtime knows (runs, messages, consents told to it) is
copied in either case, for ticks write there.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Protocol

import duckdb

from journeylang.classes import dataclass
from journeylang.engines.base import DatabaseBusyError, DatabaseUnavailableError, Engine
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.engines.postgres import PostgresEngine
from journeylang.model.project import Project
from journeylang.sql.dialects import quote, text

LIVE = "live_database"
"""The name under which a live file is attached."""

# What a tick does not read; and `meta` has the key that signs links.
NOT_COPIED = ("tick", "transition", "batch", "meta")
# No other process is written to: what it leaves in its log is read, and not cleared away.
_LOCKED = re.compile(r"Could not set lock on file|being used by another process", re.IGNORECASE)


class Source(Protocol):
    """The live database, as far as a dry run reads it."""

    def see(self, engine: Engine, project: Project) -> Project:
        """Let the rows of what is bound be read in `engine`; the project that reads them there."""

    def copy_state(self, engine: Engine, key_type: str, now: datetime, among: str | None) -> None:
        """What the runtime knows, as far as a tick reads it; nothing if it never ran.

        `among` is a query of customers, in parentheses: of others nothing is copied.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A DuckDB database under a name of its own beside the scratch one."""

    live: str

    def see(self, engine: Engine, project: Project) -> Project:
        """See `Source`. Every table is found under its own name; the runtime's are apart."""
        kept = "database_name = $live AND NOT internal AND NOT temporary"
        rows = engine.query(
            f"SELECT schema_name, table_name FROM duckdb_tables() WHERE {kept}"
            f" UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE {kept}",
            {"live": self.live},
        )
        for schema in {schema for schema, _ in rows if schema != "journey"}:
            engine.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        for schema, name in rows:
            if schema != "journey":
                there = f"{quote(schema)}.{quote(name)}"
                engine.execute(f"CREATE VIEW {there} AS SELECT * FROM {quote(self.live)}.{there}")
        return project

    def copy_state(self, engine: Engine, key_type: str, now: datetime, among: str | None) -> None:
        """See `Source`. The tables are taken as they are, and go through what they lack later."""
        tables = engine.query(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = $live"
            " AND schema_name = 'journey'",
            {"live": self.live},
        )
        if tables:
            engine.execute("CREATE SCHEMA journey")
        for (table,) in tables:
            there = f"{quote(self.live)}.journey.{quote(table)}"
            columns = engine.columns((self.live, "journey", table)) or {}
            where = ""
            if table in NOT_COPIED:
                where = " WHERE FALSE"
            elif among is not None and "customer_id" in columns:
                where = f" WHERE customer_id IS NULL OR customer_id IN {among}"
            engine.execute(f"CREATE TABLE journey.{quote(table)} AS SELECT * FROM {there}{where}")
        if "holder" in (engine.columns(("journey", "lock")) or ()):
            # Whoever moves people there goes on doing so.
            engine.execute("UPDATE journey.lock SET holder = NULL, lease_until = NULL")


@contextmanager
def beside_a_file(path: str, *, wait: float = 10.0) -> Iterator[tuple[DuckDbEngine, Source]]:
    """An empty database in memory, with the file attached for reading only.

    Raises:
        DatabaseBusyError: another process is still writing to it after `wait` seconds.
        DatabaseUnavailableError: there is no such file, or it is no database.
    """
    with _in_memory() as engine:
        _attach(engine.connection, path, wait)
        yield engine, Attached(live=LIVE)


@contextmanager
def beside_a_server(live: PostgresEngine) -> Iterator[tuple[DuckDbEngine, Source]]:
    """An empty database in memory, and all that is read of a server in one transaction.

    The functions that expressions rest on are laid there, if they are not there yet; nothing
    else is written.
    """
    from journeylang.runtime.setup import lay_foundation
    from journeylang.simulate.copying import Copied

    lay_foundation(live)
    reading = live.beside()
    try:
        with _in_memory() as engine, reading.transaction():
            reading.execute("SET TRANSACTION READ ONLY")
            yield engine, Copied(live=reading)
    finally:
        reading.close()


@contextmanager
def beside(live: Engine) -> Iterator[tuple[DuckDbEngine, Source]]:
    """The same for a database that is open. What is not yet committed is not seen."""
    if isinstance(live, PostgresEngine):
        with beside_a_server(live) as there:
            yield there
        return
    assert isinstance(live, DuckDbEngine), "there are two kinds"
    engine = live.beside()
    [[name]] = engine.query("SELECT current_database()")
    scratch = f"simulated_{id(engine):x}"
    engine.execute(f"ATTACH ':memory:' AS {scratch}")
    try:
        engine.execute(f"USE {scratch}")
        yield engine, Attached(live=name)
    finally:
        with suppress(duckdb.Error):
            engine.connection.execute(f"USE {quote(name)}; DETACH {scratch}")
        engine.close()


@contextmanager
def _in_memory() -> Iterator[DuckDbEngine]:
    """What does not fit into memory goes into a folder that is gone afterwards."""
    folder = tempfile.mkdtemp(prefix="journey-simulate-")
    engine = DuckDbEngine.open(":memory:")
    try:
        engine.execute(f"SET temp_directory = {text(folder)}")
        yield engine
    finally:
        engine.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def never_compacted(engine: Engine, but_at: str = "1TB") -> Iterator[None]:
    """What is written meanwhile stays as it is: else a commit compresses it, also in memory.

    It does so for every 16 MB, and takes all tables that were written to; now for so much.
    """
    [[before]] = engine.query("SELECT current_setting('checkpoint_threshold')")
    engine.execute(f"SET checkpoint_threshold = {text(but_at)}")
    try:
        yield
    finally:
        engine.execute(f"SET checkpoint_threshold = {text(before)}")


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
