"""Over many trials: intervals cover as often, and false alarms are as rare, as they promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from journeylang.stats import cuped, means, proportions, ratios, sequences
from journeylang.stats.comparison import Comparison, Lift
from journeylang.stats.moments import Pairs, Rate, Sample
from journeylang.stats.refusals import Refusal
from journeylang.stats.sequential import Spending, bounds
from journeylang.stats.srm import Balance, balance
from tests.stats.samples import Values

TRIALS = 4_000
"""With so many, a share of 95 % is drawn between 94.3 and 95.7 % in 19 of 20 cases."""

pytestmark = pytest.mark.slow

Trial = Callable[[np.random.Generator], Comparison]


def covers(interval: Trial, difference: float, lift: float, trials: int = TRIALS) -> None:
    draw = np.random.default_rng(9)
    found = [interval(draw) for _ in range(trials)]
    of_difference = np.mean([one.interval.has(difference) for one in found])
    assert 0.935 <= of_difference <= 0.965
    of_lift = [one.lift.interval.has(lift) for one in found if isinstance(one.lift, Lift)]
    assert len(of_lift) > 0.99 * trials
    assert 0.935 <= np.mean(of_lift) <= 0.965


@pytest.mark.parametrize(
    ("control", "treated", "n0", "n1"),
    [
        (0.1, 0.12, 2_000, 2_000),
        (0.02, 0.025, 3_000, 9_000),
        (0.005, 0.005, 6_000, 6_000),
        (0.5, 0.7, 150, 150),
    ],
)
def test_proportions(control: float, treated: float, n0: int, n1: int) -> None:
    def trial(draw: np.random.Generator) -> Comparison:
        hits = (int(draw.binomial(n0, control)), int(draw.binomial(n1, treated)))
        found = proportions.compare(Rate(n=n0, hits=hits[0]), Rate(n=n1, hits=hits[1]))
        assert isinstance(found, Comparison)
        return found

    covers(trial, treated - control, treated / control - 1)


def sums(values: Values) -> Sample:
    return Sample(n=len(values), total=float(values.sum()), squares=float((values**2).sum()))


def both(y: Values, x: Values) -> Pairs:
    products = (float((y * y).sum()), float((x * x).sum()), float((x * y).sum()))
    yy, xx, xy = products
    return Pairs(n=len(y), y=float(y.sum()), x=float(x.sum()), yy=yy, xx=xx, xy=xy)


def test_means_of_values_that_most_customers_do_not_have() -> None:
    def spend(draw: np.random.Generator, n: int, buys: float) -> Values:
        return draw.gamma(2.0, 30.0, n) * (draw.random(n) < buys)

    def trial(draw: np.random.Generator) -> Comparison:
        found = means.compare(sums(spend(draw, 1_500, 0.1)), sums(spend(draw, 2_500, 0.13)))
        assert isinstance(found, Comparison)
        return found

    covers(trial, 60 * 0.03, 0.3)


def test_ratios_of_sums() -> None:
    def group(draw: np.random.Generator, price: float) -> Pairs:
        orders = draw.poisson(1.5, 800).astype(float)
        own = draw.gamma(5, price / 5, 800)
        return both(orders * own, orders)

    def trial(draw: np.random.Generator) -> Comparison:
        found = ratios.compare(group(draw, 40), group(draw, 44))
        assert isinstance(found, Comparison)
        return found

    covers(trial, 4, 0.1, trials=3_000)


def test_cuped() -> None:
    def group(draw: np.random.Generator, more: float) -> Pairs:
        before = draw.gamma(2.0, 20.0, 400)
        return both(10 + more + 0.7 * before + draw.normal(0, 15, 400), before)

    def trial(draw: np.random.Generator) -> Comparison:
        found = cuped.compare(group(draw, 0), group(draw, 2))
        assert isinstance(found, cuped.Adjusted)
        return found.comparison

    covers(trial, 2, 2 / 38, trials=3_000)


def test_balance_alarms_once_in_a_thousand() -> None:
    draw = np.random.default_rng(4)
    counts = draw.multinomial(30_000, [0.5, 0.3, 0.2], 10_000).tolist()
    found = [balance(one, [0.5, 0.3, 0.2]) for one in counts]
    assert 2 <= sum(isinstance(one, Balance) and one.alarm for one in found) <= 20


def hits_by_look(trials: int, looks: int, per_look: int, rate: float, seed: int) -> list[list[int]]:
    draw = np.random.default_rng(seed)
    hits: list[list[int]] = draw.binomial(per_look, rate, (trials, looks)).cumsum(axis=1).tolist()
    return hits


def alarms(trials: int, looks: int, per_look: int, rate: float) -> tuple[float, float]:
    """The shares of A/A trials with an alarm at any of the looks: one by one, and as a sequence."""
    first = hits_by_look(trials, looks, per_look, rate, 11)
    second = hits_by_look(trials, looks, per_look, rate, 12)
    fixed = valid = 0
    for a, b in zip(first, second, strict=True):
        peeked = warned = False
        for look, (x, y) in enumerate(zip(a, b, strict=True), start=1):
            n = look * per_look
            if not peeked:
                once = proportions.compare(Rate(n=n, hits=x), Rate(n=n, hits=y))
                peeked = isinstance(once, Comparison) and once.p < 0.05
            if not warned:
                control, treated = (Sample(n=n, total=k, squares=k) for k in (x, y))
                found = sequences.compare(control, treated, conversions=(x, y))
                warned = not isinstance(found, Refusal) and found.p < 0.05
        fixed += peeked
        valid += warned
    return fixed / trials, valid / trials


def test_sixty_looks_at_nothing() -> None:
    peeked, valid = alarms(trials=400, looks=60, per_look=200, rate=0.05)
    assert peeked > 0.2, "looking every day at a test meant for one look misleads"
    assert valid <= 0.05


@pytest.mark.soak
def test_sixty_looks_at_nothing_for_longer() -> None:
    for per_look, rate in ((50, 0.3), (200, 0.05), (2_000, 0.02)):
        _, valid = alarms(trials=6_000, looks=60, per_look=per_look, rate=rate)
        assert valid <= 0.05


@pytest.mark.parametrize("spending", list(Spending))
@pytest.mark.parametrize("looks", [5, 60])
def test_group_sequential_looks_at_nothing(spending: Spending, looks: int) -> None:
    fractions = [(k + 1) / looks for k in range(looks)]
    planned = bounds(fractions, spending)
    assert not isinstance(planned, Refusal)
    draw = np.random.default_rng(13)
    paths = np.cumsum(draw.normal(0, 1, (40_000, looks)), axis=1)
    z = np.abs(paths) / np.sqrt(np.arange(1, looks + 1))
    crossed = (z >= np.array([look.bound for look in planned])).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=0.004)
