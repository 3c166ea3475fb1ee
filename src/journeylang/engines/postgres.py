"""PostgreSQL, by psycopg. Many connections to one database; a tick is one transaction."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from journeylang.engines.base import (
    ConflictError,
    DatabaseUnavailableError,
    Parameters,
    StatementError,
)
from journeylang.sql.dialects import Dialect
from journeylang.sql.postgres import POSTGRES

if TYPE_CHECKING:
    import psycopg

# What statements rest on, whatever the server's or the user's defaults are. Compiling them to
# machine code takes longer than running them; a mass send's working tables want to stay in memory.
_SETTINGS = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';"
    " SET standard_conforming_strings = on; SET client_min_messages = warning;"
    " SET extra_float_digits = 1; SET jit = off; SET default_statistics_target = 10;"
    " SET temp_buffers = '64MB'"
)
_WRITTEN = re.compile(r"(?:INSERT INTO|UPDATE|COPY) ((?:journey\.)?[a-z_]+)(?=\s)")
# So many rows of a table of the runtime are worth counting.
_MANY = 500
# Seconds for which a lost server is waited for.
_PATIENCE = 10.0
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"
# A name behind a dollar is a parameter, except in a text or in a quoted name.
_PARTS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([a-z_][a-z_0-9]*)""", re.IGNORECASE)


class PostgresEngine:
    """A connection to a PostgreSQL database.

    `before` is called with each statement before it runs: tests count statements with it
    and cut a tick at any of them.
    """

    def __init__(self, url: str, before: Callable[[str], None] | None = None) -> None:
        self.url = url
        self.dialect: Dialect = POSTGRES
        self.before = before
        self.connection = _connect(url)

    @classmethod
    def open(cls, url: str, *, before: Callable[[str], None] | None = None) -> PostgresEngine:
        """Open a database by its URL.

        Raises:
            DatabaseUnavailableError: it can't be reached, or its text is not UTF-8.
        """
        return cls(url, before)

    def beside(self) -> PostgresEngine:
        """See `Engine`."""
        return PostgresEngine(self.url, self.before)

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """See `Engine`."""
        cursor = self._run(statement, parameters)
        told = (cursor.statusmessage or "").partition(" ")[0]
        if told not in ("INSERT", "UPDATE", "DELETE"):
            return 0
        self._measure(statement, cursor.rowcount)
        return cursor.rowcount

    def _measure(self, statement: str, rows: int) -> None:
        """Let the planner know of many new rows at once.

        It goes by what it has seen last, and joins two tables that it takes for small row by
        row: minutes instead of milliseconds.
        """
        written = _WRITTEN.match(statement)
        if rows < _MANY or written is None:
            return
        table = written[1]
        if "." in table:
            [[known]] = self.query(
                "SELECT reltuples FROM pg_class WHERE oid = to_regclass($name)", {"name": table}
            )
            if rows * 10 < known:
                return
        self._run(f"ANALYZE {table}", None)

    def query(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """See `Engine`."""
        cursor = self._run(statement, parameters)
        # Of several statements the last one's rows.
        while cursor.nextset():
            pass
        with self._told(statement):
            return cursor.fetchall() if cursor.description else []

    def stream(
        self, statement: str, parameters: Parameters | None = None, size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """See `Engine`. Reads by a connection of its own, so that others may run meanwhile."""
        beside = self.beside()
        try:
            with beside.transaction():
                yield from beside.read(statement, parameters, size)
        finally:
            beside.close()

    def read(
        self, statement: str, parameters: Parameters | None, size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a query in lists, within a transaction of this connection."""
        import psycopg

        text, given = _numbered(statement, parameters)
        with (
            self._told(statement),
            psycopg.RawServerCursor(self.connection, "journey_rows") as cursor,
        ):
            cursor.execute(text, given)
            while rows := cursor.fetchmany(size):
                yield rows

    def insert(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """See `Engine`. By COPY."""
        if not rows:
            return
        quoted = ['"' + name.strip('"').replace('"', '""') + '"' for name in columns]
        statement = f"COPY {table} ({', '.join(quoted)}) FROM STDIN"
        if self.before is not None:
            self.before(statement)
        with (
            self._told(statement),
            self.connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for row in rows:
                copy.write_row([_storable(value) for value in row])
        self._measure(statement, len(rows))

    def _run(self, statement: str, parameters: Parameters | None) -> psycopg.RawCursor[Any]:
        import psycopg

        if self.before is not None:
            self.before(statement)
        text, given = _numbered(statement, parameters)
        cursor = psycopg.RawCursor(self.connection)
        with self._told(statement):
            cursor.execute(text, given or None)
        return cursor

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Engine`. All of its statements see the same rows of others."""
        import psycopg

        if self.before is not None:
            self.before("BEGIN")
        with self._told(_BEGIN):
            self.connection.execute(_BEGIN)
        try:
            yield
            if self.before is not None:
                self.before("COMMIT")
            with self._told("COMMIT"):
                self.connection.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
            raise

    def recover(self) -> bool:
        """See `Engine`. A server that starts again is waited for."""
        if not self.connection.closed:
            return False
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connection = _connect(self.url)
            except DatabaseUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return True

    @contextmanager
    def _told(self, statement: str) -> Iterator[None]:
        """The database's refusal in this project's words."""
        import psycopg

        try:
            yield
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
            raise ConflictError(statement, _first_line(str(error))) from error
        except psycopg.Error as error:
            told = ConflictError if self.connection.closed else StatementError
            raise told(statement, _first_line(str(error))) from error

    def shape(self, query: str) -> dict[str, str]:
        """See `Engine`."""
        cursor = self._run(f"SELECT * FROM ({query}) AS q LIMIT 0", None)
        described = cursor.description or ()
        names = ", ".join(f"format_type({c.type_code}, NULL)" for c in described)
        kinds = self.query(f"SELECT {names}")[0]
        return {c.name: kind for c, kind in zip(described, kinds, strict=True)}

    def columns(self, table: Sequence[str]) -> dict[str, str] | None:
        """See `Engine`."""
        name = ".".join('"' + part.replace('"', '""') + '"' for part in table)
        rows = self.query(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute AS a"
            " WHERE a.attrelid = to_regclass($name) AND a.attnum > 0 AND NOT a.attisdropped"
            " ORDER BY a.attnum",
            {"name": name},
        )
        return dict(rows) or None

    def interrupt(self) -> None:
        """See `Engine`. Asked of the server by a connection of its own."""
        import psycopg

        # A server that is not to be reached has ended it already.
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=1.0)

    def close(self) -> None:
        """See `Engine`."""
        self.connection.close()


def _connect(url: str) -> psycopg.Connection[Any]:
    try:
        import psycopg
    except ImportError as error:
        raise DatabaseUnavailableError(
            "psycopg is not installed: `pip install 'journeylang[postgres]'`"
        ) from error
    try:
        asked = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error as error:
        # What the library says of it may quote a part of the password.
        raise DatabaseUnavailableError("this is no address of a database") from error
    try:
        # Statements are long and each is a little different: preparing them gains nothing, and
        # a pooler between here and there would lose them.
        connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=None, application_name="journeylang"
        )
    except psycopg.Error as error:
        told = _first_line(str(error))
        secret = str(asked.get("password") or "")
        raise DatabaseUnavailableError(told.replace(secret, "…") if secret else told) from error
    connection.execute(_SETTINGS)
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise DatabaseUnavailableError(f"its text is in {encoding}, not in UTF8")
    return connection


@lru_cache(maxsize=1024)
def _split(statement: str) -> tuple[str, tuple[str, ...]]:
    """With numbers for the names of parameters, and the names in the order of the numbers."""
    names: dict[str, int] = {}

    def numbered(part: re.Match[str]) -> str:
        if part[1] is None:
            return part[0]
        return f"${names.setdefault(part[1], len(names) + 1)}"

    return _PARTS.sub(numbered, statement), tuple(names)


def _numbered(statement: str, parameters: Parameters | None) -> tuple[str, list[Any]]:
    if not parameters:
        return statement, []
    text, names = _split(statement)
    return text, [_storable(parameters[name]) for name in names]


def _storable(value: Any) -> Any:
    """PostgreSQL has no text with a zero in it: a replacement stands for what can't be kept."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return value


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else "unknown error"
