"""Which pass of a `repeat` a run is in, as one whole number of three digits to the base 1000.

The first digit counts the passes of the outermost loop, the second those of a loop within it,
and so on; 0 is outside. So the number of the way up to a step, without the digits below its own
loops, tells its messages apart: it is their occurrence.
"""

from __future__ import annotations

from journeylang.classes import dataclass

DEEPEST = 3
"""Loops within each other."""

MOST_TIMES = 999
BASE = 1000


def weight(depth: int) -> int:
    """What one pass of the loop at a depth (1 is the outermost) counts for."""
    return (BASE * BASE, BASE, 1)[depth - 1]


@dataclass(frozen=True, slots=True)
class Passes:
    """What a way makes of the number n: n - n % kept + added."""

    kept: int = 1
    added: int = 0

    def another(self, depth: int) -> Passes:
        """One more pass of the loop at a depth begins, or its first."""
        return Passes(self.kept, self.added + weight(depth))

    def left(self, depth: int) -> Passes:
        """The loop at a depth is behind."""
        whole = weight(depth) * BASE
        return Passes(max(self.kept, whole), self.added - self.added % whole)


STRAIGHT = Passes()
"""Of a way that neither begins nor ends a pass."""
