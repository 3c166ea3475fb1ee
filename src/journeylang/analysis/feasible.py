"""Which paths one person can take: those on which nothing excludes what was decided before.

Conditions are taken as if all of them were decided at one instant. People do change between two
steps; but what rests on their changing to and fro is nothing that a rule should speak of.
"""

from __future__ import annotations

from journeylang.analysis.flow import Path, Way
from journeylang.analysis.ranges import Fact, implies, possible
from journeylang.model.expressions import Aggregate, BoundEvent, Expression, SinceEntry
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from journeylang.model.types import BOOL
from journeylang.source import Span


def feasible(path: Path, journey: Journey, project: Project) -> bool:
    """Whether somebody may take the path, as far as can be seen."""
    if journey.exits and any(_has_left(stop.way, journey, project) for stop in path):
        return False
    conditions = decided(path)
    return len(conditions) < 2 or possible(conditions, project)


def decided(path: Path) -> list[Fact]:
    """The conditions on the path, and how they were decided.

    Not those of awaited states and of loops: that these change is what one waits for.
    """
    return [
        Fact(condition=stop.way.condition, holds=stop.way.holds)
        for stop in path
        if stop.way.condition is not None and stop.way.kind in ("then", "else")
    ]


def ends_the_run(
    event: BoundEvent, where: Expression | None, journey: Journey, project: Project
) -> bool:
    """Whether such an event, coming after the entry, makes some `exit when` true."""
    happened = _since_entry(event, where, event.span)
    return any(implies(happened, way_out.condition, project) for way_out in journey.exits)


def _has_left(way: Way, journey: Journey, project: Project) -> bool:
    """Exit beats everything: whoever the awaited event makes leave does not take its way."""
    branch = way.branch
    if branch is None or not isinstance(branch.event, BoundEvent):
        return False
    return ends_the_run(branch.event, branch.where, journey, project)


def _since_entry(event: BoundEvent, where: Expression | None, span: Span) -> Aggregate:
    windows = (SinceEntry(span=span),)
    return Aggregate(
        function="exists", event=event, where=where, windows=windows, type=BOOL, span=span
    )
