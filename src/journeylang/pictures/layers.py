"""Nodes in layers, one below the other, so that ways lead down and cross seldom.

In the order of Sugiyama, Tagawa and Toda (Methods for visual understanding of hierarchical system
structures, 1981): ways that lead back are turned round; each node stands a layer below the lowest
that leads to it; long ways get a place in each layer that they pass; layers are ordered by the
mean place of neighbours. Places along a layer are the nearest to those of the neighbours that
keep the order and the gaps (least squares, by pooling of neighbours that would overlap).
The same input has the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import pairwise

from journeylang.classes import dataclass

_ROUNDS = 12
_PLACINGS = 24

Way = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """`rows` from top to bottom, each from left to right.

    `chains`: for each way, in the order given, the nodes from its upper to its lower end, with
    the places between that stand for it (`~n:layer`). `turned`: whether the way leads upwards.
    """

    rows: tuple[tuple[str, ...], ...]
    chains: tuple[tuple[str, ...], ...]
    turned: tuple[bool, ...]


def layered(
    nodes: Sequence[str],
    ways: Sequence[Way],
    *,
    stretch: Sequence[int] = (),
    last: Container[str] = (),
) -> Layers:
    """`nodes` in the order of the story; a way to an earlier one, or to itself, leads back.

    `stretch`: for each way over how many layers it goes at least, 1 if not given. Those of `last`,
    from which nothing leads on, stand together in a layer below all others.
    """
    place = {name: n for n, name in enumerate(nodes)}
    least = list(stretch) or [1] * len(ways)
    turned = tuple(place[low] <= place[high] for high, low in ways)
    down = [(b, a) if back else (a, b) for (a, b), back in zip(ways, turned, strict=True)]
    layer = dict.fromkeys(nodes, 0)
    into: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (high, low), length in zip(down, least, strict=True):
        if high != low:
            into[low].append((high, length))
    for name in nodes:
        layer[name] = max((layer[high] + length for high, length in into[name]), default=0)
    bottom = max((n for name, n in layer.items() if name not in last), default=-1) + 1
    layer.update({name: bottom for name in nodes if name in last})
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in nodes:
        rows[layer[name]].append(name)
    chains = []
    for n, (high, low) in enumerate(down):
        between = [f"~{n}:{at}" for at in range(layer[high] + 1, layer[low])]
        for at, name in enumerate(between, start=layer[high] + 1):
            rows[at].append(name)
        chains.append((high, *between, low))
    return Layers(
        rows=tuple(map(tuple, _ordered(rows, chains))), chains=tuple(chains), turned=turned
    )


def _neighbours(
    chains: Sequence[Sequence[str]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for high, low in pairwise(chain):
            if high != low:
                above[low].append(high)
                below[high].append(low)
    return above, below


def _ordered(rows: list[list[str]], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """With few crossings: the best of some sweeps down and up."""
    above, below = _neighbours(chains)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for turn in range(_ROUNDS):
        if not fewest:
            break
        near = above if turn % 2 == 0 else below
        at = {name: float(n) for row in rows for n, name in enumerate(row)}
        for row in rows if turn % 2 == 0 else reversed(rows):
            means = {
                name: sum(at[o] for o in near[name]) / len(near[name]) if near[name] else at[name]
                for name in row
            }
            row.sort(key=means.__getitem__)
            at.update({name: float(n) for n, name in enumerate(row)})
        found = _crossings(rows, below)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _crossings(rows: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    at = {name: n for row in rows for n, name in enumerate(row)}
    count = 0
    for row in rows:
        ends = [sorted(at[low] for low in below.get(name, ())) for name in row]
        for n, left in enumerate(ends):
            count += sum(a > b for right in ends[n + 1 :] for a in left for b in right)
    return count


def places(layers: Layers, width: Callable[[str], float], gap: float) -> dict[str, float]:
    """The middle of every node and place between, from 0 to the right."""
    above, below = _neighbours(layers.chains)
    at: dict[str, float] = {}
    for row in layers.rows:
        x = 0.0
        for name in row:
            at[name] = x + width(name) / 2
            x += width(name) + gap
    for turn in range(_PLACINGS):
        near = above if turn % 2 == 0 else below
        for row in layers.rows if turn % 2 == 0 else reversed(layers.rows):
            wanted = [
                sum(at[o] for o in near[name]) / len(near[name]) if near[name] else at[name]
                for name in row
            ]
            at.update(zip(row, _apart(wanted, [width(name) for name in row], gap), strict=True))
    left = min((at[name] - width(name) / 2 for row in layers.rows for name in row), default=0.0)
    return {name: x - left for name, x in at.items()}


def _apart(wanted: Sequence[float], widths: Sequence[float], gap: float) -> list[float]:
    """The nearest to what is wanted, in this order and not overlapping."""
    offsets: list[float] = []
    x = 0.0
    for n, width in enumerate(widths):
        x += (widths[n - 1] / 2 + gap + width / 2) if n else 0.0
        offsets.append(x)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, size = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / size:
            total, size = total + pools[-1][0], size + pools[-1][1]
            pools.pop()
        pools.append((total, size))
    shifts = [total / size for total, size in pools for _ in range(size)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
