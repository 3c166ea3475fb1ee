"""For whom a condition may have changed since it was last looked at.

What a condition says of a customer changes in two ways only. A row that it reads is new or
changed: the rows to watch are its *sources*. Or time passes an instant that it compares with
`now`: a row leaves a window, becomes older than a span. Those instants lie a fixed time behind
an instant in some row, and are its *edges*. Whoever has neither a new row in a source nor an
edge between the two looks is told the same as before. Literals that are compared with `now`
change for everybody at once (`instants`).

A condition that reads something else is looked at in full. So is one that asks who there is
at all (an entry) while nothing tells which customers are new.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.entry import EnterJoins, EnterWhen
from journeylang.model.expressions import (
    Age,
    Aged,
    Aggregate,
    Arithmetic,
    BoundEvent,
    Constant,
    CustomerValue,
    EntryValue,
    EventSource,
    EventValue,
    Expression,
    Listed,
    MessageEvent,
    MetricValue,
    ProfileValue,
    SegmentTest,
    SqlMembers,
    TileBy,
    TopBy,
    Within,
)
from journeylang.model.journey import Repeat
from journeylang.model.project import Project
from journeylang.model.steps import bodies, steps
from journeylang.model.types import INSTANT
from journeylang.model.walk import children
from journeylang.plan.operations import JourneyPlan, StatePark
from journeylang.source import Span

Kind = Literal["when", "exits", "states"]
"""What is looked at: an entry's condition, exits, or waits until a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRows:
    """Rows of the customers, by their `changed at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRows:
    """Rows of an event; of messages those of any run."""

    event: EventSource


@dataclass(frozen=True, slots=True, kw_only=True)
class NonSends:
    """That nothing was sent at a step: in a loop, `of STEP` means the latest pass."""

    journey: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRows:
    """What `set` wrote under a name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRows:
    """Active runs of a journey."""

    journey: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Runs that are no longer in the way: they have ended, or entered `days` ago."""

    journey: int
    days: int


Source = CustomerRows | EventRows | NonSends | ProfileRows | RunRows | Returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`instant`, over a row of `of`, and `seconds` later: then it may change for its customer."""

    of: Source
    instant: Expression
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incremental:
    """Where to look for those for whom a condition may have changed."""

    sources: tuple[Source, ...]
    edges: tuple[Edge, ...]
    instants: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """Why everybody has to be looked at, and what would spare that, if anything."""

    reason: str
    way_out: str | None
    span: Span


Look = Incremental | Full


def looks(project: Project, plan: JourneyPlan) -> dict[Kind, Look]:
    """How each of a journey's conditions is looked at."""
    found: dict[Kind, Look] = {}
    match plan.entry:
        case EnterWhen(condition=asked, span=span):
            reader = _Reader(project, plan)
            reader.needs_customers("nothing tells who is new among the customers", span)
            if plan.reenter.rule == "after":
                reader.sources[Returns(journey=plan.journey, days=plan.reenter.days)] = None
            found["when"] = reader.look(x for x in (asked, plan.only) if x is not None)
        case EnterJoins(inside=asked, span=span):
            reader = _Reader(project, plan)
            reader.needs_customers("nothing tells who is new among the customers", span)
            found["when"] = reader.look([asked])
        case _:
            pass
    if plan.exits:
        found["exits"] = _Reader(project, plan).look(x.condition for x in plan.exits)
    states = [p.condition for p in plan.parks if isinstance(p, StatePark)]
    if states:
        found["states"] = _Reader(project, plan).look(states)
    return found


class _Reader:
    """Reads expressions; `about` is the event whose rows are at hand, inside an aggregate."""

    def __init__(self, project: Project, plan: JourneyPlan) -> None:
        self.project = project
        self.plan = plan
        self.sources: dict[Source, None] = {}
        self.edges: dict[Edge, None] = {}
        self.instants: dict[datetime, None] = {}
        self.unseen: Full | None = None
        self.named: set[tuple[type, str]] = set()

    def look(self, conditions: Iterable[Expression]) -> Look:
        customers = self.project.binding.customers
        if customers is not None and customers.changed_at is not None:
            # Also of those who were gone and come back.
            self.sources[CustomerRows()] = None
        for condition in conditions:
            self.read(condition, None)
        if self.unseen is not None:
            return self.unseen
        return Incremental(
            sources=tuple(self.sources),
            edges=tuple(self.edges),
            instants=tuple(sorted(self.instants)),
        )

    def needs_customers(self, reason: str, span: Span) -> None:
        customers = self.project.binding.customers
        if customers is None or customers.changed_at is None:
            self.give_up(reason, "bind the customers with `changed at`", span)

    def give_up(self, reason: str, way_out: str | None, span: Span) -> None:
        if self.unseen is None:
            self.unseen = Full(reason=reason, way_out=way_out, span=span)

    def read(self, node: Expression, about: EventSource | None) -> None:
        match node:
            case CustomerValue():
                if node.name != "key":
                    reason = "nothing tells whose fields have changed among the customers"
                    self.needs_customers(reason, node.span)
            case ProfileValue():
                self.sources[ProfileRows(name=node.name)] = None
            case MetricValue() | SegmentTest():
                self.definition(node)
            case Aggregate():
                self.aggregate(node)
                return
            case Aged():
                self.aged(node, about)
            case TopBy() | TileBy():
                self.give_up("a ranking is over all customers", None, node.span)
            case Listed():
                self.give_up("a list names people by what they are bound with", None, node.span)
            case SqlMembers():
                self.give_up("nothing is known of what SQL by hand reads", None, node.span)
            case EventValue(name="cost") if isinstance(about, MessageEvent):
                # Behind the tick that decided it, in which nobody is asked again for it.
                reason = "what a message has cost is known when it has gone out"
                self.give_up(reason, None, node.span)
            case Age():
                self.give_up("ages change on everybody's own calendar", None, node.span)
            case _:
                pass
        for child in children(node):
            self.read(child, about)

    def definition(self, node: MetricValue | SegmentTest) -> None:
        """A metric or a segment speaks of the customer, wherever it stands."""
        name = (type(node), node.name)
        if name not in self.named:
            self.named.add(name)
            self.read(self._defined(node), None)

    def _defined(self, node: MetricValue | SegmentTest) -> Expression:
        if isinstance(node, MetricValue):
            return self.project.metrics[node.name].value
        return self.project.segments[node.name].condition

    def aggregate(self, node: Aggregate) -> None:
        event = self.watched(node)
        for window in node.windows:
            if isinstance(window, Within):
                self.edges[_edge_of(event, window.seconds)] = None
        for child in children(node):
            # The windows' own aggregates are among them, and bring their own events.
            self.read(child, event)

    def watched(self, node: Aggregate) -> EventSource:
        """The aggregate's event as a source, of any run."""
        event = node.event
        match event:
            case BoundEvent(name=name):
                bound = self.project.binding.events[name]
                if bound.redeems is not None:
                    self.give_up("redemptions follow from the codes drawn", None, node.span)
                elif not bound.append_only and bound.changed_at is None:
                    self.give_up(
                        f"rows of `{name}` may change unseen",
                        f"bind `{name}` as `append only`, or with `changed at`",
                        node.span,
                    )
            case MessageEvent() as message:
                if message.own and _in_a_loop(self.project, message):
                    assert message.journey is not None
                    assert message.path is not None
                    skipped = NonSends(journey=message.journey, path=message.path)
                    self.sources[skipped] = None
                    sent = MessageEvent(
                        name="sent",
                        journey=message.journey,
                        path=message.path,
                        span=message.span,
                    )
                    self.sources[EventRows(event=sent)] = None
                event = MessageEvent(
                    name=message.name,
                    journey=message.journey,
                    path=message.path,
                    channel=message.channel,
                    span=message.span,
                )
        self.sources[EventRows(event=event)] = None
        return event

    def aged(self, node: Aged, about: EventSource | None) -> None:
        for of, instant, ahead in self.moments(node.subject, about):
            seconds = node.seconds + ahead
            if of is not None:
                self.edges[Edge(of=of, instant=instant, seconds=seconds)] = None
                continue
            assert isinstance(instant, Constant)
            if isinstance(instant.value, date):
                self.instants[_instant(instant.value) + timedelta(seconds=seconds)] = None

    def moments(
        self, subject: Expression, about: EventSource | None
    ) -> list[tuple[Source | None, Expression, int]]:
        """Whose rows' instants a subject is one of, and how many seconds it is behind them."""
        match subject:
            case Constant():
                return [(None, subject, 0)]
            case CustomerValue():
                return [(CustomerRows(), subject, 0)]
            case ProfileValue():
                return [(ProfileRows(name=subject.name), subject, 0)]
            case EntryValue(name="at"):
                return [(RunRows(journey=self.plan.journey), subject, 0)]
            case EventValue() if about is not None:
                return [(EventRows(event=about), subject, 0)]
            case MetricValue():
                return self.moments(self._defined(subject), None)
            case Aggregate(function="first" | "last" | "min" | "max" | "most"):
                event = self.watched(subject)
                if subject.value is None:
                    return [(EventRows(event=event), _at(event), 0)]
                return self.moments(subject.value, event)
            case Arithmetic(operator="+" | "-", right=Constant(value=int() as span)):
                ahead = span if subject.operator == "+" else -span
                found = self.moments(subject.left, about)
                return [(of, instant, before + ahead) for of, instant, before in found]
            case _:
                reason = "when this instant comes follows from more than one row"
                self.give_up(reason, None, subject.span)
                return []


def _in_a_loop(project: Project, message: MessageEvent) -> bool:
    if message.journey is None or message.path is None:
        return False
    loops = (
        s.path
        for body in bodies(project, message.journey)
        for s in steps(body)
        if isinstance(s, Repeat)
    )
    return any(message.path.startswith(f"{path}/") for path in loops)


def _edge_of(event: EventSource, seconds: int) -> Edge:
    return Edge(of=EventRows(event=event), instant=_at(event), seconds=seconds)


def _at(event: EventSource) -> EventValue:
    return EventValue(event=event.name, name="at", type=INSTANT, span=event.span)


def _instant(value: date) -> datetime:
    """Naive, in UTC; of a date its midnight."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime.combine(value, time())
