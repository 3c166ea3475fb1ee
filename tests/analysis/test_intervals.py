"""Sets of values: what comparisons leave possible, against plain membership."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from journeylang.analysis.intervals import (
    EVERYTHING,
    NOTHING,
    Interval,
    Intervals,
    above,
    below,
    between,
    both,
    closed,
    holds,
    outside,
    points,
    values,
)

PROBES = [Fraction(n, 2) for n in range(-2, 14)]


def half(n: int) -> Fraction:
    return Fraction(n, 2)


NUMBERS = st.integers(0, 10).map(half)


def atoms() -> st.SearchStrategy[Intervals]:
    return st.one_of(
        st.builds(lambda v, i: below(v, including=i), NUMBERS, st.booleans()),
        st.builds(lambda v, i: above(v, including=i), NUMBERS, st.booleans()),
        st.builds(between, NUMBERS, NUMBERS),
        st.lists(NUMBERS, max_size=4).map(points),
        st.just(EVERYTHING),
        st.just(NOTHING),
    )


def sets() -> st.SearchStrategy[Intervals]:
    return st.recursive(
        atoms(), lambda inner: st.one_of(st.builds(both, inner, inner), inner.map(outside))
    )


def members(them: Intervals) -> set[Fraction]:
    return {probe for probe in PROBES if holds(them, probe)}


@given(sets(), sets())
def test_sets_are_sets(one: Intervals, other: Intervals) -> None:
    assert members(both(one, other)) == members(one) & members(other)
    assert members(outside(one)) == set(PROBES) - members(one)
    assert outside(outside(one)) == one


@given(sets())
def test_intervals_are_apart_and_none_is_empty(them: Intervals) -> None:
    for interval in them:
        assert both((interval,), EVERYTHING) == (interval,)
    for left, right in pairwise(them):
        assert isinstance(left.high, Fraction)
        assert isinstance(right.low, Fraction)
        assert left.high < right.low or (
            left.high == right.low and left.high_open and right.low_open
        )


@given(sets())
def test_whole_numbers(them: Intervals) -> None:
    whole = {probe for probe in members(them) if probe.denominator == 1}
    assert {p for p in members(closed(them)) if p.denominator == 1} == whole
    inside = [p for p in range(-1, 6) if holds(closed(them), Fraction(p))]
    assert closed(them) != NOTHING or not inside
    for interval in closed(them):
        assert not interval.low_open
        assert not interval.high_open


def test_texts_go_by_code_point() -> None:
    assert both(above("b", including=True), below("a", including=True)) == NOTHING
    assert holds(below("a", including=False), "Z")
    assert values(points(["b", "a", "b"])) == ("a", "b")
    assert values((Interval(low="a"),)) is None


def test_between_the_wrong_way_round() -> None:
    assert between(Fraction(3), Fraction(1)) == NOTHING
