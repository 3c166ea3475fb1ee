"""From the spool into the database: once each, whatever ends in between.

How far a segment is taken is written in the transaction that takes it. A row that the database
refuses (a constraint of the user's own table) is set aside, and everything behind it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from journeylang.engines.base import ConflictError, Engine, StatementError
from journeylang.serve.findings import Taken
from journeylang.serve.records import Happened, Said, from_line
from journeylang.serve.spool import Spool
from journeylang.serve.taking import Taker

PORTION = 512 * 1024
"""Bytes that are taken together, about."""

ASIDE = "refused.log"
"""The file in the spool's folder for what the database does not take."""


class Drain:
    """Takes what is in a spool; one call at a time."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._taken: dict[str, int] = {}

    def waiting(self) -> int:
        """Bytes that are not taken yet. What another process left is not known before a `run`."""
        sizes = self.spool.sizes()
        self._taken = {name: end for name, end in self._taken.items() if name in sizes}
        return sum(size - self._taken.get(name, 0) for name, size in sizes.items())

    def run(self, engine: Engine, taker: Taker, now: datetime) -> Taken:
        """Everything that is there.

        Raises:
            StatementError: the database refuses what no row is to blame for; all of it stays.
        """
        total = Taken()
        with one_at_a_time(engine):
            for segment, complete in self.spool.segments():
                try:
                    self._segment(engine, taker, segment, now, total)
                except FileNotFoundError:
                    continue  # another one has taken it
                if complete:
                    self.spool.remove(segment)
                    engine.execute("DELETE FROM journey.meta WHERE name = $name", _named(segment))
        return total

    def _segment(
        self, engine: Engine, taker: Taker, segment: str, now: datetime, total: Taken
    ) -> None:
        start = _position(engine, segment)
        most: int | None = None  # lines that go together; None: all
        while True:
            self._taken[segment] = start
            lines, end = self.spool.lines(segment, start, PORTION)
            if not lines:
                return
            if most is not None and most < len(lines):
                lines = lines[:most]
                end = start + sum(len(line) + 1 for line in lines)
            try:
                with engine.transaction():
                    taken = self._take(taker, lines, now)
                    _advance(engine, segment, end)
            except ConflictError:
                raise
            except StatementError:
                if len(lines) > 1:
                    most = len(lines) // 2
                    continue
                self._set_aside(engine, taker, lines[0])
                with engine.transaction():
                    _advance(engine, segment, end)
                total.lost["refused_by_database"] += 1
                start = end
                continue
            total.written.update(taken.written)
            total.lost.update(taken.lost)
            most = None if most is None else most * 2
            start = end

    def _take(self, taker: Taker, lines: list[bytes], now: datetime) -> Taken:
        records = [from_line(line) for line in lines]
        taken = taker.take([one for one in records if one is not None], now)
        taken.lost["unreadable"] += sum(one is None for one in records)
        return taken

    def _set_aside(self, engine: Engine, taker: Taker, line: bytes) -> None:
        """Keep a row that its table does not take.

        Raises:
            StatementError: it is not the row's fault.
        """
        record = from_line(line)
        shape = taker.shapes.get(record.event) if isinstance(record, Happened) else None
        if shape is None or not engine.query(f"SELECT count(*) FROM {shape.table}"):
            raise StatementError("", "what was taken in cannot be written")
        path = self.spool.folder / ASIDE
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line + b"\n")
            os.fsync(file)
        finally:
            os.close(file)


def try_unclaimed(engine: Engine, taker: Taker, now: datetime) -> Taken:
    """Once more what was said of messages that were not known yet."""
    with one_at_a_time(engine), engine.transaction():
        lines = engine.query("SELECT line FROM journey.unclaimed ORDER BY received_at")
        if not lines:
            return Taken()
        engine.execute("DELETE FROM journey.unclaimed")
        records = [from_line(line.encode()) for (line,) in lines]
        return taker.take([one for one in records if isinstance(one, Said)], now)


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[None]:
    """Where several processes have the database, one of them takes."""
    statements = engine.dialect.alone("intake")
    if statements is None:
        yield
        return
    before, behind = statements
    engine.query(before)
    try:
        yield
    finally:
        # With a connection that is lost, the lock is gone as well.
        with suppress(StatementError):
            engine.query(behind)


def _named(segment: str) -> dict[str, str]:
    return {"name": f"spool {segment}"}


def _position(engine: Engine, segment: str) -> int:
    found = engine.query("SELECT value FROM journey.meta WHERE name = $name", _named(segment))
    return int(found[0][0]) if found else 0


def _advance(engine: Engine, segment: str, end: int) -> None:
    values = _named(segment) | {"value": str(end)}
    if not engine.execute("UPDATE journey.meta SET value = $value WHERE name = $name", values):
        engine.execute("INSERT INTO journey.meta (name, value) VALUES ($name, $value)", values)
