"""The chance of each arm to be the best one, without drawing."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from journeylang.stats.moments import Mean, Rate
from journeylang.stats.refusals import Reason, Refusal

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Values = NDArray[float64]

_NODES = 16
_REACH = 9
"""Standard deviations to each side of a mean, between which its density is looked at."""


def best_rate(rates: Sequence[Rate]) -> tuple[float, ...] | Refusal:
    """Per arm the chance that its rate is the highest, 1 together.

    A rate is of the posterior under a uniform prior, Beta(1 + hits, 1 + n - hits), as
    `journeylang.stats.bandits` draws it. The chance of arm i is ``∫ f_i(x) Π F_j(x) dx`` over the
    others j, by Gauss and Legendre between the standard deviations of all arms.
    """
    for rate in rates:
        if (refused := rate.checked()) is not None and refused.reason is not Reason.EMPTY:
            return refused

    import numpy as np
    from scipy.special import betainc, betaln

    shapes = [(1 + rate.hits, 1 + rate.n - rate.hits) for rate in rates]
    places = []
    for a, b in shapes:
        mean = a / (a + b)
        places.append((mean, sqrt(mean * (1 - mean) / (a + b + 1))))

    def densities(x: Values) -> list[Values]:
        logs = (np.log(x), np.log1p(-x))
        return [np.exp((a - 1) * logs[0] + (b - 1) * logs[1] - betaln(a, b)) for a, b in shapes]

    x, weights = _grid(places, lowest=0.0, highest=1.0)
    return _best(densities(x), [betainc(a, b, x) for a, b in shapes], weights)


def best_mean(means: Sequence[Mean]) -> tuple[float, ...] | Refusal:
    """Per arm the chance that its mean is the highest, of normal posteriors under a flat prior."""
    import numpy as np
    from scipy.special import ndtr

    places = [(one.mean, sqrt(one.squared_error)) for one in means]
    if any(error == 0 for _, error in places):
        return Refusal(Reason.NO_VARIANCE)
    x, weights = _grid(places)
    apart = [(x - mean) / error for mean, error in places]
    densities = [
        np.exp(-z * z / 2) / (error * sqrt(2 * np.pi))
        for z, (_, error) in zip(apart, places, strict=True)
    ]
    return _best(densities, [ndtr(z) for z in apart], weights)


def _grid(
    places: Sequence[tuple[float, float]],
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> tuple[Values, Values]:
    """Nodes and weights between the means of all arms and their deviations."""
    import numpy as np
    from numpy.polynomial.legendre import leggauss

    edges = {mean + k * error for mean, error in places for k in range(-_REACH, _REACH + 1)}
    if lowest is not None:
        edges = {max(edge, lowest) for edge in edges}
    if highest is not None:
        edges = {min(edge, highest) for edge in edges}
    cuts = np.array(sorted(edges))
    nodes, weights = leggauss(_NODES)
    half = np.diff(cuts) / 2
    middle = (cuts[1:] + cuts[:-1]) / 2
    return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


def _best(
    densities: Sequence[Values], below: Sequence[Values], weights: Values
) -> tuple[float, ...]:
    chances = []
    for arm, density in enumerate(densities):
        product = density * weights
        for other, chance in enumerate(below):
            if other != arm:
                product = product * chance
        chances.append(float(product.sum()))
    whole = sum(chances)
    return tuple(chance / whole for chance in chances)
