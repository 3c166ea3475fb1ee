"""Numbers of journeys and steps, and every step of a block.

Numbers of an applied project are kept for ever: people in flight rest at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from journeylang.model.journey import (
    Block,
    Experiment,
    Factors,
    If,
    Journey,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    Step,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project

HOLDOUT_PATH = "holdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """Numbers of journeys and steps; those of an applied project are kept for ever."""

    journeys: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], int] = field(default_factory=dict)


def step_paths(journey: Journey) -> list[tuple[str, str]]:
    """(path, kind) of every labelled step, in the order written, and of the hold-out."""
    found = [(HOLDOUT_PATH, "holdout")]
    for step in steps(journey.body):
        match step:
            case Wait() | WaitMoment() | WaitState():
                found.append((step.path, "wait"))
            case Race():
                found.append((step.path, "race"))
            case Send():
                found.append((step.path, "send"))
            case Experiment():
                found.append((step.path, "experiment"))
            case Repeat():
                found.append((step.path, "repeat"))
            case Set():
                found.append((step.path, "set"))
            case Start():
                found.append((step.path, "start"))
            case Factors():
                found += [(factor.path, "experiment") for factor in step.factors]
            case _:
                pass
    return found


def steps(block: Block) -> Iterator[Step]:
    """Every step of a block and below it, in the order written."""
    for step in block:
        yield step
        for inner in _blocks(step):
            yield from steps(inner)


def _blocks(step: Step) -> tuple[Block, ...]:
    match step:
        case Wait() | Send() | Set() | Start() | Factors() | Leave():
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


def number(project: Project, known: Numbering | None = None) -> Numbering:
    """Numbers for all journeys and steps: those known, and the next free ones."""
    journeys = dict(known.journeys) if known else {}
    steps = dict(known.steps) if known else {}
    for name in project.journeys:
        journeys.setdefault(name, max(journeys.values(), default=0) + 1)
    free = max(steps.values(), default=0)
    for name, journey in project.journeys.items():
        for path, _ in step_paths(journey):
            if (name, path) not in steps:
                free += 1
                steps[name, path] = free
    return Numbering(journeys=journeys, steps=steps)
