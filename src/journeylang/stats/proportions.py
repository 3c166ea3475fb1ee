"""Two proportions: customers who converted among all of a group."""

from __future__ import annotations

from math import sqrt

from journeylang.stats.comparison import LEVEL, Comparison, Interval, Lift, quantile, two_sided
from journeylang.stats.moments import Rate
from journeylang.stats.refusals import Reason, Refusal

_SPARSE = 5


def compare(control: Rate, treated: Rate, *, level: float = LEVEL) -> Comparison | Refusal:
    """The pooled z-test of p1 - p0, and intervals of the difference and of the lift.

    With p the share of both groups together, ``z = (p1 - p0) / sqrt(p (1 - p) (1/n1 + 1/n0))``:
    Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd edition (2003),
    section 3.1, without correction for continuity. If nobody or everybody converted in both
    groups, z is 0.
    """
    refused = control.checked() or treated.checked()
    if refused is not None:
        return refused
    n0, n1 = control.n, treated.n
    hits = control.hits + treated.hits
    p = hits / (n0 + n1)
    z = 0.0
    if 0 < hits < n0 + n1:
        z = (treated.share - control.share) / sqrt(p * (1 - p) * (1 / n1 + 1 / n0))
    cells = (control.hits, n0 - control.hits, treated.hits, n1 - treated.hits)
    return Comparison(
        control=control.share,
        treated=treated.share,
        interval=newcombe(control, treated, level=level),
        statistic=z,
        p=two_sided(z),
        level=level,
        lift=lift(control, treated, level=level),
        sparse=min(cells) < _SPARSE,
    )


def wilson(rate: Rate, *, level: float = LEVEL) -> Interval:
    """The score interval of one proportion of at least one customer.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22 (1927).
    """
    z, n, p = quantile(level), rate.n, rate.share
    middle = p + z * z / (2 * n)
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    low, high = (middle - reach) / whole, (middle + reach) / whole
    # At the ends the limits are exact, and rounding would put them beside.
    return Interval(low=low if rate.hits else 0.0, high=high if rate.hits < n else 1.0)


def newcombe(control: Rate, treated: Rate, *, level: float = LEVEL) -> Interval:
    """The interval of p1 - p0 from two Wilson intervals.

    ``d - sqrt((p1 - l1)² + (u0 - p0)²)`` to ``d + sqrt((u1 - p1)² + (p0 - l0)²)``: R. G. Newcombe,
    "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998), method 10.
    """
    p0, p1 = control.share, treated.share
    w0, w1 = wilson(control, level=level), wilson(treated, level=level)
    d = p1 - p0
    return Interval(
        low=d - sqrt((p1 - w1.low) ** 2 + (w0.high - p0) ** 2),
        high=d + sqrt((w1.high - p1) ** 2 + (p0 - w0.low) ** 2),
    )


def lift(control: Rate, treated: Rate, *, level: float = LEVEL) -> Lift | Refusal:
    """p1 / p0 - 1 by MOVER-R from two Wilson intervals.

    The limits are the ratios R for which a limit of p1 - R p0, built as Newcombe's, is 0:
    A. Donner and G. Y. Zou, "Closed-form confidence intervals for functions of the normal mean
    and standard deviation", Statistical Methods in Medical Research 21 (2012). So R = 1 lies
    outside exactly if 0 lies outside of Newcombe's interval. The lower limit is written with the
    root below, which has no gap where ``2 p0 = u0``.
    """
    refused = control.checked() or treated.checked()
    if refused is not None:
        return refused
    if control.hits == 0:
        return Refusal(Reason.NO_BASE)
    p0, p1 = control.share, treated.share
    w0, w1 = wilson(control, level=level), wilson(treated, level=level)
    both = p1 * p0
    low, high = w1.low * (2 * p1 - w1.low), w0.low * (2 * p0 - w0.low)
    beneath = both * both - low * w0.high * (2 * p0 - w0.high)
    above = both * both - high * w1.high * (2 * p1 - w1.high)
    smallest = low / (both + sqrt(max(beneath, 0.0))) if treated.hits else 0.0
    largest = (both + sqrt(max(above, 0.0))) / high
    return Lift(estimate=p1 / p0 - 1, interval=Interval(low=smallest - 1, high=largest - 1))
