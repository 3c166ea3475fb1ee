"""What a journey's goals bring: for its guards on results, and for reports."""

from __future__ import annotations

from dataclasses import replace

from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Goal, Journey
from journeylang.model.measures import OF_GOALS, EventField
from journeylang.model.project import Project
from journeylang.plan.operations import Amount, Results


def results(project: Project, journey: Journey) -> Results | None:
    """What guards ask for; None if none of them asks for results."""
    asked = {guard.measure for guard in journey.guards}
    if not asked.intersection(OF_GOALS):
        return None
    found = results_of(project, journey.goals[0])
    if not asked & {"revenue", "roi"}:
        found = replace(found, revenue=None)
    return found if "roi" in asked else replace(found, goods=None)


def results_of(project: Project, goal: Goal) -> Results:
    """All that is known of what a goal brings."""
    worth = project.worth
    revenue = goods = None
    if goal.worth is not None:
        revenue = Amount(event=goal.event, where=goal.where, field=goal.worth)
    elif worth is not None:
        revenue = _amount(worth.revenue, goal)
    if worth is not None and worth.goods is not None:
        goods = _amount(worth.goods, goal)
    return Results(goal=goal, revenue=revenue, goods=goods)


def _amount(of: EventField, goal: Goal) -> Amount:
    """Of the goal's own event only what counts as the goal."""
    same = isinstance(goal.event, BoundEvent) and goal.event.name == of.event
    event = goal.event if same else BoundEvent(name=of.event, span=goal.span)
    return Amount(event=event, where=goal.where if same else None, field=of.name)
