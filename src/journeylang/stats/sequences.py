"""Intervals that may be looked at every day: asymptotic confidence sequences."""

from __future__ import annotations

from math import exp, log, sqrt

from journeylang.stats import fieller
from journeylang.stats.comparison import LEVEL, Comparison, Interval
from journeylang.stats.moments import Sample, mean_of
from journeylang.stats.refusals import Reason, Refusal

CONVERSIONS = 25
"""So many conversions each group needs, for the normal approximation to hold from then on."""

TUNED_FOR = 5_000
"""The sequence is narrowest about this many customers, unless told otherwise before the start."""


def compare(
    control: Sample,
    treated: Sample,
    *,
    conversions: tuple[int, int],
    tuned_for: int = TUNED_FOR,
    level: float = LEVEL,
) -> Comparison | Refusal:
    """The difference of two means, covered at all looks together with the chance of ``level``.

    Of N customers in both groups, with ``v = s²/n`` per group and ``σ² = N (v1 + v0)``, the
    interval reaches to both sides ``σ sqrt(2 (N ρ² + 1) / (N² ρ²) log(sqrt(N ρ² + 1) / α))``:
    I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform central limit
    theory and asymptotic confidence sequences", Annals of Statistics 52 (2024), theorem 2.2, with
    ρ of the appendix for ``tuned_for`` customers. It holds at the first look as an approximation,
    which is why each group needs `CONVERSIONS` (``conversions``, control first).

    ``p`` is valid at each look: the smallest α at which the interval excludes 0, or 1.
    """
    if min(conversions) < CONVERSIONS:
        return Refusal(Reason.TOO_EARLY)
    first, second = mean_of(control), mean_of(treated)
    if isinstance(first, Refusal):
        return first
    if isinstance(second, Refusal):
        return second
    errors = (first.squared_error, second.squared_error)
    if sum(errors) == 0:
        return Refusal(Reason.NO_VARIANCE)
    alpha = 1 - level
    spread = (first.n + second.n) * _squared_rho(alpha, tuned_for)
    critical = sqrt(2 * (spread + 1) / spread * log(sqrt(spread + 1) / alpha))
    error, d = sqrt(sum(errors)), second.mean - first.mean
    z = d / error
    exponent = log(spread + 1) / 2 - z * z * spread / (2 * (spread + 1))
    return Comparison(
        control=first.mean,
        treated=second.mean,
        interval=Interval(low=d - critical * error, high=d + critical * error),
        statistic=z,
        p=exp(min(exponent, 0.0)),
        level=level,
        lift=fieller.lift(first.mean, second.mean, errors=errors, critical=critical),
    )


def _squared_rho(alpha: float, customers: int) -> float:
    """The mixture's variance that is best at so many customers."""
    square = -2 * log(alpha)
    return (square + log(square + 1)) / customers
