"""Which values are personal: fields marked `pii`, and what is made of them without losing it.

What only says whether, or how many, is not: a test, a count, an age in years. What `start` hands
over stays what it was: `entry.x` is personal if some journey gives personal data for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.entry import EnterOn
from journeylang.model.expressions import (
    Aggregate,
    Arithmetic,
    CustomerValue,
    EntryValue,
    EventValue,
    Expression,
    MetricValue,
)
from journeylang.model.journey import Journey, Start
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.source import Span

_REPLY = ("replied", "text")
"""The one field of the runtime's own events that is personal: what somebody wrote."""

_SAYS_HOW_MANY = frozenset({"count", "exists", "distinct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """Personal data that a `start` gives for a field, by the name it has there, and where."""

    name: str
    at: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What is personal in a project; `handed` by journey and field of its entry."""

    project: Project
    handed: Mapping[str, Mapping[str, Handed]]

    def within(self, node: Expression, journey: Journey) -> str | None:
        """The personal field that a value carries, as it is spoken of; None if it carries none."""
        match node:
            case CustomerValue():
                mine = of_customers(self.project)
                return f"customer.{node.name}" if node.name in mine else None
            case EntryValue():
                return f"entry.{node.name}" if node.name in self.of_entry(journey) else None
            case EventValue():
                mine = of_event(node.event, self.project)
                return f"{node.event}.{node.name}" if node.name in mine else None
            case Aggregate():
                if node.function in _SAYS_HOW_MANY or node.value is None:
                    return None
                return self.within(node.value, journey)
            case Arithmetic():
                return self.within(node.left, journey) or self.within(node.right, journey)
            case MetricValue():
                metric = self.project.metrics.get(node.name)
                return None if metric is None else self.within(metric.value, journey)
            case _:
                return None

    def of_entry(self, journey: Journey) -> frozenset[str]:
        """Fields of `entry.x`: of the event that began the run, or of what was handed over."""
        if isinstance(journey.entry, EnterOn):
            return of_event(journey.entry.event.name, self.project)
        return frozenset(self.handed.get(journey.name, ()))


def personal(project: Project) -> Personal:
    """What is personal, followed through all that journeys hand over to each other."""
    handed: dict[str, dict[str, Handed]] = {}
    found = Personal(project=project, handed=handed)
    waiting = list(project.journeys.values())
    while waiting:
        journey = waiting.pop()
        for target, name, given in _given(journey, found):
            there = handed.setdefault(target, {})
            if name not in there and target in project.journeys:
                there[name] = given
                # What it hands on may be personal too.
                waiting.append(project.journeys[target])
    return found


def _given(journey: Journey, known: Personal) -> Iterator[tuple[str, str, Handed]]:
    for step in steps(journey.body):
        if isinstance(step, Start):
            for name, value, _ in step.values:
                carried = known.within(value, journey)
                if carried is not None:
                    yield step.journey, name, Handed(name=carried, at=value.span)


def of_customers(project: Project) -> frozenset[str]:
    customers = project.binding.customers
    return frozenset(f.name for f in customers.fields if f.pii) if customers else frozenset()


def of_event(name: str, project: Project) -> frozenset[str]:
    event = project.binding.events.get(name)
    if event is not None:
        return frozenset(f.name for f in event.fields if f.pii)
    return frozenset(field for owner, field in (_REPLY,) if owner == name)
