"""What comes behind a step.

A run's way from any point on is the tuple of steps still before it: the rest of the block
it is in, then what stands behind that block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from journeylang.model.journey import (
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
    Start,
    Step,
    Wait,
    WaitMoment,
    WaitState,
)


@dataclass(frozen=True, slots=True)
class Pass:
    """The end of a pass of a loop: a stand-in among the steps of a way."""

    of: Repeat


Way = tuple[Step | Pass, ...]
Resting = Wait | WaitMoment | WaitState | Race | Send


def ways(journey: Journey) -> dict[str, tuple[Resting, Way]]:
    """Each step at which a run may rest, by its path, with the way behind it."""
    return {step.path: (step, way) for step, way in _resting(journey.body, ())}


def _resting(block: Block, behind: Way) -> Iterator[tuple[Resting, Way]]:
    for number, step in enumerate(block, 1):
        way = (*block[number:], *behind)
        match step:
            case Wait() | Send():
                yield step, way
            case WaitMoment():
                yield step, way
                yield from _resting(step.body, way)
            case WaitState():
                yield step, way
                yield from _resting(step.then, way)
                yield from _resting(step.timeout, way)
            case Race():
                yield step, way
                for branch in step.branches:
                    yield from _resting(branch.body, way)
                yield from _resting(step.timeout, way)
            case If():
                yield from _resting(step.then, way)
                yield from _resting(step.otherwise, way)
            case Experiment():
                for arm in step.arms:
                    yield from _resting(arm.body, way)
            case Repeat():
                yield from _resting(step.body, (Pass(step), *way))
            case Set() | Invoke() | Start() | Factors() | Leave():
                pass
            case _:
                assert_never(step)
