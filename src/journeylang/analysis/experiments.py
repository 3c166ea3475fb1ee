"""Experiments: arms, their shares, and the salt that draws between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.analysis.declared import twice
from journeylang.analysis.goals import MOST_LEARNT, experiment_learns_from, goal
from journeylang.analysis.paths import opening
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import share
from journeylang.diagnostics.codes import experiments as codes
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.steps import Place, Steps


def experiment(node: nodes.Experiment, place: Place, steps: Steps) -> model.Experiment | None:
    """The arms with the buckets that they own, in the order written."""
    within = place.within
    findings = steps.checker.findings
    own = None if node.goal is None else goal(node.goal, place.scope, steps.checker)
    if node.salt is None:
        findings.error(
            names.MISSING_PART,
            opening(node),
            "this experiment has no salt",
            help=f'write `experiment salt "{steps.journey}-{place.label or "experiment"}" {{ … }}`;'
            " a new salt draws anew",
        )
    bodies = [
        steps.block(arm.steps, replace(within, inside=(*within.inside, arm.name.text)))
        for arm in node.arms
    ]
    shares = _shares(node, place.scope, steps)
    if node.salt is None or shares is None:
        return None
    low = 0
    arms = []
    for arm, body, points in zip(node.arms, bodies, shares, strict=True):
        arms.append(
            model.Arm(
                name=arm.name.text,
                low=low,
                high=low + points,
                control=arm.control,
                body=body,
                span=arm.span,
            )
        )
        low += points
    return model.Experiment(
        label=place.label,
        path=place.path,
        salt=node.salt.value,
        arms=tuple(arms),
        expect=None if node.expect is None else node.expect.value,
        goal=own,
        learns=_learns(node, own, steps) if node.adaptive else None,
        span=node.span,
    )


def _learns(node: nodes.Experiment, own: model.Goal | None, steps: Steps) -> model.Goal | None:
    """The goal that an adaptive experiment learns from: its own, or the journey's first."""
    findings = steps.checker.findings
    if len(node.arms) > MOST_LEARNT:
        findings.error(
            names.OUT_OF_PLACE,
            opening(node),
            f"an adaptive experiment has at most {MOST_LEARNT} arms",
            help="each arm keeps 5% of the customers; leave some out, or begin another experiment",
        )
    return experiment_learns_from(node, own, steps, "arms")


def _shares(node: nodes.Experiment, scope: Scope, steps: Steps) -> list[int] | None:
    """The arms' shares in basis points; None unless they are 100% together."""
    findings = steps.checker.findings
    seen: dict[str, nodes.Name] = {}
    control: nodes.Arm | None = None
    for arm in node.arms:
        first = seen.setdefault(arm.name.text, arm.name)
        if first is not arm.name:
            twice("arm", arm.name, first.span, findings)
        if arm.control and control is not None:
            findings.error(
                names.REPEATED_PART,
                arm.name.span,
                "an experiment has one control",
                labels=(Label(control.name.span, "the first"),),
                help="mark the arm that the others are compared with, and no other",
            )
        elif arm.control:
            control = arm
    if len(node.arms) < 2:
        findings.error(
            names.MISSING_PART,
            opening(node),
            "an experiment has at least two arms",
            help="add an arm, or write the steps without an experiment",
        )
        return None
    unshared = [arm for arm in node.arms if arm.share is None]
    if unshared:
        even = 100 // len(node.arms)
        findings.error(
            codes.SHARES_NOT_100,
            unshared[0].name.span,
            f"arm `{unshared[0].name.text}` has no share",
            help=f"write how many get it: `arm {unshared[0].name.text} {even}%`",
        )
        return None
    points = [
        share(arm.share, scope, findings, least=0) for arm in node.arms if arm.share is not None
    ]
    shares = [p for p in points if p is not None]
    if len(shares) < len(node.arms):
        return None
    if sum(shares) != 10_000:
        total = f"{sum(shares) / 100:g}%"
        findings.error(
            codes.SHARES_NOT_100,
            opening(node),
            f"the arms add up to {total}",
            labels=tuple(
                Label(arm.share.span, f"{points / 100:g}%")
                for arm, points in zip(node.arms, shares, strict=True)
                if arm.share is not None
            ),
            help="let the shares add up to 100%",
        )
        return None
    return shares
