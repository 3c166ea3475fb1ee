"""Another version is applied: what becomes of everybody on their way.

Runs follow the newest version by the path of the step at which they rest, unless it lets them
finish on theirs. Either all of it is done, or it is refused and nothing has happened.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from journeylang.model.entry import EnterJoins
from journeylang.model.expressions import MetricValue, SegmentTest
from journeylang.model.journey import (
    BestHour,
    Calendar,
    Elapsed,
    Experiment,
    Factors,
    Journey,
    Race,
    Repeat,
    Send,
    TimeOfDay,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.steps import steps
from tests.oracle.clock import later, next_time
from tests.oracle.entering import members
from tests.oracle.facts import Memory, Run, Tables
from tests.oracle.moments import moment_of
from tests.oracle.stage import Stage
from tests.oracle.ways import Resting, ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """`stranded`: people rest at a step that is gone; `spoiled`: arms changed under one salt."""

    kind: str
    journey: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Where a run rests from now on and until when; `step` None: it has left.

    `pinned` is the version on which it finishes.
    """

    run: Run
    step: str | None
    wake_at: datetime | None
    pinned: Journey | None = None


def apply(
    before: Project, after: Project, tables: Tables, memory: Memory, now: datetime
) -> set[Refused]:
    """Carry everybody over; or say what is in the way, and leave everything as it was."""
    # Not before the latest tick.
    stage = Stage(after, tables, memory, max(now, memory.now))
    olds = {name: frozen(before, journey) for name, journey in before.journeys.items()}
    found = [
        _becomes(stage, before, olds, run)
        for run in memory.runs
        if run.status == "active" and run.step
    ]
    refused = {one for one in found if isinstance(one, Refused)} | set(_spoiled(before, after))
    if refused:
        return refused
    for change in found:
        if isinstance(change, _Change):
            _carry(stage, change)
    for name, old in olds.items():
        if any(run.pinned is old for run in memory.runs):
            # What has not gone out yet is theirs as well, and nothing goes out here.
            theirs = set(ways(old))
            memory.messages = [
                replace(m, version=old)
                if m.journey == name and m.version is None and m.step in theirs
                else m
                for m in memory.messages
            ]
    for name, journey in after.journeys.items():
        if name not in memory.applied:
            memory.applied = {**memory.applied, name: now}
            if isinstance(journey.entry, EnterJoins):
                memory.members[name] = members(journey.entry, stage.reader)
    return set()


def _becomes(
    stage: Stage, before: Project, olds: Mapping[str, Journey], run: Run
) -> _Change | Refused | None:
    """None: nothing changes for this run."""
    assert run.step is not None
    journey = stage.project.journeys.get(run.journey)
    if journey is None:
        return Refused(kind="stranded", journey=run.journey, path=run.step)
    if journey.upgrade != "migrate":
        if run.pinned is not None:
            return None
        old = olds[run.journey]
        if old.body != frozen(stage.project, journey).body:
            return _Change(run=run, step=run.step, wake_at=run.wake_at, pinned=old)
    was, _ = ways(run.pinned or before.journeys[run.journey])[run.step]
    there = {path: step for path, (step, _) in ways(journey).items()}
    if run.step in there:
        step = there[run.step]
        if isinstance(step, Send):
            # A held send is tried when its hold is over.
            return _Change(run=run, step=run.step, wake_at=run.wake_at)
        if run.pinned is None and _length(was) == _length(step):
            return None
        return _Change(run=run, step=run.step, wake_at=_end(stage, run, step))
    move = {(m.journey, m.source): m for m in stage.project.moves}.get((run.journey, run.step))
    if move is None:
        return Refused(kind="stranded", journey=run.journey, path=run.step)
    if move.target is None:
        return _Change(run=run, step=None, wake_at=None)
    step = there[move.target]
    same = run.pinned is None and _length(was) is not None and _length(was) == _length(step)
    wake_at = run.wake_at if same else _end(stage, run, step)
    return _Change(run=run, step=move.target, wake_at=wake_at)


def _carry(stage: Stage, change: _Change) -> None:
    run = change.run
    if change.step is None:
        stage.end(run, "exited", "moved", stage.now)
        return
    if change.step != run.step:
        run.reason = None
        inside = list(_loops(stage.project.journeys[run.journey], change.step))
        # Who comes into a loop is in its first pass.
        run.passes = {path: run.passes.get(path, 1) for path in inside}
    run.step, run.wake_at, run.pinned = change.step, change.wake_at, change.pinned


def _loops(journey: Journey, path: str) -> Iterator[str]:
    """The loops around a step, the outermost first."""
    for step in steps(journey.body):
        if isinstance(step, Repeat) and path.startswith(f"{step.path}/"):
            yield step.path


def _length(step: Resting) -> object:
    """What the end of a wait is worked out from; a held send has none."""
    match step:
        case Wait():
            return step.until
        case Race() | WaitState():
            return step.deadline
        case WaitMoment():
            return step.moment, step.weekdays
        case Send():
            return None


def _end(stage: Stage, run: Run, step: Resting) -> datetime | None:
    """Worked out from the arrival as it is now, and not before now."""
    end: datetime | None = None
    match step:
        case Send():
            return stage.now
        case WaitMoment():
            if isinstance(step.moment, BestHour):
                # It stays as it was looked up.
                return run.wake_at
            if run.customer in stage.reader.customers:
                end = moment_of(stage, run, step)
        case Wait():
            end = _behind(stage, run, step.until)
        case Race() | WaitState():
            end = _behind(stage, run, step.deadline)
    return stage.now if end is None else max(end, stage.now)


def _behind(stage: Stage, run: Run, until: Elapsed | Calendar | TimeOfDay) -> datetime | None:
    customer = stage.reader.customers.get(run.customer)
    match until:
        case Elapsed():
            return run.arrived_at + timedelta(seconds=until.seconds)
        case _ if customer is None:
            return None
        case Calendar():
            return later(stage.rules.zone(customer), run.arrived_at, until)
        case TimeOfDay():
            return next_time(stage.rules.zone(customer), run.arrived_at, until)


def _spoiled(before: Project, after: Project) -> Iterator[Refused]:
    for name, journey in after.journeys.items():
        old = dict(_draws(before.journeys[name])) if name in before.journeys else {}
        for path, (salt, arms) in _draws(journey):
            if path in old and old[path][0] == salt and old[path][1] != arms:
                yield Refused(kind="spoiled", journey=name, path=path)


def _draws(journey: Journey) -> Iterator[tuple[str, tuple[str, object]]]:
    for step in steps(journey.body):
        match step:
            case Experiment():
                yield step.path, (step.salt, [(a.name, a.low, a.high) for a in step.arms])
            case Factors():
                for factor in step.factors:
                    options = [str(option.value) for option in factor.value.options]
                    yield factor.path, (factor.value.salt, options)
            case _:
                pass


# --- a version by itself ----------------------------------------------------------


def frozen(project: Project, journey: Journey) -> Journey:
    """The journey with what its steps ask by name in the names' place, so that it stays."""
    return replace(journey, body=_inlined(project, journey.body))


def _inlined(project: Project, node: Any) -> Any:
    match node:
        case MetricValue():
            return _inlined(project, project.metrics[node.name].value)
        case SegmentTest():
            return _inlined(project, project.segments[node.name].condition)
        case tuple():
            return tuple(_inlined(project, part) for part in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    parts = (f.name for f in dataclasses.fields(node) if f.name != "span")
    return replace(node, **{name: _inlined(project, getattr(node, name)) for name in parts})
