"""The steps of a journey, from what is written to what is meant."""

from __future__ import annotations

from collections import deque
from dataclasses import field, replace
from typing import assert_never

from journeylang.analysis.calls import invoke
from journeylang.analysis.declared import twice
from journeylang.analysis.experiments import experiment
from journeylang.analysis.expressions import Checker
from journeylang.analysis.factors import factors
from journeylang.analysis.includes import included
from journeylang.analysis.loops import repeat
from journeylang.analysis.moments import (
    best_hour,
    nothing_to_skip,
    shown_behind,
    skips,
    until_moment,
    until_state,
)
from journeylang.analysis.operators import type_of
from journeylang.analysis.paths import LABELLED, kind_of, opening
from journeylang.analysis.scope import Scope
from journeylang.analysis.sends import Sender
from journeylang.analysis.spans import wait_span
from journeylang.analysis.starting import start
from journeylang.analysis.strategies import learning
from journeylang.analysis.waits import race, until_time, wait_for
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.syntax import TOO_DEEP
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.syntax import nodes

_MOST_BRANCHES = 64
_MOST_SKIPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step stands: what it may speak of, and what its blocks may."""

    label: str
    path: str
    scope: Scope

    @property
    def within(self) -> Scope:
        """What its blocks may speak of: made where there are blocks, for most steps have none."""
        if not self.label:
            return self.scope
        return replace(self.scope, inside=(*self.scope.inside, self.label))


@dataclass(slots=True)
class Steps:
    """Builds the blocks of one journey; ``paths`` grows with each labelled step.

    ``goals`` are the journey's; None in a fragment by itself.
    """

    journey: str
    goals: tuple[model.Goal, ...] | None
    sender: Sender
    checker: Checker
    paths: dict[str, nodes.Name] = field(default_factory=dict)
    loops: int = 0
    sets: dict[str, int] = field(default_factory=dict)

    def block(self, written: nodes.Block | None, scope: Scope) -> model.Block:
        """The steps that are right; the others were reported."""
        built: list[model.Step] = []
        rest = deque(written or ())
        while rest:
            made = self._next(rest, scope)
            for step in made:
                if isinstance(step, model.Factors):
                    drawn = {factor.name: factor.value for factor in step.factors}
                    scope = replace(scope, drawn={**scope.drawn, **drawn})
            built += made
        return tuple(built)

    def _next(self, rest: deque[nodes.Step], scope: Scope, depth: int = 0) -> model.Block:
        """What the next step comes to; one that may be skipped belongs to the one before it."""
        node = rest.popleft()
        if isinstance(node, nodes.Include):
            return self._include(node, scope)
        step = self._step(node, scope)
        if isinstance(node, nodes.WaitUntilMoment) and skips(node):
            findings = self.checker.findings
            if not rest or depth >= _MOST_SKIPS:
                nothing_to_skip(node, findings, too_many=bool(rest))
                return ()
            body = self._next(rest, scope, depth + 1)
            if any(isinstance(inner, model.Factors) for inner in body):
                shown_behind(node, findings)
                return ()
            step = replace(step, body=body) if isinstance(step, model.WaitMoment) else None
        return () if step is None else (step,)

    def _include(self, node: nodes.Include, scope: Scope) -> model.Block:
        label, path = self._identity(node, "include", scope)
        return included(node, Place(label=label, path=path, scope=scope), self)

    def _step(self, node: nodes.Step, scope: Scope) -> model.Step | None:
        kind = kind_of(node)
        label, path = self._identity(node, kind, scope)
        place = Place(label=label, path=path, scope=scope)
        match node:
            case nodes.Wait():
                span = wait_span(node.duration, scope, self.checker.findings)
                if span is None:
                    return None
                return model.Wait(label=label, path=path, until=span, span=node.span)
            case nodes.WaitUntilTime():
                return until_time(node, place, self)
            case nodes.WaitForEvent():
                return wait_for(node, place, self)
            case nodes.WaitRace():
                return race(node, place, self)
            case nodes.Send():
                sent = self.sender.send(node, label, path, scope)
                if sent is None:
                    return None
                return learning(sent, self.goals, opening(node), self.checker.findings)
            case nodes.Experiment():
                return experiment(node, place, self)
            case nodes.If():
                return self._if(node, scope)
            case nodes.Exit():
                reason = "exit" if node.reason is None else node.reason.text
                return model.Leave(reason=reason, span=node.span)
            case nodes.WaitUntilState():
                return until_state(node, place, self)
            case nodes.WaitUntilMoment():
                return until_moment(node, place, self)
            case nodes.Repeat():
                return repeat(node, place, self)
            case nodes.WaitBestHour():
                return best_hour(node, place, self)
            case nodes.FactorExperiment():
                return factors(node, place, self)
            case nodes.Set():
                return self._set(node, scope)
            case nodes.Invoke():
                return invoke(node, label, path, scope, self.checker)
            case nodes.Start():
                return start(node, label, path, scope, self.checker)
            case nodes.Include():
                raise AssertionError("an include is a block, and is built as one")
            case _:
                assert_never(node)

    def _identity(self, node: nodes.Step, kind: str, scope: Scope) -> tuple[str, str]:
        """Label and path; without a label that is needed, a placeholder for both."""
        findings = self.checker.findings
        if node.label is None:
            if kind in LABELLED:
                findings.error(
                    names.MISSING_PART,
                    opening(node),
                    f"this `{kind}` has no label",
                    label="a label is what reports and people in flight know a step by",
                    help=f"write one before it: `{_EXAMPLE_LABELS.get(kind, 'step')}: {kind} …`",
                )
            return "", ""
        label = node.label.text
        if kind not in LABELLED:
            findings.error(
                names.OUT_OF_PLACE,
                node.label.span,
                f"`{kind}` takes no label",
                help="leave the label out: people never wait here",
            )
            return "", ""
        path = "/".join((*scope.inside, label))
        first = self.paths.setdefault(path, node.label)
        if first is not node.label:
            twice("step", node.label, first.span, findings)
        return label, path

    def _set(self, node: nodes.Set, scope: Scope) -> model.Set | None:
        name, checker = node.name.text, self.checker
        value = checker.value(node.value, scope)
        known = checker.profile.get(name)
        if value is None or known is None:
            return None
        type_ = type_of(value)
        if type_ is not None and (type_.kind, type_.currency) != (known.kind, known.currency):
            first = checker.origins.get(name)
            checker.findings.error(
                names.TYPE_MISMATCH,
                node.value.span,
                f"`profile.{name}` is {known.maybe()} elsewhere, and {type_} here",
                label=f"this is {type_}",
                labels=() if first is None else (Label(first, "set here first"),),
                help="a name has one type in the whole project: choose another name",
            )
            return None
        # Nobody rests at it, and it has no label: its path is only for what is shown.
        path = "/".join((*scope.inside, f"set {name}"))
        count = self.sets[path] = self.sets.get(path, 0) + 1
        path += f" {count}" if count > 1 else ""
        return model.Set(name=name, path=path, value=value, span=node.span)

    def _if(self, node: nodes.If, scope: Scope) -> model.If | None:
        if len(node.branches) > _MOST_BRANCHES:
            self.checker.findings.error(
                TOO_DEEP,
                node.branches[_MOST_BRANCHES].condition.span,
                f"an `if` has more than {_MOST_BRANCHES} branches",
                help="put the cases into metrics or segments",
            )
            return None
        ways = [
            (way, self.checker.condition(way.condition, scope), self.block(way.steps, scope))
            for way in node.branches
        ]
        rest: model.Block = self.block(node.otherwise, scope)
        for way, condition, then in reversed(ways):
            if condition is None:
                return None
            span = node.span if way is node.branches[0] else way.span
            rest = (model.If(condition=condition, then=then, otherwise=rest, span=span),)
        first = rest[0] if ways else None
        return first if isinstance(first, model.If) else None


_EXAMPLE_LABELS = {
    "wait": "pause",
    "send": "hello",
    "experiment": "subject",
    "include": "chase",
}
