"""Proportions, against published examples and statsmodels."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from journeylang.stats.comparison import Comparison, Lift, Verdict
from journeylang.stats.moments import Rate
from journeylang.stats.proportions import compare, lift, newcombe, wilson
from journeylang.stats.refusals import Reason, Refusal

NEWCOMBE_1998 = (
    # Table II, method 10: treated, control, limits of the difference.
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
    ((10, 10), (0, 10), (0.6075, 1.0)),
)

groups = st.integers(1, 2_000).flatmap(
    lambda n: st.builds(Rate, n=st.just(n), hits=st.integers(0, n))
)


@pytest.mark.parametrize(("treated", "control", "limits"), NEWCOMBE_1998)
def test_newcombe_s_own_examples(
    treated: tuple[int, int], control: tuple[int, int], limits: tuple[float, float]
) -> None:
    found = newcombe(rate(control), rate(treated))
    assert (found.low, found.high) == pytest.approx(limits, abs=5e-5)


def test_the_ratio_of_a_published_trial() -> None:
    # Epinephrine in children: Fagerland, Lydersen and Laake, Statistical Analysis of Contingency
    # Tables (2017), chapter 4, MOVER-R Wilson.
    found = lift(Rate(n=34, hits=1), Rate(n=34, hits=7))
    assert isinstance(found, Lift)
    assert found.estimate == 6
    assert found.interval.low + 1 == pytest.approx(1.1537, abs=5e-5)
    assert found.interval.high + 1 == pytest.approx(41.9763, abs=5e-5)


@given(control=groups, treated=groups)
def test_as_statsmodels_has_it(control: Rate, treated: Rate) -> None:
    found = compare(control, treated)
    assert isinstance(found, Comparison)
    low, high = confint_proportions_2indep(
        treated.hits, treated.n, control.hits, control.n, method="newcomb", compare="diff"
    )
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (low, high), rel=1e-6, abs=1e-9
    )
    alone = proportion_confint(control.hits, control.n, method="wilson")
    of_control = wilson(control)
    assert (of_control.low, of_control.high) == pytest.approx(alone, rel=1e-6, abs=1e-9)
    hits = control.hits + treated.hits
    if 0 < hits < control.n + treated.n:
        z, p = proportions_ztest([treated.hits, control.hits], [treated.n, control.n])
        assert found.statistic == pytest.approx(z, rel=1e-6, abs=1e-9)
        assert found.p == pytest.approx(p, rel=1e-6)
    else:
        assert (found.statistic, found.p) == (0, 1)


@given(control=groups, treated=groups, level=st.sampled_from([0.8, 0.95, 0.99]))
def test_the_lift_never_contradicts_the_difference(
    control: Rate, treated: Rate, level: float
) -> None:
    found = compare(control, treated, level=level)
    assert isinstance(found, Comparison)
    edge = min(abs(found.interval.low), abs(found.interval.high))
    if isinstance(found.lift, Refusal):
        assert found.lift.reason is Reason.NO_BASE
        assert control.hits == 0
    elif edge > 1e-9:
        assert found.lift.interval.has(0) == found.interval.has(0)
        assert found.lift.interval.low <= found.lift.estimate <= found.lift.interval.high
    assert all(map(math.isfinite, (found.interval.low, found.interval.high, found.p)))


@given(control=groups, treated=groups)
def test_a_limit_of_the_ratio_is_where_the_difference_s_limit_is_zero(
    control: Rate, treated: Rate
) -> None:
    found = lift(control, treated)
    if isinstance(found, Refusal):
        return
    w0, w1 = wilson(control), wilson(treated)
    p0, p1 = control.share, treated.share
    low, high = found.interval.low + 1, found.interval.high + 1
    assert p1 - low * p0 == pytest.approx(
        math.hypot(p1 - w1.low, low * (w0.high - p0)), rel=1e-6, abs=1e-9
    )
    assert high * p0 - p1 == pytest.approx(
        math.hypot(w1.high - p1, high * (p0 - w0.low)), rel=1e-6, abs=1e-9
    )


def test_verdicts() -> None:
    many = Rate(n=10_000, hits=1_000)
    assert verdict(many, Rate(n=10_000, hits=1_200)) is Verdict.HIGHER
    assert verdict(many, Rate(n=10_000, hits=800)) is Verdict.LOWER
    assert verdict(many, Rate(n=10_000, hits=1_020)) is Verdict.UNDECIDED


def test_of_whom_nothing_can_be_said() -> None:
    nobody, some = Rate(n=0, hits=0), Rate(n=10, hits=4)
    assert compare(nobody, some) == Refusal(Reason.EMPTY)
    assert compare(some, nobody) == Refusal(Reason.EMPTY)
    assert compare(Rate(n=3, hits=4), some) == Refusal(Reason.IMPOSSIBLE)
    assert compare(Rate(n=3, hits=-1), some) == Refusal(Reason.IMPOSSIBLE)
    assert compare(Rate(n=0, hits=1), some) == Refusal(Reason.IMPOSSIBLE)


def test_few_conversions_are_said_to_be_few() -> None:
    found = compare(Rate(n=1_000, hits=4), Rate(n=1_000, hits=40))
    assert isinstance(found, Comparison)
    assert found.sparse


def rate(of: tuple[int, int]) -> Rate:
    hits, n = of
    return Rate(n=n, hits=hits)


def verdict(control: Rate, treated: Rate) -> Verdict:
    found = compare(control, treated)
    assert isinstance(found, Comparison)
    return found.verdict
