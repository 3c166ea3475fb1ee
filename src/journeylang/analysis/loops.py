"""The one loop of the language: bounded, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.paths import opening
from journeylang.analysis.spans import bounded, parameter
from journeylang.diagnostics.codes.flow import LOOP_WITHOUT_WAIT
from journeylang.diagnostics.codes.syntax import TOO_DEEP
from journeylang.model import journey as model
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.steps import Place, Steps

DEEPEST = 3
MOST_TIMES = 999


def repeat(node: nodes.Repeat, place: Place, steps: Steps) -> model.Repeat | None:
    """``repeat up to 3 times until EXPR { … }``."""
    findings = steps.checker.findings
    times = _times(node, place, steps)
    until = None
    if node.until is not None:
        until = steps.checker.condition(node.until, place.within)
    if steps.loops >= DEEPEST:
        findings.error(
            TOO_DEEP,
            opening(node),
            f"more than {DEEPEST} loops stand within each other",
            help="begin the inner one as a journey of its own",
        )
        return None
    steps.loops += 1
    before = len(findings.found)
    body = steps.block(node.steps, place.within)
    steps.loops -= 1
    whole = len(findings.found) == before
    if whole and not takes_time(body):
        findings.error(
            LOOP_WITHOUT_WAIT,
            opening(node),
            "a way through this `repeat` has no wait",
            label="all its passes would be made at once",
            help="write `wait 2d` where every pass comes by, or wait for an event",
        )
        return None
    if times is None or (node.until is not None and until is None):
        return None
    return model.Repeat(
        label=place.label, path=place.path, times=times, until=until, body=body, span=node.span
    )


def _times(node: nodes.Repeat, place: Place, steps: Steps) -> int | None:
    written = node.times
    if isinstance(written, nodes.Ref):
        given = parameter(written, "int", place.scope, steps.checker.findings)
        if not isinstance(given, nodes.Integer):
            return None
        written = given
    elif written.value < 1:
        return None  # told by the parser
    findings = steps.checker.findings
    return bounded(
        written.value, written.span, "a number of passes", findings, least=1, most=MOST_TIMES
    )


def takes_time(block: model.Block) -> bool:
    """Whether everybody who comes through a block waits, or leaves the journey.

    Waits that may be over on arrival are none: a moment may have passed, a condition be true.
    """
    return any(_takes_time(step) for step in block)


def _takes_time(step: model.Step) -> bool:
    match step:
        case model.Wait() | model.Race() | model.Leave():
            return True
        case model.WaitState():
            return takes_time(step.then)
        case model.WaitMoment():
            return step.leaves and takes_time(step.body)
        case model.If():
            return takes_time(step.then) and takes_time(step.otherwise)
        case model.Experiment():
            return all(takes_time(arm.body) for arm in step.arms)
        case model.Repeat():
            return takes_time(step.body)
        case _:
            return False
