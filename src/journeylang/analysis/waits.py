"""Waits: for a time of day, for an event, for the earliest of several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.analysis.days import EVERY_DAY, weekdays
from journeylang.analysis.declared import head
from journeylang.analysis.paths import opening
from journeylang.analysis.sources import unknown_event
from journeylang.analysis.spans import wait_span
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.types import Kind
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker
    from journeylang.analysis.steps import Place, Steps


def until_time(
    node: nodes.WaitUntilTime, place: Place, steps: Steps
) -> model.Wait | model.WaitMoment | None:
    """``wait until 09:00 on weekdays``, or a time of day in the data."""
    label, path, days = place.label, place.path, weekdays(node.days) or EVERY_DAY
    if isinstance(node.time, nodes.TimeOfDay):
        until = model.TimeOfDay(at=node.time.value, weekdays=days)
        return model.Wait(label=label, path=path, until=until, span=node.span)
    found = steps.checker.value(node.time, place.scope)
    if found is None:
        return None
    if found.type is not None and found.type.kind is Kind.TIME:
        return model.WaitMoment(label=label, path=path, moment=found, weekdays=days, span=node.span)
    steps.checker.findings.error(
        names.TYPE_MISMATCH,
        node.time.span,
        f"a time of day is expected, this is {found.type}",
        help="write the time: `wait until 09:00 on weekdays`",
    )
    return None


def wait_for(node: nodes.WaitForEvent, place: Place, steps: Steps) -> model.Race | None:
    """``wait for EVENT up to 5d``: a race of one."""
    checker, scope = steps.checker, place.scope
    event = checker.sources.event(node.event, scope)
    inner = replace(scope, event=event or unknown_event(node.event))
    where = None if node.where is None else checker.condition(node.where, inner)
    body: model.Block = ()
    for index, branch in enumerate(node.branches):
        then = steps.block(branch.steps, place.within)
        if index > 0:
            checker.findings.error(
                names.REPEATED_PART,
                head(branch.span, "on"),
                "a wait for one event has one `on`",
                labels=(Label(head(node.branches[0].span, "on"), "the first"),),
                help="for the earliest of several, write `wait up to 5d { on A {…} on B {…} }`",
            )
        elif _is_awaited(branch, node.event, checker):
            body = then
    timeout = steps.block(node.timeout, place.within)
    if node.up_to is None:
        checker.findings.error(
            names.MISSING_PART,
            node.event.span,
            "this wait has no end",
            label="for how long?",
            help=f"write `wait for {node.event.name.text} … up to 5d`",
        )
        return None
    deadline = wait_span(node.up_to, scope, checker.findings)
    if event is None or deadline is None or (node.where is not None and where is None):
        return None
    awaited = model.Branch(event=event.source, where=where, body=body, span=node.event.span)
    return model.Race(
        label=place.label,
        path=place.path,
        branches=(awaited,),
        deadline=deadline,
        timeout=timeout,
        span=node.span,
    )


def _is_awaited(branch: nodes.OnEvent, awaited: nodes.EventRef, checker: Checker) -> bool:
    """The `on` of a wait for one event names that event again, and adds nothing."""
    findings = checker.findings
    if not branch.event.name.text:
        return False
    same_of = branch.event.of is None or branch.event.of == awaited.of
    if branch.event.name.text != awaited.name.text or not same_of:
        findings.error(
            names.OUT_OF_PLACE,
            branch.event.span,
            f"this wait is for `{awaited.name.text}`, nothing else can end it",
            labels=(Label(awaited.span, "awaited"),),
            help=f"write `on {awaited.name.text} {{ … }}`, or wait for both by `wait up to`",
        )
        return False
    if branch.where is not None:
        findings.error(
            names.OUT_OF_PLACE,
            branch.where.span,
            "the condition on an awaited event stands behind `wait for`",
            help=f"write `wait for {awaited.name.text} where … up to …`",
        )
        return False
    return True


def race(node: nodes.WaitRace, place: Place, steps: Steps) -> model.Race | None:
    """``wait up to 7h { on A {…} on B {…} }``."""
    checker, scope = steps.checker, place.scope
    if not node.branches:
        checker.findings.error(
            names.MISSING_PART,
            opening(node),
            "this wait names no event",
            help="write `on EVENT { … }`, or `wait 7h` to wait in any case",
        )
    branches = []
    for written in node.branches:
        event = checker.sources.event(written.event, scope)
        inner = replace(scope, event=event or unknown_event(written.event))
        where = None if written.where is None else checker.condition(written.where, inner)
        body = steps.block(written.steps, place.within)
        if event is None or (written.where is not None and where is None):
            continue
        branches.append(model.Branch(event=event.source, where=where, body=body, span=written.span))
    timeout = steps.block(node.timeout, place.within)
    deadline = wait_span(node.up_to, scope, checker.findings)
    if deadline is None or len(branches) < len(node.branches) or not branches:
        return None
    return model.Race(
        label=place.label,
        path=place.path,
        branches=tuple(branches),
        deadline=deadline,
        timeout=timeout,
        span=node.span,
    )
