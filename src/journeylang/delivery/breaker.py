"""A provider that does not answer is left alone for a while, and then asked once."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
"""So many failures in a row open the breaker."""

FIRST_REST, LONGEST_REST = 5.0, 300.0
"""Seconds; it doubles each time that the one question after it fails too."""


class Breaker:
    """Closed: all go. Open: nobody does. Half open, when its rest is over: one does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest = FIRST_REST
        self._until = 0.0

    def left(self) -> float:
        """Seconds until something may be asked again; 0 if it may be now."""
        return max(self._until - self._clock(), 0.0)

    @property
    def half_open(self) -> bool:
        """Whether it opened and nothing has succeeded since."""
        return self._failures >= FAILURES

    def good(self) -> None:
        self._failures = 0
        self._rest = FIRST_REST

    def bad(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = self._clock() + self._rest
            self._rest = min(self._rest * 2, LONGEST_REST)

    def rest(self, seconds: float) -> None:
        """The provider said for how long it wants to be left alone."""
        self._until = max(self._until, self._clock() + seconds)
