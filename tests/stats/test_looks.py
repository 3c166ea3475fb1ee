"""Looks: confidence sequences, and bounds that spend their error."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from scipy import optimize
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from journeylang.analysis.power import needed
from journeylang.stats import sequences
from journeylang.stats.moments import Sample
from journeylang.stats.power import (
    power_of,
    power_of_means,
    size,
    size_of_means,
    smallest_difference,
    smallest_rise,
)
from journeylang.stats.refusals import Reason, Refusal
from journeylang.stats.sequential import Look, Spending, bounds
from tests.stats.samples import compared

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


def looks(fractions: tuple[float, ...], spending: Spending) -> tuple[Look, ...]:
    found = bounds(fractions, spending)
    assert not isinstance(found, Refusal)
    return found


def test_published_bounds() -> None:
    # D. M. Reboussin, D. L. DeMets, K. Kim and K. K. G. Lan, "Computations for group sequential
    # boundaries using the Lan-DeMets spending function method", Controlled Clinical Trials 21
    # (2000): five even looks, two-sided 5 %.
    slow = [one.bound for one in looks(FIVE, Spending.OBRIEN_FLEMING)]
    assert slow == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)
    even = [one.bound for one in looks(FIVE, Spending.POCOCK)]
    assert even == pytest.approx([2.4380, 2.4268, 2.4101, 2.3966, 2.3859], abs=2e-4)


def test_all_is_spent_at_the_end_and_one_look_is_the_usual_test() -> None:
    for spending in Spending:
        assert looks(FIVE, spending)[-1].spent == pytest.approx(0.05)
        (once,) = looks((1.0,), spending)
        assert once.bound == pytest.approx(1.959964, abs=1e-6)


def test_sixty_looks_have_bounds_that_rise_and_fall_smoothly() -> None:
    found = looks(tuple((k + 1) / 60 for k in range(60)), Spending.OBRIEN_FLEMING)
    assert found[0].bound == 8
    assert all(a.bound >= b.bound for a, b in pairwise(found))
    assert found[-1].bound == pytest.approx(2.2, abs=0.2)


def test_refusals_of_looks() -> None:
    assert bounds((), Spending.POCOCK) == Refusal(Reason.NOT_A_SHARE)
    assert bounds((0.5, 1.1), Spending.POCOCK) == Refusal(Reason.NOT_A_SHARE)
    assert bounds((0.5, 0.5), Spending.POCOCK) == Refusal(Reason.IMPOSSIBLE)
    assert bounds((0.0, 0.5), Spending.POCOCK) == Refusal(Reason.IMPOSSIBLE)


def test_a_sequence_is_wider_than_one_look_and_its_p_belongs_to_it() -> None:
    control = Sample(n=2_500, total=250, squares=250)
    treated = Sample(n=2_500, total=300, squares=300)
    found = compared(sequences.compare(control, treated, conversions=(250, 300)))
    error = found.difference / found.statistic
    reach = (found.interval.high - found.interval.low) / 2 / error
    assert 2.5 < reach < 3.5
    # At the level of its own p the interval just touches zero.
    at = compared(
        sequences.compare(
            control,
            Sample(n=2_500, total=340, squares=340),
            conversions=(250, 340),
            tuned_for=5_000,
        )
    )
    assert 0 < at.p < 1
    rho = -2 * math.log(0.05)
    rho = (rho + math.log(rho + 1)) / 5_000
    spread = 5_000 * rho
    level = optimize.brentq(
        lambda alpha: (
            at.statistic**2 - 2 * (spread + 1) / spread * math.log(math.sqrt(spread + 1) / alpha)
        ),
        1e-12,
        1,
    )
    assert at.p == pytest.approx(level, rel=1e-6)
    assert (at.p < 0.05) == (not at.interval.has(0))


def test_refusals_of_sequences() -> None:
    some = Sample(n=100, total=30, squares=30)
    assert sequences.compare(some, some, conversions=(24, 30)) == Refusal(Reason.TOO_EARLY)
    all_of_them = Sample(n=30, total=30, squares=30)
    assert sequences.compare(all_of_them, all_of_them, conversions=(30, 30)) == Refusal(
        Reason.NO_VARIANCE
    )


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
@pytest.mark.parametrize(("control", "treated"), [(0.1, 0.12), (0.02, 0.015), (0.5, 0.52)])
def test_sizes_of_proportions(control: float, treated: float, share: float) -> None:
    customers = size(control, treated, share_of_control=share)
    assert customers == needed(control, treated, share_of_control=share)
    assert isinstance(customers, int)
    reached = power_of(control, treated, customers=customers, share_of_control=share)
    assert reached == pytest.approx(0.8, abs=2e-3)
    theirs = power_proportions_2indep(
        treated - control,
        control,
        customers * (1 - share),
        ratio=share / (1 - share),
        return_results=False,
    )
    assert reached == pytest.approx(float(theirs), rel=1e-6)
    if treated > control:
        rise = smallest_rise(control, customers=customers, share_of_control=share)
        assert rise == pytest.approx(treated - control, rel=1e-3)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_sizes_of_means(share: float) -> None:
    customers = size_of_means(2.0, deviation=30.0, share_of_control=share)
    assert isinstance(customers, int)
    theirs = NormalIndPower().power(
        2 / 30, customers * share, 0.05, ratio=(1 - share) / share, alternative="two-sided"
    )
    reached = power_of_means(2.0, deviation=30.0, customers=customers, share_of_control=share)
    assert reached == pytest.approx(float(theirs), rel=1e-6)
    assert reached == pytest.approx(0.8, abs=1e-3)
    least = smallest_difference(deviation=30.0, customers=customers, share_of_control=share)
    assert least == pytest.approx(2.0, rel=1e-3)


def test_refusals_of_sizes() -> None:
    assert size(0.1, 0.1) == Refusal(Reason.NO_DIFFERENCE)
    assert size(0.1, 1.1) == Refusal(Reason.NOT_A_SHARE)
    assert power_of(0.1, 0.2, customers=0) == Refusal(Reason.EMPTY)
    assert power_of(0.0, 1.0, customers=10) == 1
    assert smallest_rise(0.5, customers=3) == Refusal(Reason.NOT_REACHABLE)
    assert smallest_rise(1.0, customers=1_000) == Refusal(Reason.NOT_REACHABLE)
    assert size_of_means(0, deviation=1) == Refusal(Reason.NO_DIFFERENCE)
    assert size_of_means(1, deviation=0) == Refusal(Reason.NO_VARIANCE)
    assert size_of_means(1e-300, deviation=1e9) == Refusal(Reason.TOO_LARGE)
    assert smallest_difference(deviation=0, customers=9) == Refusal(Reason.NO_VARIANCE)
    assert power_of_means(1, deviation=1, customers=0) == Refusal(Reason.EMPTY)
