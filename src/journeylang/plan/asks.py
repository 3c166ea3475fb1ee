"""What a journey asks of its customers: every expression of its plan, with all definitions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import get_args

from journeylang.model.expressions import Age, Expression, MetricValue, SegmentTest, TileBy, TopBy
from journeylang.model.project import Project
from journeylang.plan.operations import JourneyPlan, MomentPark, OpeningHour

_KINDS = get_args(Expression)


def asked(project: Project, of: object) -> Iterator[Expression]:
    """Each expression of a plan or expression, and of the metrics and segments that it names."""
    seen: set[int] = set()
    named: set[tuple[type, str]] = set()
    waiting: list[object] = [of]
    while waiting:
        value = waiting.pop()
        if isinstance(value, tuple):
            waiting += value
            continue
        if not dataclasses.is_dataclass(value) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, _KINDS):
            yield value
        if isinstance(value, MetricValue | SegmentTest):
            name = (type(value), value.name)
            if name in named:
                continue
            named.add(name)
            waiting.append(
                project.metrics[value.name].value
                if isinstance(value, MetricValue)
                else project.segments[value.name].condition
            )
        waiting += [getattr(value, f.name) for f in dataclasses.fields(value)]


def rankings(
    project: Project, plans: Iterable[JourneyPlan]
) -> tuple[tuple[Expression, frozenset[int], int], ...]:
    """What all customers are ranked by, each once, with the journeys that ask, and its level.

    A ranking by what rests on another ranking comes behind that, on a higher level.
    """
    asking: dict[Expression, set[int]] = {}
    for plan in plans:
        for by in _ranked_by(project, plan):
            asking.setdefault(by, set()).add(plan.journey)

    return tuple((by, frozenset(asking[by]), level) for level, by in _levels(project, asking))


def ranked(project: Project, of: object) -> tuple[tuple[int, Expression], ...]:
    """What an expression ranks all customers by, each once with its level, the lowest first."""
    return tuple(_levels(project, dict.fromkeys(_ranked_by(project, of))))


def _levels(project: Project, found: Iterable[Expression]) -> list[tuple[int, Expression]]:
    def depth(by: Expression) -> int:
        return 1 + max((depth(other) for other in _ranked_by(project, by)), default=0)

    return sorted(((depth(by), by) for by in found), key=lambda pair: pair[0])


def _ranked_by(project: Project, of: object) -> Iterator[Expression]:
    return (n.by for n in asked(project, of) if isinstance(n, TopBy | TileBy))


def asks_for_clocks(project: Project, plan: JourneyPlan) -> bool:
    """Whether it is asked what the clocks of others show than of those who move.

    A condition may depend on the date where a customer is, a wait on the hour at which all open.
    """
    hours = (isinstance(p, MomentPark) and isinstance(p.moment, OpeningHour) for p in plan.parks)
    return any(hours) or any(isinstance(n, Age) for n in asked(project, plan))
