"""JRN202: a loop with a way through it that neither waits nor leaves."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.paths import kind_of, opening
from journeylang.diagnostics.codes.flow import LOOP_WITHOUT_WAIT
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import all_steps, inner
from journeylang.lint.unreachable_step import leaves
from journeylang.syntax import nodes


def loop_without_wait(checked: Checked) -> Iterator[Diagnostic]:
    """Each such loop, with the step in whose ways a wait is missing."""
    for definition in checked.with_steps():
        for step in all_steps(definition.steps):
            if isinstance(step, nodes.Repeat) and not _holds(step.steps, checked):
                yield Diagnostic(
                    code=LOOP_WITHOUT_WAIT,
                    message="a pass of this loop may take no time at all",
                    span=opening(step),
                    labels=tuple(
                        Label(
                            opening(within), f"not every way through this `{kind_of(within)}` waits"
                        )
                        for within in step.steps
                        if _waits_somewhere(within)
                    ),
                    help="put a wait before its end: `pause: wait 2d`",
                )


def _holds(block: nodes.Block, checked: Checked) -> bool:
    """Whether every way through the block takes time or leaves."""
    return any(_takes_time(step, checked) for step in block)


def _takes_time(step: nodes.Step, checked: Checked) -> bool:
    if kind_of(step) == "wait" or leaves(step):
        return True
    match step:
        case nodes.If():
            ways = (*(way.steps for way in step.branches), step.otherwise or ())
        case nodes.Experiment():
            ways = tuple(arm.steps for arm in step.arms)
        case nodes.Repeat():
            ways = (step.steps,)
        case nodes.Include():
            fragment = checked.declared.fragments.get(step.fragment.text)
            return fragment is None or _holds(fragment.steps, checked)
        case _:
            return False
    return all(_holds(way, checked) for way in ways)


def _waits_somewhere(step: nodes.Step) -> bool:
    return any(kind_of(within) == "wait" for block in inner(step) for within in all_steps(block))


RULE = Rule(code=LOOP_WITHOUT_WAIT, find=loop_without_wait)
