"""Balance of arms, several arms, and which is best."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_chisquare

from journeylang.stats.bandits import chances_of_being_best
from journeylang.stats.best import best_mean, best_rate
from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Mean, Rate
from journeylang.stats.multiplicity import holm, levels
from journeylang.stats.proportions import compare
from journeylang.stats.refusals import Reason, Refusal
from journeylang.stats.srm import Balance, balance

p_values = st.lists(st.floats(0, 1), max_size=8)


@given(
    counts=st.lists(st.integers(20, 5_000), min_size=2, max_size=6),
    weights=st.lists(st.floats(0.1, 1), min_size=6, max_size=6),
)
def test_balance_is_pearson_s_test(counts: list[int], weights: list[float]) -> None:
    shares = weights[: len(counts)]
    found = balance(counts, shares)
    if isinstance(found, Refusal):
        assert found.reason is Reason.TOO_FEW_EXPECTED
        return
    expected = [sum(counts) * share / sum(shares) for share in shares]
    assert (found.statistic, found.p) == pytest.approx(
        tuple(stats.chisquare(counts, expected)), rel=1e-6, abs=1e-12
    )


def test_a_published_mismatch() -> None:
    # 821,588 against 815,482 at even shares: Kohavi, Tang and Xu, Trustworthy Online Controlled
    # Experiments (2020), chapter 3; p is 1.8e-6.
    found = balance([821_588, 815_482], [0.5, 0.5])
    assert isinstance(found, Balance)
    assert found.p == pytest.approx(1.8e-6, rel=0.05)
    assert found.alarm


def test_arms_without_a_share_are_left_out() -> None:
    assert balance([50, 50, 900], [0.5, 0.5, 0]) == balance([50, 50], [1, 1])
    assert balance([50, 50], [1, 0]) == Refusal(Reason.NO_ARMS)
    assert balance([0, 0], [1, 1]) == Refusal(Reason.EMPTY)
    assert balance([5, 2], [1, 1]) == Refusal(Reason.TOO_FEW_EXPECTED)
    assert balance([5], [1, 1]) == Refusal(Reason.IMPOSSIBLE)


@given(p_values)
def test_holm_as_statsmodels_has_it(found: list[float]) -> None:
    if found:
        expected = multipletests(found, method="holm")[1]
        assert holm(found) == pytest.approx(list(expected), rel=1e-9)
    else:
        assert holm(found) == []


@given(p_values)
def test_intervals_are_at_the_level_that_holm_judges_by(found: list[float]) -> None:
    adjusted, own = holm(found), levels(found, level=0.95)
    for p, after, level in zip(found, adjusted, own, strict=True):
        assert level + 1e-12 >= 0.95
        # Where the two are a rounding apart either may be.
        if abs(after - 0.05) > 1e-9:
            assert (p < 1 - level) == (after < 0.05)


def test_two_arms_of_which_one_stands_the_correction() -> None:
    control = Rate(n=5_000, hits=500)
    arms = [Rate(n=5_000, hits=565), Rate(n=5_000, hits=640)]
    first = [found for arm in arms if isinstance(found := compare(control, arm), Comparison)]
    assert [one.verdict.value for one in first] == ["higher", "higher"]
    own = levels([one.p for one in first], level=0.95)
    assert own == pytest.approx([0.95, 0.975])


def test_the_best_rate_without_drawing() -> None:
    outcomes = [(1_000, 30), (1_000, 35), (50, 3), (1_000_000, 30_000), (0, 0)]
    found = best_rate([Rate(n=n, hits=hits) for n, hits in outcomes])
    assert not isinstance(found, Refusal)
    assert sum(found) == pytest.approx(1)
    drawn = chances_of_being_best(outcomes, seed=5)
    assert found == pytest.approx(drawn, abs=0.03)


def test_a_closed_form_of_two_rates() -> None:
    """With whole numbers the chance of two Beta posteriors is a sum: E. Miller's formula."""
    a, b = Rate(n=40, hits=9), Rate(n=50, hits=17)
    found = best_rate([a, b])
    assert not isinstance(found, Refusal)
    from math import exp

    from scipy.special import betaln

    a1, b1, a2, b2 = 10, 32, 18, 34
    closed = sum(
        exp(betaln(a1 + i, b1 + b2) - betaln(1 + i, b2) - betaln(a1, b1)) / (b2 + i)
        for i in range(a2)
    )
    assert found[1] == pytest.approx(float(closed), rel=1e-9)


def test_the_best_mean() -> None:
    found = best_mean([Mean(n=100, mean=1, variance=4), Mean(n=100, mean=1.3, variance=9)])
    assert not isinstance(found, Refusal)
    assert found[1] == pytest.approx(stats.norm.cdf(0.3 / (0.04 + 0.09) ** 0.5), rel=1e-9)
    assert best_mean([Mean(n=100, mean=1, variance=0)]) == Refusal(Reason.NO_VARIANCE)
    assert best_rate([Rate(n=1, hits=2)]) == Refusal(Reason.IMPOSSIBLE)


def test_statsmodels_agrees_on_two_proportions() -> None:
    # Of two arms the z-test squared is Pearson's test.
    found = compare(Rate(n=400, hits=40), Rate(n=500, hits=80))
    assert isinstance(found, Comparison)
    chi = float(proportions_chisquare([80, 40], [500, 400])[0])
    assert found.statistic**2 == pytest.approx(chi, rel=1e-9)


def test_one_order_of_arms_is_as_good_as_another() -> None:
    rates = [Rate(n=100, hits=h) for h in (5, 9, 7)]
    found = best_rate(rates)
    turned = best_rate(rates[::-1])
    assert not isinstance(found, Refusal)
    assert not isinstance(turned, Refusal)
    assert found == pytest.approx(turned[::-1])
