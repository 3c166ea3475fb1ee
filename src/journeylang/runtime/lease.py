"""Who ticks, where several processes may have one database.

One runtime at a time moves people: it holds the lease in `journey.lock` and renews it as it
goes. A lease ends by itself, by the database's clock, so that a runtime that is gone stands in
nobody's way for long. One that was merely stopped finds out in its next tick, whose first
statement asks for the lease again (as fencing token stands who holds it): nothing of that tick
is kept. While it is stopped within a tick the database ends its transaction after the same time.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import field
from datetime import timedelta

from journeylang.classes import dataclass
from journeylang.engines.base import DatabaseBusyError, Engine, StatementError
from journeylang.sql import lease as sql

LENGTH = timedelta(seconds=60)


class TakenOverError(StatementError):
    """Another runtime has taken the lease meanwhile; nothing of this tick has happened."""

    def __init__(self, holder: str) -> None:
        super().__init__("", f"{holder} has taken over")
        self.holder = holder


@dataclass(slots=True, kw_only=True)
class Lease:
    """One runtime's; where a database has one process at a time there is nothing to hold."""

    engine: Engine
    length: timedelta = LENGTH
    holder: str = field(
        default_factory=lambda: (
            f"process {os.getpid()} on {socket.gethostname()} ({secrets.token_hex(3)})"
        )
    )
    _renewed: float | None = None

    def hold(self) -> None:
        """Take the lease, or go on holding it.

        Raises:
            DatabaseBusyError: somebody else has it.
        """
        if not self.engine.dialect.shared:
            return
        now = time.monotonic()
        if self._renewed is not None and now - self._renewed < self.length.total_seconds() / 3:
            return
        seconds = self.length.total_seconds()
        if self._renewed is None:
            self.engine.execute(sql.bounded(seconds))
        other = self._other()
        taken = {"holder": self.holder, "seconds": seconds}
        if other is not None or not self.engine.query(sql.TAKE, taken):
            raise DatabaseBusyError("the database", other or "another runtime")
        self._renewed = now

    def hold_within(self, seconds: float) -> None:
        """`hold`, waiting so long for another: `run --every` lets go of it between two ticks.

        Raises:
            DatabaseBusyError: somebody else has it still.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                return self.hold()
            except DatabaseBusyError:
                if time.monotonic() >= until:
                    raise
                time.sleep(0.2)

    def go_on(self) -> None:
        """`hold` in the middle of the work.

        Raises:
            TakenOverError: somebody else has it.
        """
        try:
            self.hold()
        except DatabaseBusyError as error:
            self._renewed = None
            raise TakenOverError(error.holder) from None

    def lost(self) -> TakenOverError:
        """To be raised by a tick that finds another's name in the lock, or none."""
        self._renewed = None
        return TakenOverError(self._other() or "another runtime")

    def forget(self) -> None:
        """After a lost connection nothing is known: the next `hold` asks."""
        self._renewed = None

    def give_back(self) -> None:
        """Let others have it at once."""
        if self._renewed is not None:
            self._renewed = None
            self.engine.execute(sql.GIVE_BACK, {"holder": self.holder})

    def _other(self) -> str | None:
        found = self.engine.query(sql.OTHER, {"holder": self.holder})
        return str(found[0][0]) if found else None
