"""Goals: which event counts as success, how soon, and what it is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.paths import opening
from journeylang.analysis.scope import Scope
from journeylang.analysis.sources import unknown_event
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.model import journey as model
from journeylang.model.expressions import EventValue
from journeylang.model.types import NUMERIC, Kind
from journeylang.source import Span
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.steps import Steps

MOST_LEARNT = 10
"""Arms or channels between which can be learnt: each keeps 5% of the customers."""


def goals(node: nodes.Journey, scope: Scope, checker: Checker) -> tuple[model.Goal, ...]:
    """The goals of a journey that are right, in their order."""
    found = [
        goal(header, scope, checker) for header in node.headers if isinstance(header, nodes.Goal)
    ]
    return tuple(g for g in found if g is not None)


def goal(node: nodes.Goal, scope: Scope, checker: Checker) -> model.Goal | None:
    """A goal of a journey or an experiment."""
    event = checker.sources.event(node.event, scope)
    inner = replace(scope, event=event or unknown_event(node.event))
    where = None if node.where is None else checker.condition(node.where, inner)
    within = None if node.within is None else seconds(node.within, scope, checker.findings)
    worth = None if node.worth is None else _worth(node.worth, inner, checker)
    broken = (
        event is None
        or (node.where is not None and where is None)
        or (node.within is not None and within is None)
        or (node.worth is not None and worth is None)
    )
    if broken or event is None:
        return None
    return model.Goal(
        event=event.source,
        where=where,
        within=within,
        worth=None if worth is None else worth.name,
        currency=None if worth is None else worth.type.currency,
        span=node.span,
    )


def experiment_learns_from(
    node: nodes.Experiment | nodes.FactorExperiment,
    own: model.Goal | None,
    steps: Steps,
    before: str,
) -> model.Goal | None:
    """The goal by which an adaptive experiment learns; None also if its own was reported.

    `before` is what of the experiment its own goal would stand before.
    """
    if node.goal is not None and own is None:
        return None
    return to_learn_from(
        own,
        steps.goals,
        opening(node),
        "an adaptive experiment",
        f"write `goal order_placed within 7d` above the steps, or before its {before}",
        steps.checker.findings,
    )


def to_learn_from(
    own: model.Goal | None,
    goals: tuple[model.Goal, ...] | None,
    at: Span,
    what: str,
    way_out: str,
    findings: Findings,
) -> model.Goal | None:
    """The goal by which something learns: its own, or the journey's first; it has a window.

    `goals` are the journey's, None in a fragment by itself: there, nothing is missing.
    """
    found = own or next(iter(goals or ()), None)
    if found is None and goals is not None:
        findings.error(names.MISSING_PART, at, f"{what} has no goal to learn from", help=way_out)
    elif found is not None and found.within is None:
        findings.error(
            names.MISSING_PART,
            found.span,
            "a goal to learn from needs a window",
            help="write `within 7d`: a customer is judged when that time has passed",
        )
    return found


def _worth(node: nodes.Expression, scope: Scope, checker: Checker) -> EventValue | None:
    """The event's field that says what a goal is worth."""
    found = checker.value(node, scope)
    if found is None:
        return None
    if not isinstance(found, EventValue):
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.span,
            "what a goal is worth is a field of its event",
            help="write `worth total`",
        )
        return None
    if found.type.kind not in {*NUMERIC, Kind.MONEY}:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.span,
            f"what a goal is worth is a number or money, this is {found.type}",
            label=f"this is {found.type}",
        )
        return None
    return found
