"""Two means: value, spend or anything else with one number per customer."""

from __future__ import annotations

from math import sqrt

from journeylang.stats import fieller
from journeylang.stats.comparison import LEVEL, Comparison, Interval
from journeylang.stats.moments import Mean, Sample, mean_of
from journeylang.stats.refusals import Reason, Refusal


def compare(control: Sample, treated: Sample, *, level: float = LEVEL) -> Comparison | Refusal:
    """Welch's t-test of two means, with Fieller's interval of the lift; see `welch`."""
    first, second = mean_of(control), mean_of(treated)
    if isinstance(first, Refusal):
        return first
    if isinstance(second, Refusal):
        return second
    return welch(first, second, level=level)


def welch(control: Mean, treated: Mean, *, level: float = LEVEL) -> Comparison | Refusal:
    """``t = (m1 - m0) / sqrt(v1 + v0)`` with ``v = s²/n``, whose degrees of freedom are
    ``(v1 + v0)² / (v1²/(n1 - 1) + v0²/(n0 - 1))``.

    B. L. Welch, "The generalization of 'Student's' problem when several different population
    variances are involved", Biometrika 34 (1947). The lift takes the same critical value, so that
    it never contradicts the difference.
    """
    from scipy.special import stdtr, stdtrit

    v0, v1 = control.squared_error, treated.squared_error
    if v0 + v1 == 0:
        return Refusal(Reason.NO_VARIANCE)
    # Of shares, since squares of tiny variances would vanish.
    part = v1 / (v0 + v1)
    freedom = 1 / (part**2 / (treated.n - 1) + (1 - part) ** 2 / (control.n - 1))
    error = sqrt(v0 + v1)
    d = treated.mean - control.mean
    t = d / error
    critical = float(stdtrit(freedom, (1 + level) / 2))
    return Comparison(
        control=control.mean,
        treated=treated.mean,
        interval=Interval(low=d - critical * error, high=d + critical * error),
        statistic=t,
        p=min(1.0, 2 * float(stdtr(freedom, -abs(t)))),
        level=level,
        lift=fieller.lift(control.mean, treated.mean, errors=(v0, v1), critical=critical),
    )
