"""In which order the channels of a send are tried, and what that order needs to be known."""

from __future__ import annotations

from dataclasses import replace

from journeylang.analysis.declared import head
from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.goals import MOST_LEARNT, to_learn_from
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.source import Span
from journeylang.syntax import nodes


def strategy(node: nodes.Send, checker: Checker) -> model.Strategy | None:
    """The strategy meant; None if something that it needs is missing."""
    at = node.span
    match node.strategy:
        case "only" | "first":
            return "first"
        case "preferred":
            return "preferred" if _favourites(at, checker) else None
        case "cheapest":
            return "cheapest" if _one_currency(node, checker) else None
        case "best":
            return "best"


def learning(
    send: model.Send, goals: tuple[model.Goal, ...] | None, at: Span, findings: Findings
) -> model.Send:
    """The send with the goal by which its channels are judged, if it is to learn from one."""
    if send.strategy != "best":
        return send
    if len({candidate.channel for candidate in send.candidates}) > MOST_LEARNT:
        findings.error(
            names.OUT_OF_PLACE,
            at,
            f"`send best of` tries at most {MOST_LEARNT} channels",
            help="each channel keeps 5% of the messages; leave some out",
        )
    goal = to_learn_from(
        None,
        goals,
        at,
        "`send best of`",
        "write `goal order_placed within 7d` above the steps, or `send first of { … }` for the"
        " order written",
        findings,
    )
    return replace(send, learns=goal)


def _favourites(at: Span, checker: Checker) -> bool:
    bound = checker.declared.customers
    if bound is None or any(isinstance(item, nodes.Prefers) for item in bound.items):
        return True
    checker.findings.error(
        names.MISSING_PART,
        at,
        "nothing says which channel a customer prefers",
        labels=(Label(head(bound.span, "customers"), "bound without `prefers`"),),
        help="bind the column with the channel's name: `prefers c.favourite_channel`",
    )
    return False


def _one_currency(node: nodes.Send, checker: Checker) -> bool:
    """Costs can be compared; a channel without a cost is free."""
    first: nodes.Money | None = None
    for candidate in node.candidates:
        cost = channel_cost(candidate.channel.text, checker)
        if cost is None:
            continue
        first = first or cost
        if cost.currency != first.currency:
            different_currencies(
                candidate.channel.span,
                f"`{candidate.channel.text}` costs {cost.currency}, others {first.currency}",
                checker.findings,
            )
            return False
    return True


def channel_cost(name: str, checker: Checker) -> nodes.Money | None:
    """What a message by the channel costs, as written in its binding."""
    channel = checker.declared.channels.get(name)
    for pair in channel.settings if channel is not None else ():
        if pair.key.text == "cost" and isinstance(pair.value, nodes.Money):
            return pair.value
    return None


def different_currencies(span: Span, message: str, findings: Findings) -> None:
    findings.error(
        names.CURRENCY_MISMATCH,
        span,
        message,
        help="bind the costs of all channels in one currency",
    )
