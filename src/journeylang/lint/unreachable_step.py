"""JRN201: a step behind one that everybody leaves the journey by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from journeylang.analysis.paths import WITHOUT_BLOCKS, kind_of, opening
from journeylang.diagnostics.codes.flow import UNREACHABLE_STEP
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes


def unreachable_step(checked: Checked) -> Iterator[Diagnostic]:
    """The first such step of each block; whether a condition can be true is not asked here."""
    for block in checked.blocks():
        for before, step in pairwise(block):
            if before.__class__ not in _GO_ON and leaves(before):
                yield _found(before, step)
                break


_GO_ON = WITHOUT_BLOCKS - {nodes.Exit}


def leaves(step: nodes.Step) -> bool:
    """Whether nobody goes on behind the step, whatever happens in it.

    What an `include` stands for is not looked into: a fragment that always leaves is told by its
    own last step.
    """
    match step:
        case nodes.Exit():
            return True
        case nodes.If():
            ways = (*(way.steps for way in step.branches), step.otherwise or ())
        case nodes.Experiment():
            ways = tuple(arm.steps for arm in step.arms)
        case nodes.WaitForEvent() | nodes.WaitRace():
            # An awaited event without a block goes on.
            ways = (*(branch.steps for branch in step.branches), step.timeout or ())
        case nodes.WaitUntilState():
            ways = (step.then or (), step.timeout or ())
        case nodes.Repeat():
            ways = (step.steps,)
        case _:
            return False
    return all(_ends(way) for way in ways)


def _ends(block: nodes.Block) -> bool:
    return any(leaves(step) for step in block)


def _found(before: nodes.Step, step: nodes.Step) -> Diagnostic:
    exits = isinstance(before, nodes.Exit)
    return Diagnostic(
        code=UNREACHABLE_STEP,
        message="nobody comes to this step",
        span=opening(step),
        labels=(
            Label(
                opening(before),
                "everybody has left here"
                if exits
                else f"every way out of this `{kind_of(before)}` leaves the journey",
            ),
        ),
        help="put it before the `exit`, or take it out",
    )


RULE = Rule(code=UNREACHABLE_STEP, find=unreachable_step)
