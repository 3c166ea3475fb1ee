"""Did you mean …?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeylang.diagnostics.suggest import closest, did_you_mean, slips

WORDS = st.text(alphabet="abc", max_size=8)


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ("", "", 0),
        ("", "ab", 2),
        ("palced", "placed", 1),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_slips(a: str, b: str, count: int) -> None:
    assert slips(a, b) == count


@given(WORDS, WORDS)
def test_slips_go_both_ways(a: str, b: str) -> None:
    assert slips(a, b) == slips(b, a)
    assert (slips(a, b) == 0) == (a == b)


def test_the_nearest_is_meant() -> None:
    names = {"order_placed", "order_paid", "opened", "signed_up"}
    assert closest("order_palced", names) == "order_placed"
    assert closest("Signed_Up", names) == "signed_up"
    assert closest("elephant", names) is None
    assert did_you_mean("order_palced", names) == "did you mean `order_placed`?"
    assert did_you_mean("elephant", names) == ""


def test_of_equals_the_first_by_alphabet() -> None:
    assert closest("bat", {"cat", "hat", "bad"}) == "bad"


def test_a_monstrous_name_costs_nothing() -> None:
    assert closest("x" * 100_000, {"x" * 99_999}) is None
