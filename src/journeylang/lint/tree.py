"""Walking through what belongs together without standing together: names, and blocks of steps."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.paths import WITHOUT_BLOCKS, blocks
from journeylang.model.expressions import MetricValue, SegmentTest
from journeylang.model.project import Project
from journeylang.model.tree import below
from journeylang.syntax import nodes


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
    if isinstance(step, nodes.If):  # most of the steps with blocks; it adds nothing to a path
        return (*(way.steps for way in step.branches), step.otherwise or ())
    return tuple(block for block, _ in blocks(step, ()))


def all_blocks(block: nodes.Block) -> Iterator[nodes.Block]:
    """A block, and all blocks with steps within it."""
    waiting = [block]
    while waiting:
        current = waiting.pop()
        yield current
        for step in reversed(current):
            if step.__class__ not in WITHOUT_BLOCKS:
                waiting.extend(block for block in reversed(inner(step)) if block)


def all_steps(block: nodes.Block) -> Iterator[nodes.Step]:
    """Every step of a block, and of all blocks within it."""
    return (step for inside in all_blocks(block) for step in inside)
