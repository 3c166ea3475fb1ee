"""Layers: ways lead down, nothing overlaps, crossings are few, and it is always the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from journeylang.pictures.layers import layered, places

NODES = [f"n{n}" for n in range(9)]
ways = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=16)


@given(ways)
def test_ways_lead_down_and_nothing_overlaps(ways: list[tuple[str, str]]) -> None:
    made = layered(NODES, ways)
    row = {name: n for n, names in enumerate(made.rows) for name in names}
    assert set(NODES) <= row.keys()
    for way, chain, turned in zip(ways, made.chains, made.turned, strict=True):
        assert (chain[-1], chain[0]) == way if turned else (chain[0], chain[-1]) == way
        if way[0] != way[1]:
            assert all(row[low] == row[high] + 1 for high, low in pairwise(chain))

    def width(name: str) -> float:
        return 2.0 if name.startswith("~") else 10.0 + len(name)

    at = places(made, width, 5)
    for names in made.rows:
        for left, right in pairwise(names):
            room = at[right] - at[left] - (width(left) + width(right)) / 2
            assert room >= 5 - 1e-6
    assert min(at[name] - width(name) / 2 for name in at) > -1e-6
    assert layered(NODES, ways) == made
    assert places(made, width, 5) == at


def test_crossings_are_taken_away() -> None:
    made = layered(["a", "b", "x", "y"], [("a", "y"), ("b", "x")])
    assert made.rows == (("a", "b"), ("y", "x"))


def test_a_way_back_is_turned_and_a_long_one_has_places() -> None:
    made = layered(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("b", "b")])
    assert made.turned == (False, False, False, True, True)
    assert made.chains[2] == ("a", "~2:1", "c")
    assert made.chains[3] == ("a", "~3:1", "c")
    assert made.chains[4] == ("b", "b")


def test_what_comes_last_stands_at_the_bottom() -> None:
    made = layered(
        ["a", "b", "out", "end"], [("a", "b"), ("a", "out"), ("b", "end")], last={"out", "end"}
    )
    assert set(made.rows[-1]) == {"out", "end"}
    stretched = layered(["a", "b"], [("a", "b")], stretch=[3])
    assert stretched.chains == (("a", "~0:1", "~0:2", "b"),)
