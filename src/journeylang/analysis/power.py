"""How many customers it takes to see a difference of two proportions."""

from __future__ import annotations

from math import ceil, sqrt

SIGNIFICANCE = 0.05
POWER = 0.8


def needed(control: float, treated: float, *, share_of_control: float = 0.5) -> int:
    """Customers in both groups together for a two-sided test to see the difference.

    ``control`` and ``treated`` are the proportions, between 0 and 1 and not equal;
    ``share_of_control`` is the part of the customers that the control group has.
    """
    ratio = (1 - share_of_control) / share_of_control
    control_group = in_control(control, treated, ratio=ratio)
    return ceil(control_group) + ceil(ratio * control_group)


def in_control(
    control: float,
    treated: float,
    *,
    ratio: float,
    significance: float = SIGNIFICANCE,
    power: float = POWER,
) -> float:
    """Customers in the control group. With ``ratio`` r treated for each in control,
    P = (p1 + r p2) / (1 + r) and Q = 1 - P, the normal approximation asks for

        n1 = (z(1 - a/2) sqrt((r + 1) P Q) + z(1 - b) sqrt(r p1 q1 + p2 q2))^2 / (r (p2 - p1)^2)

    at the significance a and with the power 1 - b: Fleiss, Levin and Paik, Statistical Methods for
    Rates and Proportions, 3rd edition (2003), section 4.4, without the correction for continuity,
    which would ask for more.
    """
    from statistics import NormalDist

    normal = NormalDist()
    alpha, beta = normal.inv_cdf(1 - significance / 2), normal.inv_cdf(power)
    mean = (control + ratio * treated) / (1 + ratio)
    under_null = alpha * sqrt((ratio + 1) * mean * (1 - mean))
    under_truth = beta * sqrt(ratio * control * (1 - control) + treated * (1 - treated))
    return (under_null + under_truth) ** 2 / (ratio * (treated - control) ** 2)
