"""When an answer is late: one timer of a connection for all that is asked over it.

A timer for each question costs more than to send it. This one is set when something is asked and
none is set yet; when it rings too early for the question that is open, it is set anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `late` when a question is open for longer than was said when it `began`."""

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        """A question that has so long."""
        loop = asyncio.get_running_loop()
        self._at = at = loop.time() + seconds
        if self._timer is not None and self._timer.when() > at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(at, self._ring, loop)

    def end(self) -> None:
        """It is answered."""
        self._at = None

    def close(self) -> None:
        """Nothing is asked any more."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._at is None:
            return
        if loop.time() < self._at:
            self._timer = loop.call_at(self._at, self._ring, loop)
        else:
            self._at = None
            self._late()
