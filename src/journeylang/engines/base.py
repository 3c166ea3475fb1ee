"""What the runtime asks of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from journeylang.sql.dialects import Dialect

Parameters = Mapping[str, Any]


class DatabaseBusyError(Exception):
    """Another process holds the database; `holder` says who, as far as is known."""

    def __init__(self, database: str, holder: str) -> None:
        super().__init__(f"{database} is in use by {holder}")
        self.database = database
        self.holder = holder


class DatabaseUnavailableError(Exception):
    """The database can't be opened; the message says why."""


class StatementError(Exception):
    """The database refused a statement. The message is the database's first line."""

    def __init__(self, statement: str, message: str) -> None:
        super().__init__(message)
        self.statement = statement


class ConflictError(StatementError):
    """Others were in the transaction's way, or the connection was lost in it.

    It is undone, and done again from its beginning it may succeed.
    """


class Engine(Protocol):
    """One connection. Parameters are named; those that a statement lacks are left out.

    Instants go in and come out as naive datetimes in UTC.
    """

    dialect: Dialect

    def beside(self) -> Engine:
        """A second connection to the same database, for another thread."""

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        """Run a statement; how many rows it wrote (0 for definitions)."""

    def query(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    def stream(
        self, statement: str, parameters: Parameters | None = None, size: int = 10_000
    ) -> Any:
        """Rows of a query in lists of at most `size`."""

    def insert(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Write rows of Python values; `columns` are names and the database's types."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end, roll back on any exception."""

    def recover(self) -> bool:
        """After a conflict: True if the connection is a new one, without temporary tables.

        Raises:
            DatabaseUnavailableError: the database is not to be reached any more.
        """

    def shape(self, query: str) -> dict[str, str]:
        """Column names of a query, and the database's types."""

    def columns(self, table: Sequence[str]) -> dict[str, str] | None:
        """Column names and the database's types of a table, None if there is no such table."""

    def interrupt(self) -> None:
        """End the statement that another thread runs here, if one runs: it fails there."""

    def close(self) -> None:
        """Give the database back."""
