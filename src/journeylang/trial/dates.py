"""Whether a journey asks what day it is.

Else it asks how long ago something was and what a clock shows: that is the same on any day.
"""

from __future__ import annotations

from journeylang.model.binding import ConsentWhen
from journeylang.model.expressions import Age, Constant, CustomerValue, EntryValue, ProfileValue
from journeylang.model.journey import Journey, Send
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.types import Kind
from journeylang.plan.asks import asked

# What is kept as text, or stands in the program: nothing moves it.
_WRITTEN = (Constant, EntryValue, ProfileValue)


def hangs_on_dates(project: Project, journey: Journey) -> bool:
    """Whether a customer might do something else if all that concerns them were on other days."""
    if journey.runs is not None:
        return True
    for step in steps(journey.body):
        if isinstance(step, Send):
            # Of channels as good as each other, each day draws one anew.
            if step.learns is not None:
                return True
            if step.code is not None and project.binding.promos[step.code.promo].until is not None:
                return True
    policy = project.policies.get(journey.policy or "")
    for node in asked(project, (journey, policy, *_consents(project))):
        if isinstance(node, Age) or node.type is None or node.type.kind in (Kind.DATE, Kind.TIME):
            return True
        if node.type.kind is Kind.INSTANT and isinstance(node, _WRITTEN):
            return True
        if isinstance(node, CustomerValue) and node.name == "timezone":
            return True
    return False


def _consents(project: Project) -> tuple[ConsentWhen, ...]:
    """Consents by what is known of the customer: sends ask for them."""
    return tuple(c for c in project.binding.consents.values() if isinstance(c, ConsentWhen))
