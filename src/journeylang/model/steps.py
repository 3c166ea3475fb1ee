"""Every step of a journey, however deep, and what the steps ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, assert_never

from journeylang.model.expressions import Expression
from journeylang.model.journey import (
    BestHour,
    Block,
    Experiment,
    Factors,
    If,
    Invoke,
    Journey,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Several,
    Start,
    Step,
    Value,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.measures import OF_GOALS

if TYPE_CHECKING:
    from journeylang.model.project import Project


def steps(block: Block) -> Iterator[Step]:
    """Every step of a block and below it, in the order written."""
    waiting = list(reversed(block))
    while waiting:
        step = waiting.pop()
        yield step
        for inner in reversed(blocks(step)):
            waiting.extend(reversed(inner))


def bodies(project: Project, name: str) -> Iterator[Block]:
    """The steps of a journey, and those of its versions that somebody is still on."""
    journey = project.journeys.get(name)
    if journey is not None:
        yield journey.body
        yield from (earlier.body for earlier in journey.earlier)


def blocks(step: Step) -> tuple[Block, ...]:
    """The blocks directly within a step of any kind."""
    match step:
        case Wait() | Send() | Set() | Invoke() | Start() | Factors() | Leave():
            return ()
        case Race():
            return (*(b.body for b in step.branches), step.timeout)
        case WaitMoment() | Repeat():
            return (step.body,)
        case WaitState():
            return (step.then, step.timeout)
        case If():
            return (step.then, step.otherwise)
        case Experiment():
            return tuple(a.body for a in step.arms)
        case _:
            assert_never(step)


def expressions(journey: Journey) -> Iterator[Expression]:
    """What a journey's exits and steps ask or compute, as written."""
    yield from (e.condition for e in journey.exits)
    if any(guard.measure in OF_GOALS for guard in journey.guards):
        yield from (g.where for g in journey.goals[:1] if g.where is not None)
    for step in steps(journey.body):
        learns = step.learns if isinstance(step, Experiment | Factors | Send) else None
        if learns is not None and learns.where is not None:
            yield learns.where
        match step:
            case If():
                yield step.condition
            case Race():
                yield from (b.where for b in step.branches if b.where is not None)
            case Send():
                yield from (c.when for c in step.candidates if c.when is not None)
                yield from computed(step.values)
                for candidate in step.candidates:
                    yield from computed(candidate.values)
                yield from (e for p in step.picks for e in (p.by, p.where) if e is not None)
            case Set():
                yield step.value
            case WaitMoment(moment=moment) if not isinstance(moment, BestHour):
                yield moment
            case WaitState():
                yield step.condition
            case Invoke():
                yield from computed(step.values)
            case Start():
                yield from (value for _, value, _ in step.values)
            case Repeat():
                if step.until is not None:
                    yield step.until
            case _:
                pass


def computed(values: Iterable[tuple[str, Value]]) -> Iterator[Expression]:
    """What is worked out for values, those of lists one by one."""
    for _, value in values:
        if isinstance(value, Several):
            yield from value.items
        else:
            yield value
