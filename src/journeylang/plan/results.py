"""What a journey's guards on results are measured by."""

from __future__ import annotations

from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Goal, Journey
from journeylang.model.measures import OF_GOALS, EventField
from journeylang.model.project import Project
from journeylang.plan.operations import Amount, Results


def results(project: Project, journey: Journey) -> Results | None:
    """None if no guard asks for results."""
    asked = {guard.measure for guard in journey.guards}
    if not asked.intersection(OF_GOALS):
        return None
    goal, worth = journey.goals[0], project.worth
    revenue = goods = None
    if asked & {"revenue", "roi"}:
        if goal.worth is not None:
            revenue = Amount(event=goal.event, where=goal.where, field=goal.worth)
        elif worth is not None:
            revenue = _amount(worth.revenue, goal)
    if "roi" in asked and worth is not None and worth.goods is not None:
        goods = _amount(worth.goods, goal)
    return Results(goal=goal, revenue=revenue, goods=goods)


def _amount(of: EventField, goal: Goal) -> Amount:
    """Of the goal's own event only what counts as the goal."""
    same = isinstance(goal.event, BoundEvent) and goal.event.name == of.event
    event = goal.event if same else BoundEvent(name=of.event, span=goal.span)
    return Amount(event=event, where=goal.where if same else None, field=of.name)
