"""Budgets and capacities: what all messages together may cost, and how many people can do."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from journeylang.analysis.expressions import Checker
from journeylang.analysis.messages import sends
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import seconds, whole
from journeylang.analysis.strategies import channel_cost, different_currencies
from journeylang.diagnostics.codes import names
from journeylang.model import journey as journeys
from journeylang.model import policy as model
from journeylang.model.expressions import Constant
from journeylang.model.types import Kind
from journeylang.syntax import nodes

Window = tuple[int | None, model.CalendarUnit | None]


def window(node: nodes.Period | None, scope: Scope, checker: Checker) -> Window | None:
    """(seconds, calendar unit): one of the two, or neither for all time; None: reported."""
    match node:
        case None:
            return None, None
        case nodes.CalendarPeriod():
            return None, node.unit
        case _:
            rolling = seconds(node, scope, checker.findings)
            return None if rolling is None else (rolling, None)


def budget(
    node: nodes.Budget, channels: Collection[str], scope: Scope, checker: Checker
) -> model.Budget | None:
    """`channels` are those that the budget is over, by which costs are measured."""
    findings = checker.findings
    given = checker.value(node.amount, scope)
    period = window(node.per, scope, checker)
    if given is None or period is None:
        return None
    if not isinstance(given, Constant) or given.type.kind is not Kind.MONEY:
        findings.error(
            names.TYPE_MISMATCH,
            node.amount.span,
            "a budget is an amount of money",
            help="write `budget 500 EUR`",
        )
        return None
    amount, currency = Decimal(str(given.value)), str(given.type.currency)
    if amount <= 0:
        findings.error(
            names.BAD_VALUE,
            node.amount.span,
            "a budget of nothing lets no message through",
            help="write an amount above zero; a channel that is not to be used is left out",
        )
        return None
    if node.per is None and node.then == "hold":
        findings.error(
            names.BAD_VALUE,
            node.span,
            "a budget for all time is never free again, so nothing can wait for it",
            help="write `then skip`, or a period: `per 30d`",
        )
        return None
    if not _measurable(node, amount, currency, channels, checker):
        return None
    return model.Budget(
        channel=None if node.channel is None else node.channel.text,
        amount=amount,
        currency=currency,
        seconds=period[0],
        calendar=period[1],
        action=node.then or "hold",
        span=node.span,
    )


def _measurable(
    node: nodes.Budget,
    amount: Decimal,
    currency: str,
    channels: Collection[str],
    checker: Checker,
) -> bool:
    """The channels have costs, in the budget's currency, and each message fits."""
    findings = checker.findings
    costs = {name: cost for name in channels if (cost := channel_cost(name, checker)) is not None}
    if channels and not costs:
        listed = ", ".join(f"`{name}`" for name in sorted(channels)[:5])
        findings.error(
            names.MISSING_PART,
            node.span,
            f"nothing counts against this budget: {listed} has no cost"
            if len(channels) == 1
            else f"nothing counts against this budget: of {listed} none has a cost",
            help="bind what a message costs: `cost: 0.06 EUR`",
        )
        return False
    for name, cost in sorted(costs.items()):
        if cost.currency != currency:
            different_currencies(
                node.amount.span,
                f"the budget is in {currency}, `{name}` costs {cost.currency}",
                findings,
            )
            return False
        if cost.amount > amount:
            findings.error(
                names.BAD_VALUE,
                node.amount.span,
                f"a single message by `{name}` costs {cost.amount:f} {currency}, more than this",
                help="raise the budget, or leave the channel out",
            )
            return False
    return True


def of_journey(
    node: nodes.Journey,
    purpose: journeys.Purpose,
    body: journeys.Block,
    scope: Scope,
    checker: Checker,
) -> tuple[model.Budget, ...]:
    """A journey's own budgets."""
    written = [header for header in node.headers if isinstance(header, nodes.Budget)]
    if written and purpose == "transactional":
        checker.findings.error(
            names.OUT_OF_PLACE,
            written[0].span,
            "a budget would keep back what a customer has to be told",
            help="leave it out: transactional messages are bound by address and suppression alone",
        )
        return ()
    channels = {c.channel for send in sends(body) for c in send.candidates}
    found = [budget(header, channels, scope, checker) for header in written]
    return tuple(one for one in found if one is not None)


def capacity(node: nodes.Capacity, scope: Scope, checker: Checker) -> model.Capacity | None:
    """At most so many messages by a channel."""
    limit = whole(node.limit, "a capacity", scope, checker.findings)
    period = window(node.per, scope, checker)
    if limit is None or period is None:
        return None
    return model.Capacity(
        channel=node.channel.text,
        limit=limit,
        seconds=period[0],
        calendar=period[1],
        action=node.then or "hold",
        span=node.span,
    )
