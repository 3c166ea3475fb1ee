"""Which ways lead from one step to another, with the branches that they take on it.

What is stored of somebody is where they came from and where they came to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.expressions import Expression
from journeylang.plan.operations import (
    Again,
    Ahead,
    Decide,
    Edge,
    JourneyPlan,
    Leaf,
    Node,
    Split,
)

Choice = tuple[Expression, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The conditions met, each with the branch taken, and where it leads."""

    choices: tuple[Choice, ...]
    leaf: Leaf


# Of an edge that branches more often than that no one way is looked for.
MAX_WAYS = 500


def edges_taken(plan: JourneyPlan, origin: int | None, why: str) -> list[Edge]:
    """The edges by which a move may have left its step."""
    kind = {"skipped": "sent"}.get(why, why)
    mine = [e for e in plan.edges if e.step == origin and e.kind != "retry"]
    return [e for e in mine if e.kind == kind] or mine


def ways_to(edges: Iterable[Edge], to: int | None, reason: str | None) -> list[Way]:
    """All ways that end where the move has ended; `reason` is that of an end."""
    found: list[Way] = []
    for edge in edges:
        for way in _ways(edge.node, ()):
            ends = way.leaf.step is None and not way.leaf.exited
            if way.leaf.step == to and (to is not None or (ends and way.leaf.reason == reason)):
                found.append(way)
            if len(found) > MAX_WAYS:
                return []
    return found


def _ways(node: Node, met: tuple[Choice, ...]) -> Iterator[Way]:
    match node:
        case Leaf():
            yield Way(choices=met, leaf=node)
        case Decide():
            yield from _ways(node.then, (*met, (node.condition, True)))
            yield from _ways(node.otherwise, (*met, (node.condition, False)))
        case Ahead() | Again():
            yield from _ways(node.then, met)
            yield from _ways(node.otherwise, met)
        case Split():
            for _, _, way in node.arms:
                yield from _ways(way, met)
        case _:
            assert_never(node)
