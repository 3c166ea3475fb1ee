"""Every step of a journey, however deep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from journeylang.model.journey import (
    Block,
    Experiment,
    Factors,
    If,
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


def steps(block: Block) -> Iterator[Step]:
    """Every step of a block and below it, in the order written."""
    waiting = list(reversed(block))
    while waiting:
        step = waiting.pop()
        yield step
        for inner in reversed(_blocks(step)):
            waiting.extend(reversed(inner))


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
