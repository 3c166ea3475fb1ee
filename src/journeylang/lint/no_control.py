"""JRN406: an experiment of which no arm is what things are like today."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.paths import opening
from journeylang.diagnostics.codes.experiments import NO_CONTROL
from journeylang.diagnostics.model import Diagnostic, Edit, Fix
from journeylang.lint.rule import Checked, Rule
from journeylang.source import Span
from journeylang.syntax import nodes


def no_control(checked: Checked) -> Iterator[Diagnostic]:
    """Of experiments with fixed shares: what learns its shares looks for the best arm alone."""
    for experiment in checked.written(nodes.Experiment):
        if experiment.adaptive or any(arm.control for arm in experiment.arms):
            continue
        first = experiment.arms[0]
        end = first.name.span if first.share is None else first.share.span
        yield Diagnostic(
            code=NO_CONTROL,
            message="no arm of this experiment is the control",
            span=opening(experiment),
            help=f"mark the arm that is as today: `arm {first.name.text} … control {{ … }}`",
            fix=Fix(
                title=f"mark arm `{first.name.text}` as the control",
                edits=(Edit(Span(end.path, end.end, end.end), " control"),),
            ),
        )


RULE = Rule(code=NO_CONTROL, find=no_control)
