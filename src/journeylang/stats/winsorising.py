"""Sums of values that a cap cuts off above: one large order decides nothing."""

from __future__ import annotations

from fractions import Fraction

from journeylang.stats.moments import Number, Sample


def winsorised(below: Sample, *, over: int, cap: Number) -> Sample:
    """The sums of ``min(y, cap)``, from those of the values up to the cap and how many lie over it.

    The cap is one for all groups, a quantile of the values of all of them together: one per group
    would hide a treatment that works at the top. R. Kohavi, D. Tang and Y. Xu, Trustworthy Online
    Controlled Experiments (2020), chapter 22.
    """
    more, limit = Fraction(over), Fraction(cap)
    return Sample(
        n=below.n + over,
        total=Fraction(below.total) + more * limit,
        squares=Fraction(below.squares) + more * limit * limit,
    )
