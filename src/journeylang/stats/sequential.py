"""Bounds for a few looks planned ahead: group sequential tests that spend their error."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from math import e, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.stats.comparison import LEVEL, two_sided
from journeylang.stats.refusals import Reason, Refusal

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Values = NDArray[float64]

_FARTHEST = 8.0
"""No bound lies beyond: there the chance is below 1e-15."""

_NODES = 320
_HALVINGS = 60


class Spending(Enum):
    """How fast the error is spent.

    Like O'Brien and Fleming's bounds, hardly anything at first, or like Pocock's, nearly evenly.
    """

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"

    def spent(self, alpha: float, fraction: float) -> float:
        """Of ``alpha`` on one side, when ``fraction`` of the information is there.

        ``2 - 2 Φ(z(1 - α/2) / sqrt(t))`` and ``α ln(1 + (e - 1) t)``: K. K. G. Lan and D. L.
        DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983).
        """
        if self is Spending.POCOCK:
            return alpha * log(1 + (e - 1) * fraction)
        return two_sided(NormalDist().inv_cdf(1 - alpha / 2) / sqrt(fraction))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at ``fraction`` of the information rejects from ``|z| >= bound`` on.

    ``spent`` is the chance, both sides together, of a false alarm up to here.
    """

    fraction: float
    bound: float
    spent: float


def bounds(
    fractions: Sequence[float], spending: Spending, *, level: float = LEVEL
) -> tuple[Look, ...] | Refusal:
    """The bounds of looks at these fractions of the planned customers, ascending, up to 1.

    The density of the statistic among those who went on is carried from look to look by numerical
    integration: P. Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests on
    accumulating data", Journal of the Royal Statistical Society A 132 (1969).
    """
    before = (0.0, *fractions)
    if not fractions or fractions[-1] > 1:
        return Refusal(Reason.NOT_A_SHARE)
    if any(a >= b for a, b in zip(before, fractions, strict=False)):
        return Refusal(Reason.IMPOSSIBLE)

    import numpy as np
    from numpy.polynomial.legendre import leggauss
    from scipy.special import ndtr

    nodes, weights = leggauss(_NODES)
    # Where the path may be, and how much chance is there. At first all of it is at 0.
    at: Values = np.zeros(1)
    mass: Values = np.ones(1)
    looks: list[Look] = []
    gone, previous = 0.0, 0.0
    for fraction in fractions:
        step, root = sqrt(fraction - previous), sqrt(fraction)
        spent = spending.spent((1 - level) / 2, fraction)
        low, high = 0.0, _FARTHEST
        for _ in range(_HALVINGS):
            bound = (low + high) / 2
            leaves = float(np.sum(mass * ndtr((at - bound * root) / step)))
            low, high = (bound, high) if leaves > spent - gone else (low, bound)
        gone, previous = spent, fraction
        looks.append(Look(fraction=fraction, bound=high, spent=2 * spent))
        edge = high * root
        onward = edge * nodes
        apart = (onward[:, None] - at[None, :]) / step
        density = np.exp(-apart * apart / 2) @ mass / (step * sqrt(2 * np.pi))
        at, mass = onward, density * weights * edge
    return tuple(looks)
