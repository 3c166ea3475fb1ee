"""A provider's rate: a bucket of tokens that fills evenly."""

from __future__ import annotations

import asyncio


class Pace:
    """At most `per_second` messages a second over all connections; 0 is no limit.

    `burst` messages may go at once when nothing went before them. It is kept as the one instant
    at which the bucket will be full again (the generic cell rate algorithm).
    """

    def __init__(self, per_second: float, *, burst: int = 1) -> None:
        self._gap = 1.0 / per_second if per_second else 0.0
        self._slack = self._gap * (burst - 1)
        self._full_at = 0.0

    @property
    def limited(self) -> bool:
        return self._gap > 0

    async def turn(self, messages: int = 1) -> None:
        """Wait until so many may go."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        begins = max(self._full_at, now)
        self._full_at = begins + self._gap * messages
        wait = begins - self._slack - now
        if wait > 0:
            await asyncio.sleep(wait)
