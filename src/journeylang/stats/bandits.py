"""Shares of the arms of an adaptive experiment, by Thompson sampling.

W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of
the evidence of two samples", Biometrika 25 (1933): each arm is given its probability of
being the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

FLOOR = 0.05
DRAWS = 2_000
WHOLE = 10_000


def chances_of_being_best(outcomes: Sequence[tuple[int, int]], seed: int) -> list[float]:
    """Per arm the share of draws in which its rate is the highest, 1 together.

    `outcomes` are (customers, of them converted). A rate is drawn from its posterior under a
    uniform prior, Beta(1 + converted, 1 + not converted), arm after arm, `DRAWS` times; of
    equal rates the first counts. The same seed gives the same shares.
    """
    random = Random(seed)  # noqa: S311 - it is to be repeatable, not secret
    best = [0] * len(outcomes)
    for _ in range(DRAWS):
        rates = [random.betavariate(1 + hits, 1 + n - hits) for n, hits in outcomes]
        best[rates.index(max(rates))] += 1
    return [wins / DRAWS for wins in best]


def floored(chances: Sequence[float]) -> list[int]:
    """Shares in basis points, 10,000 together, none below 5%: `f + (1 - k f) w` for k arms.

    Rounded down, the rest goes to those who lost most by it, of equals to the first.
    """
    k = len(chances)
    exact = [WHOLE * (FLOOR + (1 - k * FLOOR) * w) for w in chances]
    shares = [int(x) for x in exact]
    by_loss = sorted(range(k), key=lambda n: (shares[n] - exact[n], n))
    for n in by_loss[: WHOLE - sum(shares)]:
        shares[n] += 1
    return shares
