"""Ticks and deliveries of a server that does both itself: `journey serve --run`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime

from journeylang.api.applying import in_use
from journeylang.api.database import newer
from journeylang.api.runtime import Runtime
from journeylang.diagnostics.codes.running import DATABASE_ERROR
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.engines.base import (
    ConflictError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    StatementError,
)
from journeylang.runtime.lease import TakenOverError
from journeylang.runtime.migrate import NewerSchemaError, refuse_newer
from journeylang.serve.current import Tell, revision_number
from journeylang.serve.keeper import utc_now
from journeylang.serve.metrics import Metrics


class Beats:
    """A thread that ticks and delivers, `every` so many seconds, until it is stopped.

    Without a `runtime` it opens one; where another one has the lease, it tries again and again.
    Between two beats the lease is free, so that somebody else can apply; what they have applied
    is what runs from the next beat on.
    """

    def __init__(
        self,
        runtime: Runtime | None,
        reopen: Callable[[bool | None], Outcome[Runtime]],
        metrics: Metrics,
        *,
        every: float,
        tell: Tell,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.runtime = runtime
        self.revision = None if runtime is None else _revision(runtime)
        self.reopen = reopen
        self.metrics = metrics
        self.every = every
        self.tell = tell
        self.now = now
        self.ticked_at: float | None = None
        self._told: set[str] = set()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.metrics.gauges["journey_seconds_since_tick"] = self._since

    def stop(self) -> None:
        """After the tick or delivery that is going on."""
        self._ends.set()
        self._thread.join()
        if self.runtime is not None:
            self.runtime.close()
            self.runtime = None

    def _since(self) -> float | None:
        return None if self.ticked_at is None else time.monotonic() - self.ticked_at

    def _run(self) -> None:
        while not self._ends.is_set():
            began = time.monotonic()
            try:
                self._beat()
            except TakenOverError as error:
                # Another one ticks now. When it has ended, this one goes on.
                self._tell([in_use(error.holder)])
            except DatabaseBusyError as error:
                self._tell([in_use(error.holder)])
            except NewerSchemaError as error:
                self.metrics.count("journey_failures_total", "kind", "newer")
                self._tell(newer(error).diagnostics)
                self._give_up()
            except (StatementError, DatabaseUnavailableError) as error:
                self.metrics.count("journey_failures_total", "kind", "tick")
                words = f"the database refused a statement: {error}"
                help_ = "nothing of this tick has happened; it is tried again"
                self._tell([Diagnostic(code=DATABASE_ERROR, message=words, help=help_)])
            except Exception as error:  # noqa: BLE001 - the server goes on; its words may be personal
                self.metrics.count("journey_failures_total", "kind", "tick")
                words = f"a tick failed: {type(error).__name__}"
                self._tell([Diagnostic(code=DATABASE_ERROR, message=words)])
            self._ends.wait(max(0.0, self.every - (time.monotonic() - began)))

    def _give_up(self) -> None:
        """Another release goes on with it: it is opened anew, and refused while that is so."""
        if self.runtime is not None:
            self.runtime.close()
            self.runtime = None

    def _beat(self) -> None:
        runtime = self._held()
        if runtime is None:
            self.metrics.count("journey_failures_total", "kind", "tick")
            return
        try:
            result = runtime.tick(self.now())
            self.metrics.count("journey_ticks_total", "kind", "idle" if result.idle else "busy")
            self.metrics.count("journey_messages_total", "state", "decided", result.sent)
            self.ticked_at = time.monotonic()
            if not self._ends.is_set():
                summary = runtime.deliver(result.now, running=True)
                for state in ("accepted", "failed", "cancelled", "expired", "unknown"):
                    number = getattr(summary, state)
                    self.metrics.count("journey_messages_total", "state", state, number)
        finally:
            self._tell(runtime.problems)
        runtime.session.lease.give_back()

    def _held(self) -> Runtime | None:
        """The runtime of what was applied last, with the lease.

        Raises:
            DatabaseBusyError: another one has it.
        NewerSchemaError: a later release has been here.
        """
        number = None
        if self.runtime is not None:
            try:
                self.runtime.session.lease.hold()
            except ConflictError:
                # The connection was lost.
                self.runtime.session.begin_again()
                self.runtime.session.lease.hold()
            refuse_newer(self.runtime.engine)
            number = _revision(self.runtime)
            if number == self.revision:
                return self.runtime
            self.runtime.close()
            self.runtime = None
        # By itself an environment applies what is there when the server starts, and once.
        opened = self.reopen(None if self.revision is None else False)
        self._tell(opened.diagnostics)
        if opened.value is not None:
            self.runtime = opened.value
            # As read before the project: what was applied in between is seen by the next beat.
            self.revision = _revision(opened.value) if number is None else number
        return opened.value

    def _tell(self, problems: Iterable[Diagnostic]) -> None:
        """Each once, however many ticks it lasts."""
        new = [p for p in problems if p.message not in self._told]
        self._told.update(p.message for p in new)
        if new:
            self.tell(new)


def _revision(runtime: Runtime) -> int:
    return revision_number(runtime.engine)
