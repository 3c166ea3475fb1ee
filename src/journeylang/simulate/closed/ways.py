"""The steps of a journey in their order, and where the ways between them lead."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.plan.operations import (
    Decide,
    JourneyPlan,
    Leaf,
    Node,
    Park,
    RacePark,
    Split,
    WaitPark,
)
from journeylang.plan.ways import leaves
from journeylang.sql.expressions import Scope, predicate


def leaf_of(node: Node, scope: Scope, drawn: str | None = None) -> str:
    """The number of the leaf to which a tree leads a row; `drawn`: the bucket of its first fork."""
    match node:
        case Leaf():
            return str(node.leaf)
        case Decide():
            then, otherwise = leaf_of(node.then, scope), leaf_of(node.otherwise, scope)
            return f"CASE WHEN {predicate(node.condition, scope)} THEN {then} ELSE {otherwise} END"
        case Split():
            bucket = drawn or scope.dialect.bucket(node.salt, "w.customer_id")
            whens = " ".join(
                f"WHEN {bucket} < {high} THEN {leaf_of(way, scope)}"
                for _, high, way in node.arms[:-1]
            )
            last = leaf_of(node.arms[-1][2], scope)
            return f"CASE {whens} ELSE {last} END" if whens else last
        case _:
            raise AssertionError(node)


def branches(park: WaitPark | RacePark) -> Iterator[int]:
    if isinstance(park, RacePark):
        for branch in park.branches:
            yield branch.edge


def ahead_of(plan: JourneyPlan) -> dict[int, set[int]]:
    """By step, all steps that may come behind it."""
    next_: dict[int, set[int]] = {park.step: set() for park in plan.parks}
    for edge in plan.edges:
        if edge.step is not None and edge.kind != "retry":
            next_[edge.step] |= {f.step for f in leaves(edge.node) if f.step is not None}
    found: dict[int, set[int]] = {}
    for step, nearest in next_.items():
        seen: set[int] = set()
        waiting = list(nearest)
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += next_[one]
        found[step] = seen
    return found


def in_order(plan: JourneyPlan) -> list[Park]:
    """Steps behind all from which one comes to them; there are no loops."""
    ahead = ahead_of(plan)
    return sorted(plan.parks, key=lambda park: -len(ahead[park.step]))
