"""Means, ratios of sums and CUPED, against statsmodels and against one another."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from journeylang.stats import cuped, means, ratios
from journeylang.stats.comparison import Comparison, Lift, Verdict
from journeylang.stats.fieller import lift as fieller
from journeylang.stats.moments import Mean, Pairs, Sample, mean_of
from journeylang.stats.refusals import Reason, Refusal
from journeylang.stats.winsorising import winsorised
from tests.stats.samples import cents, compared, floats, pairs, sample

money = st.lists(
    st.decimals(min_value=0, max_value=10_000, places=2, allow_nan=False), min_size=2, max_size=30
)


@pytest.mark.parametrize("seed", range(5))
def test_welch_as_statsmodels_has_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    a, b = cents(draw.gamma(0.3, 90, 400)), cents(draw.gamma(0.5, 60, 130 + seed))
    found = compared(means.compare(sample(a), sample(b)))
    both = CompareMeans(DescrStatsW(floats(b)), DescrStatsW(floats(a)))
    t, p, _ = both.ttest_ind(usevar="unequal")
    assert (found.statistic, found.p) == pytest.approx((t, p), rel=1e-6)
    limits = both.tconfint_diff(usevar="unequal")
    assert (found.interval.low, found.interval.high) == pytest.approx(limits, rel=1e-6)


def test_welch_s_test_of_a_published_example() -> None:
    # Snedecor and Cochran, Statistical Methods, 8th edition (1989), section 6.9, as in NIST's
    # handbook of statistical methods, 1.3.5.3 (cars of two countries): n, mean and deviation.
    found = compared(
        means.welch(
            Mean(n=249, mean=20.14458, variance=6.414700**2),
            Mean(n=79, mean=30.48101, variance=6.107710**2),
        )
    )
    assert found.statistic == pytest.approx(12.94627, rel=1e-5)


def test_fieller_s_limits_are_where_the_difference_cannot_be_told_from_zero() -> None:
    found = fieller(20.0, 30.0, errors=(4.0, 9.0), critical=1.96)
    assert isinstance(found, Lift)
    for ratio in (found.interval.low + 1, found.interval.high + 1):
        assert abs(30 - ratio * 20) == pytest.approx(1.96 * math.sqrt(9 + ratio * ratio * 4))


@given(a=money, b=money)
def test_an_answer_or_a_refusal_without_contradiction(a: list[Decimal], b: list[Decimal]) -> None:
    found = means.compare(sample(a), sample(b))
    if isinstance(found, Refusal):
        assert found.reason is Reason.NO_VARIANCE
        assert len(set(a)) == len(set(b)) == 1
        return
    assert all(map(math.isfinite, (found.statistic, found.interval.low, found.interval.high)))
    assert 0 <= found.p <= 1
    told = found.verdict is not Verdict.UNDECIDED
    edge = min(abs(found.interval.low), abs(found.interval.high))
    scale = abs(found.control) + abs(found.treated)
    if edge > 1e-9 * scale:
        assert told == (not found.interval.has(0))
        if isinstance(found.lift, Lift):
            limits = found.lift.interval
            assert limits.has(0) == found.interval.has(0)
            assert math.isfinite(limits.low)
            assert math.isfinite(limits.high)


def test_a_small_variance_far_from_zero_is_not_lost() -> None:
    values = [Decimal("1000000000.01"), Decimal("1000000000.02"), Decimal("1000000000.03")]
    found = mean_of(sample(values))
    assert isinstance(found, Mean)
    assert found.variance == pytest.approx(0.0001, rel=1e-12)


def test_rounded_sums_of_equal_values_have_no_variance() -> None:
    values = [0.1] * 1000
    summed = Sample(n=1000, total=sum(values), squares=sum(v * v for v in values))
    assert means.compare(summed, summed) == Refusal(Reason.NO_VARIANCE)


def test_refusals_of_means() -> None:
    some = Sample(n=3, total=6, squares=14)
    assert means.compare(Sample(n=0, total=0, squares=0), some) == Refusal(Reason.EMPTY)
    assert means.compare(some, Sample(n=1, total=1, squares=1)) == Refusal(Reason.ONE)
    assert means.compare(some, Sample(n=3, total=6, squares=11)) == Refusal(Reason.IMPOSSIBLE)
    assert means.compare(some, Sample(n=3, total=Decimal("NaN"), squares=1)) == Refusal(
        Reason.TOO_LARGE
    )
    assert means.compare(some, Sample(n=3, total=1e300, squares=10**700)) == Refusal(
        Reason.TOO_LARGE
    )
    nothing = Sample(n=3, total=0, squares=0)
    assert compared(means.compare(nothing, some)).lift == Refusal(Reason.NO_BASE)
    loss = Sample(n=3, total=-6, squares=14)
    assert compared(means.compare(loss, some)).lift == Refusal(Reason.NEGATIVE_BASE)


def test_a_ratio_of_ones_is_a_mean() -> None:
    draw = np.random.default_rng(1)
    a, b = cents(draw.gamma(2, 20, 900)), cents(draw.gamma(2, 22, 700))
    by_ratio = compared(ratios.compare(pairs(a, [Decimal(1)] * 900), pairs(b, [Decimal(1)] * 700)))
    by_mean = compared(means.compare(sample(a), sample(b)))
    assert by_ratio.difference == pytest.approx(by_mean.difference)
    assert by_ratio.statistic == pytest.approx(by_mean.statistic)


def test_a_ratio_s_error_is_that_of_its_residuals() -> None:
    """A ratio is a regression through the origin with weights 1/x; its robust error is ours."""
    draw = np.random.default_rng(2)
    x = [Decimal(int(n)) for n in draw.integers(1, 9, 500)]
    y = cents(draw.gamma(2, 20, 500) * floats(x))
    found = compared(ratios.compare(pairs(y, x), pairs(y, x)))
    fit = sm.WLS(floats(y), floats(x), weights=1 / floats(x)).fit(cov_type="HC0")
    assert found.control == pytest.approx(float(fit.params[0]), rel=1e-9)
    error = (found.interval.high - found.interval.low) / 2 / 1.959963984540054 / math.sqrt(2)
    assert error == pytest.approx(float(fit.bse[0]) * math.sqrt(500 / 499), rel=1e-6)


def test_cuped_takes_off_what_a_regression_does() -> None:
    draw = np.random.default_rng(3)
    x0, x1 = cents(draw.gamma(2, 20, 400)), cents(draw.gamma(2, 20, 600))
    y0 = cents(5 + 0.8 * floats(x0) + draw.normal(0, 9, 400))
    y1 = cents(6 + 0.8 * floats(x1) + draw.normal(0, 9, 600))
    found = cuped.compare(pairs(y0, x0), pairs(y1, x1))
    assert isinstance(found, cuped.Adjusted)
    y, x = floats([*y0, *y1]), floats([*x0, *x1])
    group = np.repeat([0.0, 1.0], [400, 600])
    fit = sm.OLS(y, np.column_stack([np.ones(1000), group, x])).fit()
    assert found.comparison.difference == pytest.approx(float(fit.params[1]), rel=1e-9)
    assert found.theta == pytest.approx(float(fit.params[2]), rel=1e-9)
    plain = compared(means.compare(sample(y0), sample(y1)))
    narrower = width(found.comparison) / width(plain)
    assert narrower == pytest.approx(math.sqrt(1 - found.explained), rel=0.02)
    adjusted = y - found.theta * (x - x.mean())
    both = CompareMeans(DescrStatsW(adjusted[400:]), DescrStatsW(adjusted[:400]))
    t, p, _ = both.ttest_ind(usevar="unequal")
    assert (found.comparison.statistic, found.comparison.p) == pytest.approx((t, p), rel=1e-6)


def test_refusals_of_pairs() -> None:
    flat = Pairs(n=3, y=6, x=3, yy=14, xx=3, xy=6)
    assert cuped.compare(flat, flat) == Refusal(Reason.NO_PRE_PERIOD)
    nobody = Pairs(n=0, y=0, x=0, yy=0, xx=0, xy=0)
    assert cuped.compare(nobody, flat) == Refusal(Reason.EMPTY)
    assert ratios.compare(flat, nobody) == Refusal(Reason.EMPTY)
    no_base = Pairs(n=3, y=6, x=0, yy=14, xx=2, xy=0)
    assert ratios.compare(no_base, flat) == Refusal(Reason.NO_BASE)
    impossible = Pairs(n=3, y=6, x=6, yy=14, xx=14, xy=20)
    assert ratios.compare(impossible, flat) == Refusal(Reason.IMPOSSIBLE)
    same = Pairs(n=3, y=3, x=3, yy=3, xx=3, xy=3)
    assert ratios.compare(same, same) == Refusal(Reason.NO_VARIANCE)


def test_a_cap_cuts_off_what_lies_above() -> None:
    values = [Decimal(v) for v in ("1.50", "2", "80", "90.25", "7")]
    below = [v for v in values if v <= 50]
    found = winsorised(sample(below), over=2, cap=50)
    cut = sample([min(v, Decimal(50)) for v in values])
    assert (found.n, found.total, found.squares) == (5, Fraction(cut.total), Fraction(cut.squares))


def width(of: Comparison) -> float:
    return of.interval.high - of.interval.low
