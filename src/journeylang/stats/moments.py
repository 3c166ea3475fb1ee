"""Sufficient statistics: what SQL sums, and what means and variances follow from it.

Sums are integers, decimals or floats. They are taken as exact fractions, so that a variance is
not lost between two sums of squares that are nearly equal.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from journeylang.classes import dataclass
from journeylang.stats.refusals import Reason, Refusal

Number = int | float | Decimal | Fraction

_NOISE = 1e-12
"""Of sums of floats, variances below this share of the squares are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Customers, and how many of them converted."""

    n: int
    hits: int

    def checked(self) -> Refusal | None:
        if self.n == 0 and self.hits == 0:
            return Refusal(Reason.EMPTY)
        return None if 0 <= self.hits <= self.n else Refusal(Reason.IMPOSSIBLE)

    @property
    def share(self) -> float:
        return self.hits / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value per customer: how many, their sum, and the sum of their squares."""

    n: int
    total: Number
    squares: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Two values y and x per customer: their sums, squares and products."""

    n: int
    y: Number
    x: Number
    yy: Number
    xx: Number
    xy: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean and its spread. ``variance`` is the customers' own, with n - 1 below."""

    n: int
    mean: float
    variance: float

    @property
    def squared_error(self) -> float:
        """The variance of the mean."""
        return self.variance / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of pairs the means, and the sums of squares and products around them."""

    n: int
    y: Fraction
    x: Fraction
    yy: Fraction
    xx: Fraction
    xy: Fraction


def mean_of(sample: Sample) -> Mean | Refusal:
    """Mean and variance ``(Σy² - (Σy)²/n) / (n - 1)``; of one customer nothing is known."""
    if (few := _too_few(sample.n)) is not None:
        return few
    sums = _exact(sample.total, sample.squares)
    if isinstance(sums, Refusal):
        return sums
    total, squares = sums
    around = _around(sample.n, total, squares, rounded=isinstance(sample.squares, float))
    if isinstance(around, Refusal):
        return around
    try:
        mean, variance = float(total / sample.n), float(around / (sample.n - 1))
    except OverflowError:
        return Refusal(Reason.TOO_LARGE)
    return Mean(n=sample.n, mean=mean, variance=variance)


def spread_of(pairs: Pairs) -> Spread | Refusal:
    if (few := _too_few(pairs.n)) is not None:
        return few
    sums = _exact(pairs.y, pairs.x, pairs.yy, pairs.xx, pairs.xy)
    if isinstance(sums, Refusal):
        return sums
    y, x, yy, xx, xy = sums
    about_y = _around(pairs.n, y, yy, rounded=isinstance(pairs.yy, float))
    about_x = _around(pairs.n, x, xx, rounded=isinstance(pairs.xx, float))
    if isinstance(about_y, Refusal):
        return about_y
    if isinstance(about_x, Refusal):
        return about_x
    both = xy - x * y / pairs.n
    if both * both > about_y * about_x * (1 + Fraction(_NOISE)):
        return Refusal(Reason.IMPOSSIBLE)
    n = pairs.n
    return Spread(n=n, y=y / n, x=x / n, yy=about_y, xx=about_x, xy=both)


def _too_few(n: int) -> Refusal | None:
    if n < 2:
        return Refusal(Reason.EMPTY if n == 0 else Reason.ONE if n == 1 else Reason.IMPOSSIBLE)
    return None


def _exact(*numbers: Number) -> tuple[Fraction, ...] | Refusal:
    try:
        return tuple(Fraction(n) for n in numbers)
    except (OverflowError, ValueError):
        return Refusal(Reason.TOO_LARGE)


def _around(n: int, total: Fraction, squares: Fraction, *, rounded: bool) -> Fraction | Refusal:
    around = squares - total * total / n
    if rounded and abs(around) <= abs(squares) * Fraction(_NOISE):
        return Fraction(0)
    return Refusal(Reason.IMPOSSIBLE) if around < 0 else around
