"""What a journey has brought, by its first goal: orders, leads, revenue, conversion, roi.

What comes with an event counts for a run if the event lies in the goal's window behind the
entry. Runs of people who are held out or in the control group do not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from journeylang.model.expressions import BoundEvent, EventSource
from journeylang.model.journey import Goal, Journey
from journeylang.model.measures import EventField, Target
from tests.oracle.facts import Happening, Run
from tests.oracle.stage import Stage
from tests.oracle.values import Subject

ENOUGH = 200


def holds(stage: Stage, journey: Journey, guard: Target) -> bool:
    """Whether a guard on results holds; also as long as it cannot be judged."""
    began = datetime.fromisoformat("1970-01-01")
    ends = [p.until for p in stage.memory.pauses if p.journey == journey.name and p.until]
    resumed = max(ends, default=began)
    start = stage.now - timedelta(seconds=guard.over) if guard.over is not None else began
    runs = [
        run
        for run in stage.memory.runs
        if run.journey == journey.name and run.status not in ("held_out", "global_control")
    ]
    if guard.measure in ("conversion", "roi"):
        return _cohort(stage, journey, guard, _first(journey.goals[0], runs, stage, resumed, start))
    if guard.operator in (">", ">=") and start < max(resumed, stage.memory.applied[journey.name]):
        return True
    goal = journey.goals[0]
    if guard.measure == "revenue":
        rows = _revenue(stage, journey, runs)
    else:
        rows = _rows(stage, goal, goal.event, runs)
    rows = {key: row for key, row in rows.items() if row.at > max(resumed, start)}
    match guard.measure:
        case "orders":
            return guard.holds(Decimal(len(rows)))
        case "leads":
            return guard.holds(Decimal(len({customer for customer, *_ in rows})))
        case _:
            return guard.holds(_amount(rows, _field(stage, journey)))


def _first(
    goal: Goal, runs: list[Run], stage: Stage, resumed: datetime, start: datetime
) -> list[Run]:
    """Of each customer the first run whose time is over, within the guard's window."""
    assert goal.within is not None
    window = timedelta(seconds=goal.within)
    found: dict[Any, Run] = {}
    for run in sorted(runs, key=lambda r: (r.entered_at, r.run_id)):
        over = run.entered_at + window
        # Without a window of the guard's own all of them are within.
        if run.entered_at > resumed and over <= stage.now and over > start:
            found.setdefault(run.customer, run)
    return list(found.values())


def _cohort(stage: Stage, journey: Journey, guard: Target, runs: list[Run]) -> bool:
    if len(runs) < ENOUGH:
        return True
    goal = journey.goals[0]
    if guard.measure == "conversion":
        reached = {customer for customer, *_ in _rows(stage, goal, goal.event, runs)}
        return guard.holds(Decimal(len(reached)) / len(runs))
    of = {(run.customer, run.run_id) for run in runs}
    cost = sum(
        (
            stage.reader.tables.cost(m) or Decimal(0)
            for m in stage.memory.messages
            if (m.customer, m.run_id) in of
            and m.journey == journey.name
            and (m.run_id, m.step, m.decided_at) not in stage.reader.tables.given_back
        ),
        Decimal(0),
    )
    if not cost:
        return True
    earned = _amount(_revenue(stage, journey, runs), _field(stage, journey))
    worth = stage.project.worth
    if worth is not None and worth.goods is not None:
        earned -= _amount(_bound(stage, goal, worth.goods, runs), worth.goods.name)
    return guard.holds((earned - cost) / cost)


Rows = dict[tuple[Any, ...], Happening]


def _field(stage: Stage, journey: Journey) -> str:
    goal, worth = journey.goals[0], stage.project.worth
    if goal.worth is not None:
        return goal.worth
    assert worth is not None
    return worth.revenue.name


def _revenue(stage: Stage, journey: Journey, runs: list[Run]) -> Rows:
    goal, worth = journey.goals[0], stage.project.worth
    if goal.worth is not None:
        return _rows(stage, goal, goal.event, runs)
    assert worth is not None
    return _bound(stage, goal, worth.revenue, runs)


def _bound(stage: Stage, goal: Goal, of: EventField, runs: list[Run]) -> Rows:
    """Of the goal's own event what counts as the goal, of another one everything."""
    if isinstance(goal.event, BoundEvent) and goal.event.name == of.event:
        return _rows(stage, goal, goal.event, runs)
    return _rows(stage, goal, BoundEvent(name=of.event, span=goal.span), runs)


def _rows(stage: Stage, goal: Goal, event: EventSource, runs: Iterable[Run]) -> Rows:
    """What happened to these runs' customers in the goal's window behind the entry, each once."""
    where = goal.where if event == goal.event else None
    found: Rows = {}
    for run in runs:
        for row in stage.reader.happenings(event, Subject(run=run)):
            late = goal.within is not None and row.at - run.entered_at > timedelta(
                seconds=goal.within
            )
            counts = run.entered_at < row.at and not late
            if counts and (where is None or stage.holds(where, run, row)):
                found[run.customer, row.key, row.at] = row
    return found


def _amount(rows: Rows, field: str) -> Decimal:
    return sum((row.fields[field] or Decimal(0) for row in rows.values()), Decimal(0))
