"""How many customers a test needs, what it would see with those there are, and how surely.

Two-sided; sizes leave out the chance to reject on the wrong side, as is usual. ``customers``
are those of both groups together, ``share_of_control`` is the control's part of them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from statistics import NormalDist

from journeylang.analysis.power import POWER, in_control
from journeylang.stats.comparison import LEVEL, quantile
from journeylang.stats.refusals import Reason, Refusal

_HALVINGS = 100


def size(
    control: float,
    treated: float,
    *,
    share_of_control: float = 0.5,
    level: float = LEVEL,
    power: float = POWER,
) -> int | Refusal:
    """Customers needed for two proportions; the formula is at `journeylang.analysis.power`."""
    if not (0 <= control <= 1 and 0 <= treated <= 1 and 0 < share_of_control < 1):
        return Refusal(Reason.NOT_A_SHARE)
    if control == treated:
        return Refusal(Reason.NO_DIFFERENCE)
    ratio = (1 - share_of_control) / share_of_control
    n = in_control(control, treated, ratio=ratio, significance=1 - level, power=power)
    return ceil(n) + ceil(ratio * n)


def power_of(
    control: float,
    treated: float,
    *,
    customers: int,
    share_of_control: float = 0.5,
    level: float = LEVEL,
) -> float | Refusal:
    """The chance to see a difference of two proportions: the formula of `size` turned round."""
    if not (0 <= control <= 1 and 0 <= treated <= 1 and 0 < share_of_control < 1):
        return Refusal(Reason.NOT_A_SHARE)
    if customers <= 0:
        return Refusal(Reason.EMPTY)
    if control == treated:
        return Refusal(Reason.NO_DIFFERENCE)
    ratio = (1 - share_of_control) / share_of_control
    mean = (control + ratio * treated) / (1 + ratio)
    under_null = quantile(level) * sqrt((ratio + 1) * mean * (1 - mean))
    under_truth = sqrt(ratio * control * (1 - control) + treated * (1 - treated))
    apart = sqrt(customers * share_of_control * ratio) * abs(treated - control)
    if under_truth == 0:
        return float(apart > under_null)
    return _beyond(apart / under_truth, under_null / under_truth)


def smallest_rise(
    control: float,
    *,
    customers: int,
    share_of_control: float = 0.5,
    level: float = LEVEL,
    power: float = POWER,
) -> float | Refusal:
    """The smallest higher proportion, less the control's, that is seen with this power."""
    if not (0 <= control <= 1 and 0 < share_of_control < 1):
        return Refusal(Reason.NOT_A_SHARE)
    ratio = (1 - share_of_control) / share_of_control
    group = customers * share_of_control

    def seen(treated: float) -> bool:
        n = in_control(control, treated, ratio=ratio, significance=1 - level, power=power)
        return n <= group

    if control == 1 or customers <= 0 or not seen(1.0):
        return Refusal(Reason.NOT_REACHABLE)
    return _least(seen, control, 1.0) - control


def size_of_means(
    difference: float,
    *,
    deviation: float,
    share_of_control: float = 0.5,
    level: float = LEVEL,
    power: float = POWER,
) -> int | Refusal:
    """Customers needed for two means of one standard deviation.

    In control ``(z(1 - α/2) + z(1 - β))² s² (1 + 1/r) / d²``, with r treated for each: S.-C. Chow,
    J. Shao, H. Wang and Y. Lokhnygina, Sample Size Calculations in Clinical Research, 3rd edition
    (2017), section 3.2.
    """
    if not 0 < share_of_control < 1:
        return Refusal(Reason.NOT_A_SHARE)
    if deviation == 0:
        return Refusal(Reason.NO_VARIANCE)
    if difference == 0:
        return Refusal(Reason.NO_DIFFERENCE)
    ratio = (1 - share_of_control) / share_of_control
    reach = (quantile(level) + NormalDist().inv_cdf(power)) * deviation / difference
    try:
        n = reach * reach * (1 + 1 / ratio)
        return ceil(n) + ceil(ratio * n)
    except OverflowError:
        return Refusal(Reason.TOO_LARGE)


def power_of_means(
    difference: float,
    *,
    deviation: float,
    customers: int,
    share_of_control: float = 0.5,
    level: float = LEVEL,
) -> float | Refusal:
    """The chance to see a difference of two means: the formula of `size_of_means` turned round."""
    error = _error(deviation, customers, share_of_control)
    if isinstance(error, Refusal):
        return error
    return _beyond(abs(difference) / error, quantile(level))


def smallest_difference(
    *,
    deviation: float,
    customers: int,
    share_of_control: float = 0.5,
    level: float = LEVEL,
    power: float = POWER,
) -> float | Refusal:
    """The smallest difference of two means that is seen with this power."""
    error = _error(deviation, customers, share_of_control)
    if isinstance(error, Refusal):
        return error
    return (quantile(level) + NormalDist().inv_cdf(power)) * error


def _beyond(mean: float, bound: float) -> float:
    """The chance that a normal with this mean lies beyond the bound, on either side."""
    normal = NormalDist(mean)
    return 1 - normal.cdf(bound) + normal.cdf(-bound)


def _error(deviation: float, customers: int, share_of_control: float) -> float | Refusal:
    """The standard error of a difference of means."""
    if not 0 < share_of_control < 1:
        return Refusal(Reason.NOT_A_SHARE)
    if customers <= 0:
        return Refusal(Reason.EMPTY)
    if deviation == 0:
        return Refusal(Reason.NO_VARIANCE)
    return deviation / sqrt(customers * share_of_control * (1 - share_of_control))


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where it begins to hold, which it does at ``high`` and not at ``low``."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
