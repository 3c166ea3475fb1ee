"""Which values are personal: fields marked `pii`, and what is made of them without losing it.

What only says whether, or how many, is not: a test, a count, an age in years.
"""

from __future__ import annotations

from journeylang.model.entry import EnterOn, Entry
from journeylang.model.expressions import (
    Aggregate,
    Arithmetic,
    CustomerValue,
    EntryValue,
    EventValue,
    Expression,
    MetricValue,
)
from journeylang.model.project import Project

_REPLY = ("replied", "text")
"""The one field of the runtime's own events that is personal: what somebody wrote."""

_SAYS_HOW_MANY = frozenset({"count", "exists", "distinct"})


def personal(node: Expression, entry: Entry | None, project: Project) -> str | None:
    """The personal field that a value carries, as it is spoken of; None if it carries none."""
    match node:
        case CustomerValue():
            return f"customer.{node.name}" if node.name in of_customers(project) else None
        case EntryValue():
            return f"entry.{node.name}" if node.name in of_entry(entry, project) else None
        case EventValue():
            mine = of_event(node.event, project)
            return f"{node.event}.{node.name}" if node.name in mine else None
        case Aggregate():
            if node.function in _SAYS_HOW_MANY or node.value is None:
                return None
            return personal(node.value, entry, project)
        case Arithmetic():
            found = personal(node.left, entry, project)
            return found or personal(node.right, entry, project)
        case MetricValue():
            metric = project.metrics.get(node.name)
            return None if metric is None else personal(metric.value, entry, project)
        case _:
            return None


def of_customers(project: Project) -> frozenset[str]:
    customers = project.binding.customers
    return frozenset(f.name for f in customers.fields if f.pii) if customers else frozenset()


def of_event(name: str, project: Project) -> frozenset[str]:
    event = project.binding.events.get(name)
    if event is not None:
        return frozenset(f.name for f in event.fields if f.pii)
    return frozenset(field for owner, field in (_REPLY,) if owner == name)


def of_entry(entry: Entry | None, project: Project) -> frozenset[str]:
    """Fields of `entry.x`: those of the event that began the run."""
    return of_event(entry.event.name, project) if isinstance(entry, EnterOn) else frozenset()
