"""What has to be there for a journey's results to be measured: a goal, a window, amounts."""

from __future__ import annotations

from collections.abc import Collection

from journeylang.analysis.expressions import Checker
from journeylang.analysis.messages import sends
from journeylang.analysis.strategies import channel_cost, different_currencies
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.measures import OF_COHORTS, OF_GOALS, Target
from journeylang.syntax import nodes


def has_a_goal(
    node: nodes.Journey, of: nodes.Kpi | nodes.Guard, goals: Collection[model.Goal], c: Checker
) -> None:
    """Reports a measure of goals in a journey that states none."""
    stated = goals or any(isinstance(header, nodes.Goal) for header in node.headers)
    if of.measure.text in OF_GOALS and not stated:
        c.findings.error(
            names.MISSING_PART,
            of.measure.span,
            f"`{of.measure.text}` needs a goal, and the journey has none",
            help="say what counts as success: `goal order_placed within 14d worth total`",
        )


def can_be_measured(
    node: nodes.Guard, target: Target, goal: model.Goal, body: model.Block, c: Checker
) -> bool:
    """Whether a guard on results has all that it needs; what is missing is reported."""
    measure = target.measure
    if measure in OF_COHORTS and goal.within is None:
        c.findings.error(
            names.MISSING_PART,
            goal.span,
            f"a guard on `{measure}` needs the goal's window",
            labels=(Label(node.measure.span, "of customers whose time is over"),),
            help="write `within 14d`: a customer is judged when that time has passed",
        )
        return False
    if measure not in OF_COHORTS and target.is_floor and target.over is None:
        c.findings.error(
            names.MISSING_PART,
            node.span,
            f"`{measure}` begins with nothing, so this guard would pause the journey at once",
            help="write `over 7d` behind it: it is judged when the journey has run so long",
        )
        return False
    return measure not in ("revenue", "roi") or _has_amounts(node, target, goal, body, c)


def _has_amounts(
    node: nodes.Guard, target: Target, goal: model.Goal, body: model.Block, c: Checker
) -> bool:
    """Whether there is an amount of money to be summed, in one currency with the others."""
    at = node.measure.span
    currency = goal.currency
    if goal.worth is not None and currency is None:
        c.findings.error(
            names.TYPE_MISMATCH,
            goal.span,
            "what this goal is worth is no amount of money",
            labels=(Label(at, "sums it up"),),
            help="name a field with a currency: `worth total`",
        )
        return False
    if currency is None and c.worth is None:
        # A `value` with a mistake has been reported.
        if not any(isinstance(one, nodes.CustomerValue) for one in c.declared.rest):
            c.findings.error(
                names.MISSING_PART,
                at,
                f"nothing says what `{node.measure.text}` is made of",
                help="write `goal … worth total`, or `value { revenue: order_placed.total }`",
            )
        return False
    currency = currency or (c.worth.currency if c.worth is not None else None)
    if target.measure == "revenue":
        return _same(node, target.currency, currency, "the goal", c)
    goods = c.worth.currency if c.worth is not None and c.worth.goods is not None else currency
    if not _same(node, currency, goods, "`goods`", c):
        return False
    costs = {
        one.channel: cost
        for send in sends(body)
        for one in send.candidates
        if (cost := channel_cost(one.channel, c)) is not None
    }
    if not costs:
        c.findings.error(
            names.MISSING_PART,
            at,
            "`roi` needs what messages cost, and no channel of this journey has a cost",
            help="say it where the channel is bound: `cost: 0.0004 EUR`",
        )
        return False
    return all(_same(node, currency, cost.currency, f"`{n}`", c) for n, cost in costs.items())


def _same(node: nodes.Guard, wanted: str | None, found: str | None, what: str, c: Checker) -> bool:
    if wanted == found:
        return True
    different_currencies(node.bound.span, f"this is {wanted}, {what} counts in {found}", c.findings)
    return False
