"""Policies: caps, quiet hours, the control group."""

from __future__ import annotations

from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing, only
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import seconds, share, whole
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import policy as model
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
    findings = checker.findings
    caps: list[model.Cap] = []
    quiets: list[model.Quiet] = []
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
                findings.later("a budget", rule.span)
            case nodes.Capacity():
                findings.later("`capacity`", rule.span)
            case nodes.Control():
                pass
    return model.Policy(
        name=node.name.text,
        caps=tuple(caps),
        quiets=tuple(quiets),
        control=_control(node, checker),
        service_ignores=tuple(rule for rule in ("caps", "quiet") if rule in ignores),
        span=node.span,
    )


def _cap(node: nodes.Cap, checker: Checker) -> model.Cap | None:
    findings = checker.findings
    if node.channel is not None and not _is_channel(node.channel, checker):
        return None
    if node.topic is not None:
        findings.later("a cap for a topic", node.span)
        return None
    if node.segment is not None:
        findings.later("a cap for a segment", node.span)
        return None
    if isinstance(node.limit, nodes.Ref) and node.limit.parts[0].text == "customer":
        findings.later("a cap by the customer's own wish", node.span)
        return None
    limit = whole(node.limit, "a cap", _SCOPE, findings)
    if isinstance(node.per, nodes.CalendarPeriod):
        rolling, calendar = None, node.per.unit
    else:
        rolling, calendar = seconds(node.per, _SCOPE, findings), None
        if rolling is None:
            return None
    if limit is None:
        return None
    return model.Cap(
        channel=None if node.channel is None else node.channel.text,
        limit=limit,
        seconds=rolling,
        calendar=calendar,
        action=node.then or "hold",
        span=node.span,
    )


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
