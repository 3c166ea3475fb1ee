"""Walking through trees, of syntax and of the model alike: all that is below a node.

Rules that ask whether something occurs anywhere need no word on each kind of node, and do not
overlook a kind that is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import TypeVar

from journeylang.analysis.paths import blocks
from journeylang.model.expressions import MetricValue, SegmentTest
from journeylang.model.project import Project
from journeylang.syntax import nodes

N = TypeVar("N")


@cache
def _parts(kind: type) -> Callable[[object], tuple[object, ...]] | None:
    """What gives the values of a node's fields but for its places; None of what is no node."""
    if not is_dataclass(kind):
        return None
    names = [f.name for f in fields(kind) if not f.name.endswith("span")]
    if not names:
        return lambda _: ()
    got = attrgetter(*names)
    return got if len(names) > 1 else lambda node: (got(node),)


def below(root: object) -> Iterator[object]:
    """The node and every node below it, in the order written; the root may be a tuple of nodes."""
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            node = tuple(node.values())
        if isinstance(node, tuple | list):
            waiting.extend(reversed(node))
            continue
        if node is None or isinstance(node, str | int):
            continue
        parts = _parts(type(node))  # type: ignore[arg-type]  # a type can be hashed
        if parts is not None:
            yield node
            waiting.extend(reversed(parts(node)))


def all_of(root: object, kind: type[N]) -> Iterator[N]:
    """Every node of a kind at or below another one."""
    return (node for node in below(root) if isinstance(node, kind))


def with_named(root: object, project: Project) -> Iterator[object]:
    """As `below` in the model, and through the metrics and segments that are named, each once."""
    seen: set[tuple[str, str]] = set()
    waiting = [root]
    while waiting:
        for node in below(waiting.pop()):
            yield node
            if isinstance(node, MetricValue) and ("metric", node.name) not in seen:
                seen.add(("metric", node.name))
                if node.name in project.metrics:
                    waiting.append(project.metrics[node.name].value)
            elif isinstance(node, SegmentTest) and ("segment", node.name) not in seen:
                seen.add(("segment", node.name))
                if node.name in project.segments:
                    waiting.append(project.segments[node.name].condition)


def inner(step: nodes.Step) -> tuple[nodes.Block, ...]:
    """The blocks directly within a step, as written."""
    return tuple(block for block, _ in blocks(step, ()))


def all_blocks(block: nodes.Block) -> Iterator[nodes.Block]:
    """A block, and all blocks within it."""
    waiting = [block]
    while waiting:
        current = waiting.pop()
        yield current
        for step in reversed(current):
            waiting.extend(reversed(inner(step)))
