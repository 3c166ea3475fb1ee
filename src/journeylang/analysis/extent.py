"""How large a definition becomes when those that it names are put into it.

SQL is made by putting them in. Ten thousand metrics that each rest on the one before, or sixty
that each use the one before twice, would exhaust whoever does that.
"""

from __future__ import annotations

from collections.abc import Mapping

from journeylang.analysis.dependencies import Definition
from journeylang.analysis.findings import Findings
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.syntax import TOO_DEEP
from journeylang.model.expressions import Expression, MetricValue, SegmentTest
from journeylang.model.walk import walk
from journeylang.syntax import nodes

DEEPEST = 64
"""Definitions that rest on each other."""

LARGEST = 10_000
"""Nodes of an expression with everything put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """``depth`` counts definitions, ``size`` nodes."""

    depth: int
    size: int


def extent(expression: Expression, known: Mapping[Definition, Extent]) -> Extent:
    """Of an expression, from those of the definitions that it names."""
    depth = size = 0
    for node in walk(expression):
        size += 1
        if isinstance(node, MetricValue | SegmentTest):
            kind = "metric" if isinstance(node, MetricValue) else "segment"
            inner = known.get((kind, node.name))
            if inner is not None:
                depth = max(depth, inner.depth)
                size += inner.size
    return Extent(depth=depth + 1, size=size)


def fits(found: Extent, name: nodes.Name, kind: str, findings: Findings) -> bool:
    """Whether the definition stays within the bounds; reports it if not."""
    if found.depth > DEEPEST:
        message = f"{kind} `{name.text}` rests on more than {DEEPEST} others in a row"
    elif found.size > LARGEST:
        message = f"{kind} `{name.text}` has more than {LARGEST:,} parts with all that it rests on"
    else:
        return True
    findings.error(
        TOO_DEEP,
        name.span,
        message,
        help="say directly what is meant, or compute it in the database and bind the result",
    )
    return False
