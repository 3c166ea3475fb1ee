"""What a comparison of a treated group with its control says."""

from __future__ import annotations

from enum import Enum
from math import erfc, sqrt
from statistics import NormalDist

from journeylang.classes import dataclass
from journeylang.stats.refusals import Refusal

LEVEL = 0.95


class Verdict(Enum):
    HIGHER = "higher"
    LOWER = "lower"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    low: float
    high: float

    def has(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Treated over control, less one: 0.05 is five percent more."""

    estimate: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Treated less control, with a two-sided test and an interval at ``level``.

    ``sparse``: a group has fewer than five who converted or who did not, so that the test keeps
    its level only roughly.
    """

    control: float
    treated: float
    interval: Interval
    statistic: float
    p: float
    level: float
    lift: Lift | Refusal
    sparse: bool = False

    @property
    def difference(self) -> float:
        return self.treated - self.control

    @property
    def verdict(self) -> Verdict:
        """On the absolute scale: the test and the interval have to agree.

        The interval of the lift is made so that it excludes 0 exactly if that of the difference
        does; so none of the three ever contradicts another.
        """
        if self.p >= 1 - self.level or self.interval.has(0):
            return Verdict.UNDECIDED
        return Verdict.HIGHER if self.difference > 0 else Verdict.LOWER


def quantile(level: float) -> float:
    """The normal distribution's two-sided quantile: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def two_sided(z: float) -> float:
    """The chance that a standard normal is at least as far from 0 as ``z``."""
    return erfc(abs(z) / sqrt(2))
