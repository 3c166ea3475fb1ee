"""JRN404: two arms of an experiment that do the same."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.experiments import IDENTICAL_ARMS
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import all_steps
from journeylang.syntax import nodes


def identical_arms(checked: Checked) -> Iterator[Diagnostic]:
    """Of arms with people in them; each that does what an earlier one does.

    Templates know the step that sends them, so that the same words may still send something
    else: an experiment with such a template is left alone. So are arms of nothing but
    differently named steps.
    """
    if not checked.written(nodes.Experiment):
        return
    asking = _with_templates_that_ask_for_the_step(checked)
    for name, node in checked.declared.journeys.items():
        if name not in asking:
            for step in all_steps(node.steps):
                if isinstance(step, nodes.Experiment):
                    yield from _same(step)


def _same(experiment: nodes.Experiment) -> Iterator[Diagnostic]:
    seen: dict[nodes.Block, nodes.Arm] = {}
    for arm in experiment.arms:
        if isinstance(arm.share, nodes.Percent) and arm.share.value == 0:
            continue
        earlier = seen.setdefault(arm.steps, arm)
        if earlier is arm:
            continue
        does = "does the same as" if arm.steps else "does nothing, as does"
        yield Diagnostic(
            code=IDENTICAL_ARMS,
            message=f"arm `{arm.name.text}` {does} arm `{earlier.name.text}`",
            span=arm.name.span,
            labels=(Label(earlier.name.span, "the same steps"),),
            help="let them differ in the one thing that is asked, or take one of the two out",
        )


def _with_templates_that_ask_for_the_step(checked: Checked) -> set[str]:
    return {
        journey.name
        for journey, _, candidate in checked.candidates()
        for use in (checked.uses.get((candidate.template, candidate.channel)),)
        if use is not None and "step" in use.functions
    }


RULE = Rule(code=IDENTICAL_ARMS, find=identical_arms)
