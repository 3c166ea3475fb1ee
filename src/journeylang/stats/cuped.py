"""Less noise by what was known before: CUPED."""

from __future__ import annotations

from fractions import Fraction

from journeylang.classes import dataclass
from journeylang.stats.comparison import LEVEL, Comparison
from journeylang.stats.means import welch
from journeylang.stats.moments import Mean, Pairs, Spread, spread_of
from journeylang.stats.refusals import Reason, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """The comparison of the adjusted means, and what it took.

    ``theta`` is taken off per unit of the earlier metric; ``explained`` is the part of the
    variance within the groups that this takes away, 0 to 1.
    """

    comparison: Comparison
    theta: float
    explained: float


def compare(control: Pairs, treated: Pairs, *, level: float = LEVEL) -> Adjusted | Refusal:
    """Compare y, with what x, measured before the exposure, foretells taken off.

    Each customer's y becomes ``y - θ (x - x̄)``, where θ is the covariance over the variance, both
    within the groups, and x̄ is of all; then Welch's test. A. Deng, Y. Xu, R. Kohavi and T. Walker,
    "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data",
    WSDM 2013. The difference is that of a regression of y on the group and x.
    """
    first, second = spread_of(control), spread_of(treated)
    if isinstance(first, Refusal):
        return first
    if isinstance(second, Refusal):
        return second
    xx, yy, xy = first.xx + second.xx, first.yy + second.yy, first.xy + second.xy
    if xx == 0:
        return Refusal(Reason.NO_PRE_PERIOD)
    theta = xy / xx
    middle = (first.n * first.x + second.n * second.x) / (first.n + second.n)

    def adjusted(group: Spread) -> Mean:
        around = group.yy - 2 * theta * group.xy + theta * theta * group.xx
        mean = group.y - theta * (group.x - middle)
        return Mean(
            n=group.n, mean=float(mean), variance=float(max(around, Fraction(0)) / (group.n - 1))
        )

    try:
        found = welch(adjusted(first), adjusted(second), level=level)
        if isinstance(found, Refusal):
            return found
        explained = float(xy * xy / (xx * yy)) if yy else 0.0
        return Adjusted(comparison=found, theta=float(theta), explained=explained)
    except OverflowError:
        return Refusal(Reason.TOO_LARGE)
