"""DuckDB: the embedded default. One writing process per file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from journeylang.engines.base import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    Parameters,
    StatementError,
)
from journeylang.sql.dialects import DUCKDB

_LOCKED = re.compile(r"Could not set lock on file|being used by another process", re.IGNORECASE)
# An unknown table is unknown: no variable of this program is looked up instead. And where rows are
# kept in order, what several threads insert within a transaction, from 122,880 rows on, is counted
# twice by some later queries of it and not found by others (2.0.0).
_SETTINGS = (
    "SET TimeZone = 'UTC'; SET python_enable_replacements = false;"
    " SET preserve_insertion_order = false"
)
_ALIAS = "journey_database"
_PARAMETER = re.compile(r"\$([a-z_][a-z_0-9]*)", re.IGNORECASE)
# Reading a text is a fifth of what a tick's statement takes, so those that come again are kept as
# they were read. Bounded, for some have their figures in the text.
_KEPT = 256
_AGAIN = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE OR REPLACE TEMP TABLE")


class DuckDbEngine:
    """A connection to a DuckDB file, or to memory (`:memory:`).

    `before` is called with each statement before it runs: tests count statements with it
    and cut a tick at any of them.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        before: Callable[[str], None] | None = None,
    ) -> None:
        self.connection = connection
        self.dialect = DUCKDB
        self.before = before
        self.connection.execute(_SETTINGS)
        self._read = lru_cache(maxsize=_KEPT)(connection.extract_statements)
        named = self.connection.execute("SELECT current_database()").fetchone()
        self._aliased = named == (_ALIAS,)

    @classmethod
    def open(
        cls,
        path: str,
        *,
        wait: float = 10.0,
        create: bool = True,
        before: Callable[[str], None] | None = None,
    ) -> DuckDbEngine:
        """Open a database file, waiting up to `wait` seconds for another process to close it.

        Raises:
            DatabaseBusyError: it is still in use after that.
            DatabaseUnavailableError: there is no such file, or it is no database.
        """
        if path != ":memory:" and not create and not Path(path).exists():
            raise DatabaseUnavailableError(f"there is no file {path}")
        deadline = time.monotonic() + wait
        while True:
            try:
                return cls(_connect(path), before)
            except duckdb.Error as error:
                message = str(error)
                if not _LOCKED.search(message):
                    raise DatabaseUnavailableError(_first_line(message)) from error
                if time.monotonic() >= deadline:
                    holder = re.search(r"PID (\d+)", message)
                    who = f"process {holder[1]}" if holder else "another process"
                    raise DatabaseBusyError(path, who) from error
                time.sleep(0.1)

    def beside(self) -> DuckDbEngine:
        """See `Engine`."""
        cursor = self.connection.cursor()
        if self._aliased:
            cursor.execute(f"USE {_ALIAS}")
        return DuckDbEngine(cursor, self.before)

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """See `Engine`."""
        cursor = self._run(statement, parameters)
        if not cursor.description or cursor.description[0][0] != "Count":
            return 0
        row = cursor.fetchone()
        return int(row[0]) if row else 0

    def query(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """See `Engine`."""
        cursor = self._run(statement, parameters)
        with _interruptible():
            return cursor.fetchall()

    def stream(
        self, statement: str, parameters: Parameters | None = None, size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """See `Engine`. Reads from a cursor of its own, so that others may run meanwhile."""
        cursor = self.connection.cursor()
        cursor.execute(_SETTINGS + (f"; USE {_ALIAS}" if self._aliased else ""))
        with _interruptible():
            cursor.execute(statement, _given(statement, parameters))
            rows = cursor.fetchmany(size)
        while rows:
            yield rows
            with _interruptible():
                rows = cursor.fetchmany(size)

    def insert(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """See `Engine`. One list per column: a VALUES list costs ten times as much to parse."""
        if not rows:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(
            f"unnest(CAST($c{n} AS {kind}[]))" for n, kind in enumerate(columns.values())
        )
        lists = {f"c{n}": list(column) for n, column in enumerate(zip(*rows, strict=True))}
        self._run(f"INSERT INTO {table} ({names}) SELECT {values}", lists)

    def _run(self, statement: str, parameters: Parameters | None) -> duckdb.DuckDBPyConnection:
        if self.before is not None:
            self.before(statement)
        try:
            with _interruptible():
                given = _given(statement, parameters)
                read = self._read(statement) if statement.startswith(_AGAIN) else ()
                return self.connection.execute(read[0] if len(read) == 1 else statement, given)
        except duckdb.Error as error:
            raise StatementError(statement, _first_line(str(error))) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Engine`."""
        self._run("BEGIN", None)
        try:
            yield
            self._run("COMMIT", None)
        except BaseException:
            # A commit that was refused has already ended the transaction.
            with suppress(duckdb.TransactionException):
                self.connection.execute("ROLLBACK")
            raise

    def recover(self) -> bool:
        """See `Engine`. There is no connection that could be lost."""
        return False

    def shape(self, query: str) -> dict[str, str]:
        """See `Engine`."""
        return {row[0]: row[1] for row in self.query(f"DESCRIBE {query}")}

    def columns(self, table: Sequence[str]) -> dict[str, str] | None:
        """See `Engine`."""
        name = ".".join('"' + part.replace('"', '""') + '"' for part in table)
        try:
            rows = self.connection.execute(f"DESCRIBE {name}").fetchall()
        except duckdb.CatalogException:
            return None
        except duckdb.Error:
            return None
        return {row[0]: row[1] for row in rows}

    def interrupt(self) -> None:
        """See `Engine`."""
        self.connection.interrupt()

    def close(self) -> None:
        """See `Engine`."""
        self.connection.close()


@contextmanager
def _interruptible() -> Iterator[None]:
    """DuckDB notices Ctrl-C by itself, and hides it in an error of its own."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    """DuckDB calls a database by its file's name, and can't tell `shop.orders` in shop.duckdb.

    A file named as one of its schemas (or as the runtime's) is therefore given another name.
    """
    connection = duckdb.connect(path)
    ambiguous = connection.execute(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = current_database()"
        " AND current_database() IN (schema_name, 'journey') LIMIT 1"
    ).fetchone()
    if ambiguous is None:
        return connection
    connection.close()
    connection = duckdb.connect(":memory:")
    quoted = path.replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS {_ALIAS}; USE {_ALIAS}")
    return connection


@lru_cache(maxsize=1024)
def _names(statement: str) -> frozenset[str]:
    return frozenset(_PARAMETER.findall(statement))


def _given(statement: str, parameters: Parameters | None) -> Parameters | None:
    # DuckDB refuses parameters that a statement does not name.
    if not parameters:
        return None
    names = _names(statement)
    given = {name: value for name, value in parameters.items() if name in names}
    return given or None


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else "unknown error"
