"""Waits until a moment in the data, and until something is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.findings import Findings
from journeylang.analysis.operators import type_of
from journeylang.analysis.spans import seconds, wait_span
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.syntax import TOO_DEEP
from journeylang.model import journey as model
from journeylang.model.types import Kind
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.steps import Place, Steps


def until_moment(
    node: nodes.WaitUntilMoment, place: Place, steps: Steps
) -> model.WaitMoment | None:
    """``wait until entry.departs_at - 2h else skip``; what is skipped is put in by the block."""
    findings = steps.checker.findings
    found = steps.checker.value(node.moment, place.scope)
    otherwise = node.otherwise
    if found is None:
        return None
    type_ = type_of(found)
    if type_ is None or type_.kind not in (Kind.INSTANT, Kind.DATE, Kind.TIME):
        findings.error(
            names.TYPE_MISMATCH,
            node.moment.span,
            f"a moment is expected, this is {type_}",
            label=f"this is {type_}",
            help="write an instant such as `entry.at + 2h`, a date or a time of day; a condition"
            " needs an end: `wait until … up to 7d`",
        )
        return None
    return model.WaitMoment(
        label=place.label,
        path=place.path,
        moment=found,
        leaves=otherwise is not None and otherwise.action == "exit",
        span=node.span,
    )


def best_hour(node: nodes.WaitBestHour, place: Place, steps: Steps) -> model.WaitMoment | None:
    """``wait until best hour within 24h``."""
    within = seconds(node.within, place.scope, steps.checker.findings)
    if within is None:
        return None
    return model.WaitMoment(
        label=place.label,
        path=place.path,
        moment=model.BestHour(within=within),
        span=node.span,
    )


def skips(node: nodes.WaitUntilMoment) -> bool:
    """Whether the step behind it is left out where the moment has passed."""
    return node.otherwise is not None and node.otherwise.action == "skip"


def nothing_to_skip(node: nodes.WaitUntilMoment, findings: Findings, *, too_many: bool) -> None:
    """Report an `else skip` with no step behind it, or with too many waits in a row."""
    assert node.otherwise is not None
    if too_many:
        findings.error(
            TOO_DEEP,
            node.otherwise.span,
            "too many waits in a row that skip each other",
            help="write `else continue`, or decide with an `if`",
        )
        return
    findings.error(
        names.OUT_OF_PLACE,
        node.otherwise.span,
        "there is no step behind this wait that `else skip` could leave out",
        help="write `else continue` to go on, or `else exit` to leave the journey",
    )


def shown_behind(node: nodes.WaitUntilMoment, findings: Findings) -> None:
    """Report an `else skip` before `experiment factors`, whose values the sends behind it show."""
    assert node.otherwise is not None
    findings.error(
        names.OUT_OF_PLACE,
        node.otherwise.span,
        "`else skip` would leave out an experiment whose values are shown behind it",
        help="put the experiment before the wait, or write `else exit`",
    )


def until_state(node: nodes.WaitUntilState, place: Place, steps: Steps) -> model.WaitState | None:
    """``wait until EXPR up to 7d { then {…} timeout {…} }``."""
    condition = steps.checker.condition(node.condition, place.scope)
    then = steps.block(node.then, place.within)
    timeout = steps.block(node.timeout, place.within)
    deadline = wait_span(node.up_to, place.scope, steps.checker.findings)
    if condition is None or deadline is None:
        return None
    return model.WaitState(
        label=place.label,
        path=place.path,
        condition=condition,
        deadline=deadline,
        then=then,
        timeout=timeout,
        span=node.span,
    )
