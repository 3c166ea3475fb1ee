"""The interval of a ratio of two independent means."""

from __future__ import annotations

from math import sqrt

from journeylang.stats.comparison import Interval, Lift
from journeylang.stats.refusals import Reason, Refusal


def lift(
    control: float, treated: float, *, errors: tuple[float, float], critical: float
) -> Lift | Refusal:
    """``treated / control - 1``, with Fieller's limits at a critical value.

    ``errors`` are the variances of the two means, control first. The limits are the roots R of
    ``(m1 - R m0)² = t² (v1 + R² v0)``: E. C. Fieller, "Some problems in interval estimation",
    Journal of the Royal Statistical Society B 16 (1954). With the critical value of the
    difference's own interval, R = 1 lies outside exactly if 0 lies outside of that. Where the
    control's mean is not apart from 0 at that value, the limits have no end: refused.
    """
    v0, v1 = errors
    if control < 0:
        return Refusal(Reason.NEGATIVE_BASE)
    square = critical * critical
    a = control * control - square * v0
    if control == 0 or a <= 0:
        return Refusal(Reason.NO_BASE)
    b = control * treated
    c = treated * treated - square * v1
    root = sqrt(max(b * b - a * c, 0.0))
    limits = Interval(low=(b - root) / a - 1, high=(b + root) / a - 1)
    return Lift(estimate=treated / control - 1, interval=limits)
