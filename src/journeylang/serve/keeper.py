"""The one thread that has the database: it takes the spool in, and answers what pages ask.

A DuckDB file that this process does not keep for itself is opened for as long as there is
something to do, and closed again, so that `journey run` finds it free. Whatever the database
does, requests are answered: what they bring is in the spool.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, TypeVar

from journeylang.api.database import newer
from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic
from journeylang.engines.base import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    Engine,
    StatementError,
)
from journeylang.runtime.migrate import NewerSchemaError, refuse_newer
from journeylang.serve.attention import Attention
from journeylang.serve.current import Current, Follower
from journeylang.serve.draining import Drain, try_unclaimed
from journeylang.serve.findings import Taken
from journeylang.serve.metrics import Metrics
from journeylang.serve.spool import Spool
from journeylang.serve.taking import Taker

T = TypeVar("T")

FOLLOWS = 5.0
"""Seconds between two looks whether something else was applied."""

LAST_TRIES = 10
LAST_REST = 0.2
"""So often, and with such a pause in seconds, taking in is tried again when it is to end."""

UNCLAIMED = 30.0
"""Seconds between two looks at what was said of messages that are not known yet."""

LONGEST_REST = 30.0


class ClosedError(Exception):
    """The database cannot be had for now; `problem`: and will not be by waiting alone."""

    def __init__(self, problem: Diagnostic | None = None) -> None:
        super().__init__()
        self.problem = problem


Question = Callable[[Engine, Taker], Any]


@dataclass(slots=True)
class _Asked:
    question: Question
    answer: Future[Any]


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Keeper:
    """`open_engine` opens the database, and what is served now takes records in.

    `keeps`: the database stays open. Of a file that does not, `touched` tells by another value
    that somebody has written to it: an apply may have been among it.
    """

    def __init__(
        self,
        spool: Spool,
        open_engine: Callable[[], Engine],
        current: Current,
        follower: Follower,
        metrics: Metrics,
        attention: Attention,
        *,
        keeps: bool,
        touched: Callable[[], object] | None = None,
        every: float = 0.5,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.spool = spool
        self.open_engine = open_engine
        self.current = current
        self.follower = follower
        self.metrics = metrics
        self.attention = attention
        self.keeps = keeps
        self.touched = touched
        self.follows = FOLLOWS
        self.every = every
        self.now = now
        self.drain = Drain(spool)
        self.failures = 0
        self.chosen = 0
        """How many choices were taken in: a service outside may have to be told of them."""
        self.drained_at: float | None = None
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._taker: Taker | None = None
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._ends = threading.Event()
        self._unclaimed_at = 0.0
        self._followed_at = 0.0
        self._attended_at = 0.0
        self._stamp: object = None
        self._unseen = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take in what is there, and give the database back."""
        self._ends.set()
        self._asked.put(None)
        self._thread.join()

    def ask(self, question: Callable[[Engine, Taker], T]) -> Future[T]:
        """Ask the database; the answer may be `ClosedError`."""
        answer: Future[T] = Future()
        self._asked.put(_Asked(question, answer))
        return answer

    def _run(self) -> None:
        rest = 0.0
        last = 0
        while True:
            asked = self._next(rest)
            ended = self._ends.is_set()
            last += ended
            try:
                self._work(asked)
                self.failures = 0
                rest = self.every
            except NewerSchemaError as error:
                self._failed("newer")
                self.attention.held(newer(error).diagnostics[0])
                rest = LONGEST_REST
            except (
                StatementError,
                DatabaseBusyError,
                DatabaseUnavailableError,
                ClosedError,
            ) as error:
                self._failed("database")
                if isinstance(error, ClosedError) and error.problem is not None:
                    self.attention.held(error.problem)
                rest = min(self.every * 2**self.failures, LONGEST_REST)
            except Exception:  # noqa: BLE001 - the thread must not end; the line stays in the spool
                self._failed("taking")
                rest = min(self.every * 2**self.failures, LONGEST_REST)
            for one in asked:
                if not one.answer.done():
                    one.answer.set_exception(ClosedError())
            # What is in the spool is taken in before the end, if a tick is not in its way for long.
            if ended and (not self.failures or last > LAST_TRIES):
                self._close()
                return
            rest = min(rest, LAST_REST) if ended else rest

    def _next(self, rest: float) -> list[_Asked]:
        """What is asked now; after `rest` seconds, nothing."""
        found = []
        try:
            first = self._asked.get(timeout=rest) if rest else self._asked.get_nowait()
            while first is not None:
                # Whoever asked may have stopped waiting; from here on nobody can take it back.
                if first.answer.set_running_or_notify_cancel():
                    found.append(first)
                first = self._asked.get_nowait()
        except queue.Empty:
            pass
        return found

    def _work(self, asked: list[_Asked]) -> None:
        clock = time.monotonic()
        if clock - self._attended_at > self.follows:
            self._attended_at = clock
            self.attention.look()
        waits = self.drain.waiting() > 0
        look = clock - self._unclaimed_at > UNCLAIMED
        follow = clock - self._followed_at > self.follows and self._may_differ()
        if not (asked or waits or follow or (look and self.keeps)):
            self.drained_at = clock
            return
        taker = self._open(follow=follow)
        self.attention.had()
        for one in asked:
            try:
                one.answer.set_result(one.question(taker.engine, taker))
            except Exception as error:  # noqa: BLE001 - it is the asker's
                one.answer.set_exception(error)
        self._told(self.drain.run(taker.engine, taker, self.now()))
        if look:
            self._told(try_unclaimed(taker.engine, taker, self.now()))
            self._unclaimed_at = clock
        self.drained_at = time.monotonic()
        if not self.keeps:
            self._close()

    def _told(self, taken: Taken) -> None:
        self.chosen += taken.written["notices"]
        self.metrics.count_all("journey_written_total", "kind", taken.written)
        self.metrics.count_all("journey_lost_total", "reason", taken.lost)

    def _may_differ(self) -> bool:
        """Whether something else may have been applied since the last look."""
        return self.keeps or (self.touched is not None and self.touched() != self._stamp)

    def _open(self, *, follow: bool) -> Taker:
        if self._taker is None:
            self._taker = self.current.taker(self.open_engine())
            # Who had the file until now may have applied something; its stamp will be this one's.
            self._unseen = not self.keeps and self._may_differ()
        if follow or self._unseen:
            self._followed_at = time.monotonic()
            # What is kept open has not been asked since it was opened.
            refuse_newer(self._taker.engine)
            if self.follower.look(self._taker.engine):
                self._taker = self.current.taker(self._taker.engine)
            self._unseen = False
        return self._taker

    def _failed(self, kind: str) -> None:
        self.failures += 1
        self.metrics.count("journey_failures_total", "kind", kind)
        if self._taker is not None:
            # A lost connection is replaced; one that is not is as good as before.
            self._close()

    def _close(self) -> None:
        if self._taker is not None:
            try:
                self._taker.engine.close()
            except StatementError:
                self.metrics.count("journey_failures_total", "kind", "database")
            self._taker = None
            if self.touched is not None and not self._unseen:
                self._stamp = self.touched()
