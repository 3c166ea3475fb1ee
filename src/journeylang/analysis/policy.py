"""Policies: caps, quiet hours, the control group."""

from __future__ import annotations

from collections.abc import Collection

from journeylang.analysis.budgets import budget, capacity
from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing, only
from journeylang.analysis.operators import type_of
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import seconds, share, whole
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import policy as model
from journeylang.model.expressions import CustomerValue, SegmentTest
from journeylang.model.types import Kind
from journeylang.source import Span
from journeylang.syntax import nodes

_SCOPE = Scope(what="a policy", aggregates=False)


def policies(checker: Checker) -> dict[str, model.Policy]:
    """All of them; more than one control group in a project is reported here."""
    found: dict[str, model.Policy] = {}
    first: Span | None = None
    for name, node in checker.declared.policies.items():
        found[name] = _policy(node, checker)
        control = next((r for r in node.rules if isinstance(r, nodes.Control)), None)
        if control is None:
            continue
        if first is None:
            first = control.span
        else:
            checker.findings.error(
                names.REPEATED_PART,
                control.span,
                "a project has one global control group",
                label="this is a second one",
                labels=(Label(first, "the first"),),
                help="keep one of the two, with one salt",
            )
    return found


def _policy(node: nodes.Policy, checker: Checker) -> model.Policy:
    caps: list[model.Cap] = []
    quiets: list[model.Quiet] = []
    budgets: list[model.Budget] = []
    capacities: list[model.Capacity] = []
    ignores: dict[str, None] = {}
    for rule in node.rules:
        match rule:
            case nodes.Cap():
                if (cap := _cap(rule, checker)) is not None:
                    caps.append(cap)
            case nodes.Quiet():
                if (quiet := _quiet(rule, checker)) is not None:
                    quiets.append(quiet)
            case nodes.ServiceIgnores():
                ignores.update(dict.fromkeys(rule.rules))
            case nodes.Budget():
                if (spending := _budget(rule, checker)) is not None:
                    budgets.append(spending)
            case nodes.Capacity():
                if _is_channel(rule.channel, checker) and (able := capacity(rule, _SCOPE, checker)):
                    capacities.append(able)
            case nodes.Control():
                pass
    return model.Policy(
        name=node.name.text,
        caps=tuple(caps),
        quiets=tuple(quiets),
        budgets=tuple(budgets),
        capacities=tuple(capacities),
        control=_control(node, checker),
        service_ignores=tuple(rule for rule in ("caps", "quiet") if rule in ignores),
        span=node.span,
    )


def _cap(node: nodes.Cap, checker: Checker) -> model.Cap | None:
    findings = checker.findings
    named = [node.channel is None or _is_channel(node.channel, checker)]
    named.append(node.topic is None or _is_topic(node.topic, checker))
    named.append(node.segment is None or _is_segment(node.segment, checker))
    limit: int | CustomerValue | None
    if isinstance(node.limit, nodes.Ref) and node.limit.parts[0].text == "customer":
        limit = _wish(node.limit, checker)
    else:
        limit = whole(node.limit, "a cap", _SCOPE, findings)
    if isinstance(node.per, nodes.CalendarPeriod):
        rolling, calendar = None, node.per.unit
    else:
        rolling, calendar = seconds(node.per, _SCOPE, findings), None
        if rolling is None:
            return None
    if limit is None or not all(named):
        return None
    segment = node.segment
    return model.Cap(
        channel=None if node.channel is None else node.channel.text,
        topic=None if node.topic is None else node.topic.text,
        limit=limit,
        segment=None if segment is None else SegmentTest(name=segment.text, span=segment.span),
        seconds=rolling,
        calendar=calendar,
        action=node.then or "hold",
        span=node.span,
    )


def _budget(node: nodes.Budget, checker: Checker) -> model.Budget | None:
    channels: Collection[str] = checker.declared.channels
    if node.channel is not None:
        if not _is_channel(node.channel, checker):
            return None
        channels = (node.channel.text,)
    return budget(node, channels, _SCOPE, checker)


def _wish(node: nodes.Ref, checker: Checker) -> CustomerValue | None:
    """The field that says how many messages a customer wants at most."""
    found = checker.value(node, _SCOPE)
    if found is None or (isinstance(found, CustomerValue) and found.type.kind is Kind.INT):
        return found
    checker.findings.error(
        names.TYPE_MISMATCH,
        node.span,
        "how many messages a customer wants is a whole number",
        label=f"this is {type_of(found)}",
        help="name a field of the customer that is an `int`",
    )
    return None


def _quiet(node: nodes.Quiet, checker: Checker) -> model.Quiet | None:
    fine = [_is_channel(channel, checker) for channel in node.channels]
    # Hours that begin and end at the same time were told by the parser.
    if not all(fine) or node.start.value == node.end.value:
        return None
    channels = [channel.text for channel in node.channels] or sorted(checker.declared.channels)
    return model.Quiet(
        channels=tuple(dict.fromkeys(channels)),
        start=node.start.value,
        end=node.end.value,
        action=node.then or "hold",
        span=node.span,
    )


def _control(node: nodes.Policy, checker: Checker) -> model.Control | None:
    control = only(node.rules, nodes.Control, "control", checker.findings)
    if control is None:
        return None
    points = share(control.share, _SCOPE, checker.findings, least=1)
    if control.salt is None:
        missing(
            "the control group",
            "salt",
            control.span,
            checker.findings,
            example='salt "global-control"',
        )
        return None
    if points is None:
        return None
    return model.Control(share=points, salt=control.salt.value, span=control.span)


def _is_channel(name: nodes.Name, checker: Checker) -> bool:
    if name.text in checker.declared.channels:
        return True
    checker.findings.unknown("channel", name.text, name.span, checker.declared.channels)
    return False


def _is_topic(name: nodes.Name, checker: Checker) -> bool:
    if name.text in checker.declared.topics:
        return True
    checker.findings.unknown("topic", name.text, name.span, checker.declared.topics)
    return False


def _is_segment(name: nodes.Name, checker: Checker) -> bool:
    if name.text in checker.declared.segments:
        return True
    checker.findings.unknown("segment", name.text, name.span, checker.declared.segments)
    return False
