"""`kpi` and `guard`: which measure, of what, in which window, and what it has to be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

from journeylang.analysis.expressions import Checker
from journeylang.analysis.messages import sends
from journeylang.analysis.results import can_be_measured, has_a_goal
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import seconds
from journeylang.analysis.strategies import channel_cost, different_currencies
from journeylang.diagnostics.codes import names
from journeylang.model import journey as model
from journeylang.model.expressions import Constant
from journeylang.model.measures import (
    COMPARISONS,
    MEASURES,
    OF_GOALS,
    OF_MESSAGES,
    RATES,
    Comparing,
    Target,
)
from journeylang.model.types import Kind
from journeylang.syntax import nodes

_SHARES = (*RATES, "conversion", "roi")
_MONEY = ("revenue", "cost")


def kpis(
    node: nodes.Journey, goals: Collection[model.Goal], body: model.Block, scope: Scope, c: Checker
) -> tuple[Target, ...]:
    """What the journey is to reach; dry runs and reports judge by it."""
    found = []
    for header in node.headers:
        if not isinstance(header, nodes.Kpi):
            continue
        has_a_goal(node, header, goals, c)
        found.append(_target(header, body, scope, c))
    return tuple(one for one in found if one is not None)


def guards(
    node: nodes.Journey, goals: Sequence[model.Goal], body: model.Block, scope: Scope, c: Checker
) -> tuple[Target, ...]:
    """What pauses the journey as soon as it no longer holds."""
    found = []
    for header in node.headers:
        if not isinstance(header, nodes.Guard):
            continue
        if header.by is not None:
            c.findings.error(
                names.OUT_OF_PLACE,
                header.by.span,
                "a guard holds from the first day on",
                help="leave `by` out; a date to reach something by belongs to a `kpi`",
            )
            continue
        has_a_goal(node, header, goals, c)
        target = _target(header, body, scope, c)
        if target is not None and target.measure in OF_GOALS:
            fits = bool(goals) and can_be_measured(header, target, goals[0], body, c)
            target = target if fits else None
        found.append(target)
    return tuple(one for one in found if one is not None)


def _target(
    node: nodes.Kpi | nodes.Guard, body: model.Block, scope: Scope, c: Checker
) -> Target | None:
    findings = c.findings
    measure = node.measure.text
    if measure not in MEASURES:
        findings.unknown("measure", measure, node.measure.span, MEASURES)
        return None
    fine = _channel(node, c)
    if node.op not in COMPARISONS:
        findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`{measure}` is compared by `{node.op}`",
            help="write `<`, `<=`, `>` or `>=`",
        )
        fine = False
    over = _window(node, scope, c)
    bound = _bound(node, scope, c)
    by = _date(node, scope, c)
    if not fine or over is None or bound is None or by is None:
        return None
    amount, currency = bound
    if measure == "cost" and not _same_currency(node, str(currency), body, c):
        return None
    return Target(
        measure=measure,
        channel=None if node.of is None else node.of.text,
        operator=cast(Comparing, node.op),
        bound=amount,
        currency=currency,
        over=over[0],
        by=by[0],
        span=node.span,
    )


def _channel(node: nodes.Kpi | nodes.Guard, c: Checker) -> bool:
    if node.of is None:
        return True
    if node.measure.text not in OF_MESSAGES:
        c.findings.error(
            names.OUT_OF_PLACE,
            node.of.span,
            f"`{node.measure.text}` is the journey's, not a channel's",
            help=f"leave `of {node.of.text}` out",
        )
        return False
    if node.of.text not in c.declared.channels:
        c.findings.unknown("channel", node.of.text, node.of.span, c.declared.channels)
        return False
    return True


def _window(node: nodes.Kpi | nodes.Guard, scope: Scope, c: Checker) -> tuple[int | None] | None:
    """`over` and `per` say the same."""
    if node.over is not None and node.per is not None:
        c.findings.error(
            names.REPEATED_PART,
            node.per.span,
            "`over` and `per` are the same window",
            help="keep one of the two",
        )
        return None
    written = node.over or node.per
    if written is None:
        return (None,)
    length = seconds(written, scope, c.findings)
    return None if length is None else (length,)


def _date(node: nodes.Kpi | nodes.Guard, scope: Scope, c: Checker) -> tuple[date | None] | None:
    if node.by is None:
        return (None,)
    found = c.value(node.by, scope)
    if found is None:
        return None
    if isinstance(found, Constant) and found.type.kind is Kind.DATE:
        assert isinstance(found.value, date)
        return (found.value,)
    c.findings.error(
        names.TYPE_MISMATCH, node.by.span, "this is no date", help="write `by 2026-06-01`"
    )
    return None


def _bound(
    node: nodes.Kpi | nodes.Guard, scope: Scope, c: Checker
) -> tuple[Decimal, str | None] | None:
    """What the measure is compared with: a share, an amount of money, or a count."""
    measure, written = node.measure.text, node.bound
    if measure in _SHARES and isinstance(written, nodes.Percent):
        return written.value.scaleb(-2), None
    if isinstance(written, nodes.Percent):
        kind = "an amount of money" if measure in _MONEY else "a count"
        return _mismatch(node, f"`{measure}` is {kind}, and this is a share", c)
    found = c.value(written, scope)
    if found is None:
        return None
    if not isinstance(found, Constant):
        return _mismatch(node, "what a measure is compared with is a constant", c)
    kind_ = found.type.kind
    value = Decimal(str(found.value)) if kind_ in (Kind.INT, Kind.NUMBER, Kind.MONEY) else None
    if measure in _SHARES:
        if kind_ in (Kind.INT, Kind.NUMBER) and value is not None and measure == "roi":
            return value, None
        return _mismatch(node, f"`{measure}` is a share", c, "write `3%`")
    if measure in _MONEY:
        if kind_ is Kind.MONEY and value is not None:
            return value, found.type.currency
        return _mismatch(node, f"`{measure}` is an amount of money", c, "write `500 EUR`")
    if kind_ is Kind.INT and value is not None:
        return value, None
    return _mismatch(node, f"`{measure}` is a whole number", c, "write `5000`")


def _mismatch(
    node: nodes.Kpi | nodes.Guard, message: str, c: Checker, help_: str = ""
) -> tuple[Decimal, str | None] | None:
    c.findings.error(names.TYPE_MISMATCH, node.bound.span, message, help=help_)
    return None


def _same_currency(
    node: nodes.Kpi | nodes.Guard, currency: str, body: model.Block, c: Checker
) -> bool:
    named = [node.of.text] if node.of is not None else []
    for name in named or [x.channel for send in sends(body) for x in send.candidates]:
        cost = channel_cost(name, c)
        if cost is not None and cost.currency != currency:
            different_currencies(
                node.bound.span, f"this is {currency}, `{name}` costs {cost.currency}", c.findings
            )
            return False
    return True
