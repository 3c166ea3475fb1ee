"""A journey: its headers, its way in, its exits and goals, and then its steps."""

from __future__ import annotations

from dataclasses import replace

from journeylang.analysis.budgets import of_journey
from journeylang.analysis.entries import entries, entry, runs
from journeylang.analysis.expressions import Checker
from journeylang.analysis.goals import goals
from journeylang.analysis.lines import missing, only
from journeylang.analysis.measures import guards, kpis
from journeylang.analysis.scope import NO_SHAPE, JourneyScope, Scope, Shape
from journeylang.analysis.sends import Sender
from journeylang.analysis.spans import bounded, days, share
from journeylang.analysis.steps import Steps
from journeylang.diagnostics.codes import names
from journeylang.model import journey as model
from journeylang.model.entry import EnterOn
from journeylang.model.expressions import BoundEvent
from journeylang.syntax import nodes

_LARGEST_PRIORITY = 1_000_000


def journey(node: nodes.Journey, checker: Checker) -> model.Journey | None:
    """The journey without what was reported of it; None without a way in."""
    findings = checker.findings
    name = node.name.text
    before = _scope_of_the_entry(node, checker)
    way_in, shape = entry(node, before, checker)
    during = _scope_of_the_run(before, shape)
    owner = only(node.headers, nodes.Owner, "owner", findings)
    if owner is None:
        missing(
            f"journey `{name}`",
            "owner",
            node.name.span,
            findings,
            example='owner "team@acme.example"',
        )
    purpose = only(node.headers, nodes.Purpose, "purpose", findings)
    if purpose is not None and purpose.kind == "transactional" and purpose.reason is None:
        missing(
            "a transactional journey",
            "reason",
            purpose.span,
            findings,
            example='purpose transactional "booking confirmation"',
        )
    kind: model.Purpose = "marketing" if purpose is None else purpose.kind
    priority = only(node.headers, nodes.Priority, "priority", findings)
    only_customers = only(node.headers, nodes.OnlyCustomers, "only customers", findings)
    found_goals = goals(node, during, checker)
    steps = Steps(
        journey=name,
        goals=found_goals,
        sender=Sender(journey=name, purpose=kind, checker=checker),
        checker=checker,
    )
    body = steps.block(node.steps, during)
    built = model.Journey(
        name=name,
        title=None if node.title is None else node.title.value,
        owner=None if owner is None else owner.text.value,
        purpose=kind,
        purpose_reason=None if purpose is None or purpose.reason is None else purpose.reason.value,
        priority=_priority(priority, checker),
        # Replaced below: a journey without an entry is not handed out.
        entry=way_in or EnterOn(event=BoundEvent(name="", span=node.span), span=node.span),
        reenter=_reenter(node, during, checker),
        runs=runs(node, before, checker),
        only=None
        if only_customers is None
        else checker.condition(
            only_customers.condition, replace(before, what="`only customers where`")
        ),
        exits=_exits(node, during, checker),
        goals=found_goals,
        holdout=_holdout(node, during, checker),
        budgets=of_journey(node, kind, body, during, checker),
        guards=guards(node, found_goals, body, during, checker),
        kpis=kpis(node, found_goals, body, during, checker),
        policy=_policy(node, kind, checker),
        upgrade=_upgrade(node, checker),
        body=body,
        span=node.span,
    )
    return None if way_in is None else built


def scope_of_a_run(node: nodes.Journey, checker: Checker) -> Scope:
    """What the steps and exits of a journey may speak of."""
    before = _scope_of_the_entry(node, checker)
    _, shape = entry(node, before, checker)
    return _scope_of_the_run(before, shape)


def _scope_of_the_entry(node: nodes.Journey, checker: Checker) -> Scope:
    name = node.name.text
    return Scope(
        what=f"the entry of journey `{name}`",
        journey=JourneyScope(name=name, entry=NO_SHAPE, steps=checker.sources.steps[name]),
        parameters=checker.parameters.get(name, {}),
    )


def _scope_of_the_run(before: Scope, entry: Shape) -> Scope:
    assert before.journey is not None
    journey = replace(before.journey, entry=entry)
    return replace(before, what=f"journey `{journey.name}`", run=True, journey=journey)


def _priority(node: nodes.Priority | None, checker: Checker) -> int:
    if node is None:
        return 0
    most = _LARGEST_PRIORITY
    found = bounded(node.value, node.span, "a priority", checker.findings, least=-most, most=most)
    return found or 0


def _reenter(node: nodes.Journey, scope: Scope, checker: Checker) -> model.Reenter:
    written = only(node.headers, nodes.Reenter, "reenter", checker.findings)
    if written is None:
        return model.Reenter(rule="never")
    if written.rule == "always" and any(isinstance(e, nodes.EnterWhen) for e in entries(node)):
        checker.findings.error(
            names.OUT_OF_PLACE,
            written.span,
            "`reenter always` with `enter when` would begin again at every tick",
            help="write `reenter after 30d`, or enter on an event",
        )
    if written.after is None:
        return model.Reenter(rule=written.rule)
    found = days(written.after, scope, checker.findings)
    return model.Reenter(rule="after", days=found or 0)


def _exits(node: nodes.Journey, scope: Scope, checker: Checker) -> tuple[model.ExitWhen, ...]:
    found = []
    for header in node.headers:
        if isinstance(header, nodes.ExitWhen):
            condition = checker.condition(header.condition, scope)
            reason = "exit" if header.reason is None else header.reason.text
            if condition is not None:
                found.append(model.ExitWhen(condition=condition, reason=reason, span=header.span))
    return tuple(found)


def _holdout(node: nodes.Journey, scope: Scope, checker: Checker) -> model.Holdout | None:
    written = only(node.headers, nodes.Holdout, "holdout", checker.findings)
    if written is None:
        return None
    points = share(written.share, scope, checker.findings, least=1)
    if written.salt is None:
        missing(
            "this hold-out",
            "salt",
            written.span,
            checker.findings,
            example=f'salt "{node.name.text}-holdout"',
        )
        return None
    if points is None:
        return None
    return model.Holdout(share=points, salt=written.salt.value, span=written.span)


def _policy(node: nodes.Journey, purpose: model.Purpose, checker: Checker) -> str | None:
    written = only(node.headers, nodes.UsePolicy, "policy", checker.findings)
    policies = checker.declared.policies
    if written is not None:
        if written.policy.text in policies:
            return written.policy.text
        checker.findings.unknown("policy", written.policy.text, written.policy.span, policies)
        return None
    if purpose == "transactional":
        return None
    if len(policies) == 1:
        return next(iter(policies))
    if checker.findings.holes:
        return None
    listed = ", ".join(f"`{name}`" for name in sorted(policies)[:5])
    checker.findings.error(
        names.MISSING_PART,
        node.name.span,
        f"journey `{node.name.text}` has no policy",
        help=f"name one of {listed}: `policy {min(policies)}`"
        if policies
        else "define one: `policy standard { cap any 1 per day … }`",
    )
    return None


def _upgrade(node: nodes.Journey, checker: Checker) -> model.Upgrade:
    said = only(node.headers, nodes.Upgrade, "upgrade", checker.findings)
    return "migrate" if said is None else said.mode
