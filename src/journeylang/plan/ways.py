"""The ways between two parks, and the trees that are built of them.

A way is what follows a point, given what was met before it: a continuation. Remainders that
branches share are worked out once per set of what was met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.expressions import Expression
from journeylang.model.journey import Journey
from journeylang.plan.operations import (
    Again,
    Ahead,
    Decide,
    Edge,
    EdgeKind,
    Leaf,
    Node,
    Split,
)
from journeylang.plan.passes import STRAIGHT, Passes

MAX_WAYS = 2_000

Exposures = tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Met:
    """What a way has met so far: arms of experiments, and beginnings and ends of loops."""

    exposures: Exposures = ()
    passes: Passes = STRAIGHT

    def exposed(self, *to: tuple[int, str | None]) -> Met:
        return replace(self, exposures=(*self.exposures, *to))


# What follows a point, given what was met on the way to it.
Rest = Callable[[Met], Node]


class TooManyWaysError(Exception):
    """The instantaneous part behind a step branches into more ways than can be compiled."""

    def __init__(self, journey: Journey) -> None:
        super().__init__(journey.name)
        self.journey = journey


def once(rest: Rest) -> Rest:
    """The same, worked out once per set of exposures: branches that join share it."""
    known: dict[Met, Node] = {}

    def way(met: Met) -> Node:
        if met not in known:
            known[met] = rest(met)
        return known[met]

    return way


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf to which a tree leads."""
    match node:
        case Leaf():
            yield node
        case Decide() | Ahead() | Again():
            yield from leaves(node.then)
            yield from leaves(node.otherwise)
        case Split():
            for _, _, way in node.arms:
                yield from leaves(way)
        case _:
            assert_never(node)


class Ways:
    """The leaves and edges of one journey."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self._edges: list[Edge | None] = [None]  # the first is the entry
        self._pending: list[tuple[int, int | None, EdgeKind, Rest]] = []
        self._leaves: dict[tuple[int | None, str | None, bool, Met], Leaf] = {}
        self._sizes: dict[int, int] = {}

    def to(self, step: int) -> Rest:
        return lambda met: self.leaf(step, None, met)

    def end(self, reason: str) -> Rest:
        return lambda met: self.leaf(None, reason, met)

    def decide(self, condition: Expression, then: Node, otherwise: Node) -> Node:
        if then is otherwise:
            return then
        node = Decide(condition=condition, then=then, otherwise=otherwise)
        return self.sized(node, then, otherwise)

    def sized(self, node: Node, *below: Node) -> Node:
        # Shared remainders are written out once per way that leads to them, so a tree can be
        # exponentially larger than the journey.
        size = 1 + sum(self._sizes.get(id(n), 1) for n in below)
        if size > MAX_WAYS:
            raise TooManyWaysError(self.journey)
        self._sizes[id(node)] = size
        return node

    def leaf(self, step: int | None, reason: str | None, met: Met, exited: bool = False) -> Leaf:
        key = (step, reason, exited, met)
        if key not in self._leaves:
            self._leaves[key] = Leaf(
                leaf=len(self._leaves),
                step=step,
                reason=reason,
                exited=exited,
                passes=met.passes,
                exposures=met.exposures,
            )
        return self._leaves[key]

    def edge(self, step: int | None, kind: EdgeKind, rest: Rest) -> int:
        number_ = len(self._edges)
        self._edges.append(None)
        # A loop leads back to what is not there yet: worked out when everything is.
        self._pending.append((number_, step, kind, rest))
        return number_

    def edges(self, entry: Rest) -> tuple[Edge, ...]:
        """All edges, `entry` the first of them, with their ways worked out."""
        self._edges[0] = Edge(edge=0, step=None, kind="entered", node=entry(Met()))
        for number_, park, kind, rest in self._pending:
            self._edges[number_] = Edge(edge=number_, step=park, kind=kind, node=rest(Met()))
        return tuple(e for e in self._edges if e is not None)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(self._leaves.values())
