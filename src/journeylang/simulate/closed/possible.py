"""Whether the lives of a program's people can be worked out at once, or why not.

They can where nothing that happens to one customer depends on another, or on a tick at which
nothing happens to them: each decision then hangs on the run's own rows and instants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from journeylang.engines.base import Engine
from journeylang.model.assumptions import Assumption
from journeylang.model.binding import ConsentTable
from journeylang.model.entry import EnterOn
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Arithmetic,
    Between,
    BoundEvent,
    Comparison,
    Constant,
    CustomerValue,
    Drawn,
    Either,
    EntryValue,
    EventSource,
    EventValue,
    Expression,
    Known,
    Listed,
    MessageEvent,
    MetricValue,
    Negated,
    OneOf,
    SegmentTest,
    SinceEntry,
    TextMatch,
)
from journeylang.model.project import Project
from journeylang.model.walk import walk
from journeylang.plan.operations import (
    ActionPark,
    Call,
    Decide,
    JourneyPlan,
    Leaf,
    Node,
    RacePark,
    SendPark,
    Split,
    WaitPark,
)
from journeylang.runtime.program import Ready
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.guards import usual_is_judged
from journeylang.simulate.closed.underway import why_not_underway
from journeylang.sql.prospects import collected_rows
from journeylang.sql.relations import consent_rows, customers
from journeylang.sql.scope import definitions

_DAY = timedelta(days=1)
_OF_ROWS = (
    *(Constant, CustomerValue, EventValue, EntryValue, MetricValue, Arithmetic, Comparison),
    *(Between, OneOf, TextMatch, Known, All, Either, Negated, SegmentTest, Listed),
)


def why_not(
    engine: Engine,
    ready: Ready,
    grid: Grid,
    applied: Mapping[int, datetime],
    lines: Sequence[Assumption],
) -> str | None:
    """What stands against it, in words that go behind "because"; None: nothing."""
    plans = ready.program.journeys
    if len(plans) != 1:
        return "several journeys share their customers"
    (plan,) = plans
    if grid.step.total_seconds() < 1:
        return "its ticks are less than a second apart"
    for reason in (*_of_the_journey(plan, ready), *_of_the_steps(plan, ready.project)):
        return reason
    if isinstance(plan.entry, EnterOn) and plan.entry.event.name in _brought_about(lines):
        return "its messages bring about what it is entered on"
    if usual_is_judged(plan, grid, applied[plan.journey]) and _DAY % grid.step:
        return "its ticks do not divide a day"
    return _of_the_database(engine, plan, ready.project, grid)


def _brought_about(lines: Sequence[Assumption]) -> set[str]:
    """The bound events that may follow from messages."""
    found: set[str] = set()
    for _ in lines:
        for line in lines:
            if isinstance(line.after, MessageEvent) or (line.after and line.after.name in found):
                found.add(line.event.name)
    return found


def of_rows(node: Expression, project: Project) -> bool:
    """Whether it is the same whenever it is asked."""
    return all(_settled(n) for n in walk(node, definitions(project)))


def at_once(node: Expression, project: Project) -> bool:
    """Whether rows with instants of their own can be asked."""
    return all(
        _settled(n)
        or isinstance(n, Aged)
        or (isinstance(n, Aggregate) and n.function != "most" and _readable(n.event, project))
        for n in walk(node, definitions(project))
    )


def lasting(node: Expression, project: Project) -> bool:
    """Whether it stays true once it is."""
    match node:
        case SegmentTest():
            return lasting(project.segments[node.name].condition, project)
        case All() | Either():
            return all(lasting(part, project) for part in node.parts)
        case Aggregate():
            return (
                node.function == "exists"
                and len(node.windows) == 1
                and isinstance(node.windows[0], SinceEntry)
                and _readable(node.event, project)
                and (node.where is None or of_rows(node.where, project))
            )
        case _:
            return of_rows(node, project)


def _settled(node: Expression) -> bool:
    return isinstance(node, _OF_ROWS) or (isinstance(node, Drawn) and node.learned is None)


def _readable(source: EventSource, project: Project) -> bool:
    """Codes are drawn by ticks."""
    return not isinstance(source, BoundEvent) or project.binding.events[source.name].redeems is None


def _of_the_journey(plan: JourneyPlan, ready: Ready) -> Iterator[str]:
    project = ready.project
    entry = plan.entry
    if not isinstance(entry, EnterOn):
        yield "it is not entered on an event"
        return
    if not isinstance(entry.event, BoundEvent) or not _readable(entry.event, project):
        yield "it is entered on what happens to messages"
    elif entry.per is not None:
        yield "one customer may have several runs side by side"
    elif entry.where is not None and not of_rows(entry.where, project):
        yield "figures decide who enters"
    if plan.only is not None and not at_once(plan.only, project):
        yield "`only customers where` asks for more than rows and figures"
    if not all(lasting(x.condition, project) for x in plan.exits):
        yield "an `exit when` may hold and cease to hold"
    if any(guard.measure != "entries" or guard.is_floor for guard in plan.guards):
        yield "a guard looks at what all people do"
    if plan.learning or ready.lessons:
        yield "it learns"
    if plan.factors:
        yield "it has factors"
    if plan.pinned or ready.repeats is not None:
        yield "people are on an earlier version"


def _of_the_steps(plan: JourneyPlan, project: Project) -> Iterator[str]:
    counted = 0
    for park in plan.parks:
        match park:
            case WaitPark():
                pass
            case RacePark():
                for branch in park.branches:
                    if branch.event.name == "sent" or not _readable(branch.event, project):
                        yield f"`{park.path}` waits for what ticks do"
                    elif branch.where is not None and not of_rows(branch.where, project):
                        yield f"`{park.path}` asks for figures of the event"
            case SendPark():
                counted += any(o.counted for o in park.offers)
                yield from _of_a_send(park, project)
            case ActionPark(act=Call(depth=0)):
                pass
            case _:
                yield f"`{park.path}` is more than a wait, a message or a call"
    for edge in plan.edges:
        yield from _of_a_way(edge.node, project)


def _of_a_send(park: SendPark, project: Project) -> Iterator[str]:
    if any(o.allowances for o in park.offers):
        yield "people share a budget or a capacity"
    if park.picks or park.code is not None:
        yield f"`{park.path}` draws from a catalogue or a pool"
    if park.preferred or park.learned or park.depth:
        yield f"`{park.path}` is more than a plain send"
    if any(c.when is not None and not at_once(c.when, project) for c in park.candidates):
        yield f"`{park.path}` asks for more than rows and figures"
    for cap in (cap for o in park.offers for cap in o.caps):
        if not isinstance(cap.limit, int) or cap.segment is not None:
            yield "a cap is not the same for all"


def _of_a_way(node: Node, project: Project) -> Iterator[str]:
    match node:
        case Leaf():
            pass
        case Decide():
            if not at_once(node.condition, project):
                yield "an `if` asks for more than rows and figures"
            yield from _of_a_way(node.then, project)
            yield from _of_a_way(node.otherwise, project)
        case Split():
            if node.learned:
                yield "it learns"
            for _, _, way in node.arms:
                yield from _of_a_way(way, project)
        case _:
            yield "it has a loop, or waits for a moment in the data"


def _of_the_database(engine: Engine, plan: JourneyPlan, project: Project, grid: Grid) -> str | None:
    relation = customers(project.binding, engine.dialect, ())
    unfit, reason = why_not_underway(plan, relation)
    if engine.query(unfit):
        return reason
    [[paused]] = engine.query(
        "SELECT count(*) FROM journey.pause AS p"
        f" WHERE p.journey = {plan.journey} AND (p.until IS NULL OR NOT p.caught_up)"
    )
    if paused:
        return "it is paused"
    asked = {c for p in plan.parks if isinstance(p, SendPark) for o in p.offers for c in o.consents}
    for name in sorted(asked):
        bound = project.binding.consents[name]
        rows = [f"SELECT k.\"at\" FROM journey.consent_change AS k WHERE k.consent = '{name}'"]
        if isinstance(bound, ConsentTable):
            rows.append(f"SELECT k.at FROM {consent_rows(bound, engine.dialect)} AS k")
            if collected_rows(project, name, engine.dialect) is not None:
                return "consent was collected by lists"
        elif not of_rows(bound.condition, project):
            return f"the consent {name} is more than fields"
        later = engine.query(
            f"SELECT 1 FROM ({' UNION ALL '.join(rows)}) AS k (said) WHERE k.said > $start LIMIT 1",
            {"start": grid.start},
        )
        if later:
            return f"the consent {name} changes meanwhile"
    return None
