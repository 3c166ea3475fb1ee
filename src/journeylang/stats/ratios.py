"""Ratios of two sums per group: revenue per order, clicks per message."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

from journeylang.stats import fieller
from journeylang.stats.comparison import LEVEL, Comparison, Interval, quantile, two_sided
from journeylang.stats.moments import Pairs, spread_of
from journeylang.stats.refusals import Reason, Refusal


def compare(control: Pairs, treated: Pairs, *, level: float = LEVEL) -> Comparison | Refusal:
    """The z-test of ``Σy/Σx`` of two groups, by the delta method; customers are independent.

    The variance of one ratio R is ``(s_yy - 2 R s_xy + R² s_xx) / (n x̄²)``: A. Deng, U. Knoblich
    and J. Lu, "Applying the delta method in metric analytics", KDD 2018.
    """
    first, second = _ratio(control), _ratio(treated)
    if isinstance(first, Refusal):
        return first
    if isinstance(second, Refusal):
        return second
    (r0, v0), (r1, v1) = first, second
    if v0 + v1 == 0:
        return Refusal(Reason.NO_VARIANCE)
    error, critical, d = sqrt(v0 + v1), quantile(level), r1 - r0
    return Comparison(
        control=r0,
        treated=r1,
        interval=Interval(low=d - critical * error, high=d + critical * error),
        statistic=d / error,
        p=two_sided(d / error),
        level=level,
        lift=fieller.lift(r0, r1, errors=(v0, v1), critical=critical),
    )


def _ratio(pairs: Pairs) -> tuple[float, float] | Refusal:
    """A group's ratio and the variance of it."""
    spread = spread_of(pairs)
    if isinstance(spread, Refusal):
        return spread
    if spread.x == 0:
        return Refusal(Reason.NO_BASE)
    ratio = spread.y / spread.x
    around = spread.yy - 2 * ratio * spread.xy + ratio * ratio * spread.xx
    variance = max(around, Fraction(0)) / (spread.n - 1) / (spread.n * spread.x * spread.x)
    try:
        return float(ratio), float(variance)
    except OverflowError:
        return Refusal(Reason.TOO_LARGE)
