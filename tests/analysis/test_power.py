"""Sizes of samples, against published ones."""

import random

import pytest

from journeylang.analysis.power import needed


@pytest.mark.parametrize(
    ("control", "treated", "each"),
    # By the same formula in textbooks and calculators: two groups of this size.
    [(0.10, 0.15, 686), (0.50, 0.60, 388), (0.03, 0.039, 6_455), (0.15, 0.10, 686)],
)
def test_two_groups_of_one_size(control: float, treated: float, each: int) -> None:
    assert needed(control, treated) == pytest.approx(2 * each, abs=4)


def test_uneven_groups_take_more() -> None:
    even = needed(0.1, 0.15)
    assert even < needed(0.1, 0.15, share_of_control=0.2) < needed(0.1, 0.15, share_of_control=0.1)


def test_so_many_see_it_in_four_of_five_trials() -> None:
    draw = random.Random(3)
    each = needed(0.2, 0.3) // 2
    seen = 0
    trials = 600
    for _ in range(trials):
        a = sum(draw.random() < 0.2 for _ in range(each))
        b = sum(draw.random() < 0.3 for _ in range(each))
        pooled = (a + b) / (2 * each)
        error = (pooled * (1 - pooled) * 2 / each) ** 0.5
        seen += abs(b - a) / each > 1.959964 * error
    assert 0.75 < seen / trials < 0.85
