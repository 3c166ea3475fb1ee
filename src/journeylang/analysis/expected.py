"""What an experiment expects, if its text begins with a figure: `"+10%"`, `"+2pp fewer clicks"`."""

from __future__ import annotations

import re

from journeylang.classes import dataclass

_EXPECTED = re.compile(r"\s*([+-])\s*(\d+(?:\.\d+)?)\s*(%|pp\b)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A change by `change`: of the rate itself, or in points added to it."""

    change: float
    points: bool

    def of(self, base: float) -> float:
        """The rate that is expected where it was `base`; maybe outside of 0 to 1."""
        return base + self.change if self.points else base * (1 + self.change)


def expected(text: str | None) -> Expected | None:
    found = _EXPECTED.match(text or "")
    if found is None:
        return None
    return Expected(change=float(found[1] + found[2]) / 100, points=found[3] == "pp")
