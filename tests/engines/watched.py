"""A real engine with an eye on it: every statement passes a watcher before it runs.

It sees what any engine is asked, whatever is behind it. The watcher may count, and it may raise
or end the process: then the statement has not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from journeylang.engines.base import Engine, Parameters

BEGIN, COMMIT, COMMITTED = "BEGIN", "COMMIT", "-- committed"
"""What a watcher is told of transactions; the last when the commit has been."""


class Watched:
    """`engine`, with `before` called with the text of each statement."""

    def __init__(self, engine: Engine, before: Callable[[str], None]) -> None:
        self.engine = engine
        self.before = before
        self.dialect = engine.dialect

    def beside(self) -> Watched:
        return Watched(self.engine.beside(), self.before)

    def execute(self, statement: str, parameters: Parameters | None = None) -> int:
        self.before(statement)
        return self.engine.execute(statement, parameters)

    def query(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        self.before(statement)
        return self.engine.query(statement, parameters)

    def stream(
        self, statement: str, parameters: Parameters | None = None, size: int = 10_000
    ) -> Any:
        self.before(statement)
        return self.engine.stream(statement, parameters, size)

    def insert(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        if rows:
            self.before(f"INSERT INTO {table}")
        self.engine.insert(table, columns, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.before(BEGIN)
        with self.engine.transaction():
            yield
            self.before(COMMIT)
        self.before(COMMITTED)

    def recover(self) -> bool:
        return self.engine.recover()

    def shape(self, query: str) -> dict[str, str]:
        return self.engine.shape(query)

    def columns(self, table: Sequence[str]) -> dict[str, str] | None:
        return self.engine.columns(table)

    def interrupt(self) -> None:
        self.engine.interrupt()

    def close(self) -> None:
        self.engine.close()


class Count:
    """A watcher that counts statements, those of a transaction itself left out.

    So are those of the lease: how many there are depends on how much time goes by.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, statement: str) -> None:
        of_lease = "lease_until" in statement or "lock_timeout" in statement
        if statement not in (BEGIN, COMMIT, COMMITTED) and not of_lease:
            self.seen.append(statement)

    def of(self, work: Callable[[], object]) -> int:
        """How many statements some work takes."""
        self.seen.clear()
        work()
        return len(self.seen)
