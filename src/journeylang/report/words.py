"""Names of goals and groups as they are read, and what money is in."""

from __future__ import annotations

from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Goal
from journeylang.model.project import Project
from journeylang.sql.caps import span_of_time


def goal_name(goal: Goal) -> str:
    """`order_placed within 14d`; a condition is told by `…`."""
    event = goal.event.name
    if not isinstance(goal.event, BoundEvent) and (goal.event.path or goal.event.channel):
        event += f" of {goal.event.path or goal.event.channel}"
    where = " where …" if goal.where is not None else ""
    within = "" if goal.within is None else f" within {span_of_time(goal.within)}"
    return event + where + within


def currency_of(project: Project, goal: Goal) -> str | None:
    """What the goal's value is in; None if it has none, or is no money."""
    if goal.worth is not None:
        return goal.currency
    return project.worth.currency if project.worth is not None else None


def costs_fit(project: Project, goal: Goal) -> bool:
    """Whether messages, goods and codes cost money of the kind that the goal brings."""
    costs = {c.currency for c in project.binding.channels.values() if c.cost is not None}
    costs |= {
        field.type.currency
        for bound in project.binding.events.values()
        if bound.redeems is not None
        for field in bound.fields
        if field.name == "cost"
    }
    worth = project.worth
    if worth is not None and (worth.goods is not None or worth.acquisition is not None):
        costs.add(worth.currency)
    return costs <= {currency_of(project, goal)} and currency_of(project, goal) is not None


def unit(project: Project, goal: Goal) -> str:
    """` in EUR`, or nothing."""
    currency = currency_of(project, goal)
    return f" in {currency}" if currency else ""
