"""Channels and topics: how people are reached, under which consent."""

from __future__ import annotations

from decimal import Decimal

from journeylang.analysis.declared import by_key
from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing
from journeylang.analysis.scope import PERSON
from journeylang.diagnostics.codes import names
from journeylang.model import binding as model
from journeylang.model.expressions import CustomerValue, Expression
from journeylang.model.types import Kind
from journeylang.syntax import nodes


def channel(node: nodes.Channel, checker: Checker) -> model.Channel | None:
    name = node.name.text
    settings = by_key(
        node.settings, ("address", "consent", "cost"), checker.findings, what="a channel"
    )
    for pair in settings.values():
        _no_otherwise(pair, checker)
    consent = None
    if "consent" in settings:
        consent = _consent(settings["consent"], checker)
    cost = None
    if "cost" in settings:
        cost = _cost(settings["cost"], checker)
    if "address" not in settings:
        missing(
            f"channel `{name}`",
            "address",
            node.name.span,
            checker.findings,
            example="address: customer.email",
        )
        return None
    address = _address(settings["address"], checker)
    if address is None:
        return None
    return model.Channel(
        name=name,
        address=address,
        consent=consent,
        cost=None if cost is None else cost[0],
        currency=None if cost is None else cost[1],
        span=node.span,
    )


def topic(node: nodes.Topic, checker: Checker) -> model.Topic | None:
    settings = by_key(node.settings, ("consent",), checker.findings, what="a topic")
    if "consent" not in settings:
        missing(
            f"topic `{node.name.text}`",
            "consent",
            node.name.span,
            checker.findings,
            example="consent: offers_optin",
        )
        return None
    consent = _consent(settings["consent"], checker)
    if consent is None:
        return None
    title = None if node.title is None else node.title.value
    return model.Topic(name=node.name.text, title=title, consent=consent, span=node.span)


def _consent(pair: nodes.Pair, checker: Checker) -> str | None:
    value = pair.value
    if isinstance(value, nodes.Ref) and len(value.parts) == 1:
        if value.text in checker.declared.consents:
            return value.text
        checker.findings.unknown("consent", value.text, value.span, checker.declared.consents)
        return None
    checker.findings.error(
        names.TYPE_MISMATCH,
        value.span,
        "a consent is expected by its name",
        help="write `consent: email_marketing`, and define that by `consent email_marketing …`",
    )
    return None


def _cost(pair: nodes.Pair, checker: Checker) -> tuple[Decimal, str] | None:
    value = pair.value
    if isinstance(value, nodes.Money):
        return value.amount, value.currency
    checker.findings.error(
        names.TYPE_MISMATCH,
        value.span,
        "a cost is an amount of money",
        help=f"write `{value.value} EUR`"
        if isinstance(value, nodes.Integer | nodes.Number)
        else "write `cost: 0.06 EUR`",
    )
    return None


def _address(pair: nodes.Pair, checker: Checker) -> Expression | None:
    if isinstance(pair.value, nodes.TopOf | nodes.ListOf):
        found = None
    else:
        found = checker.value(pair.value, PERSON)
        if found is None or (isinstance(found, CustomerValue) and found.type.kind is Kind.TEXT):
            return found
    checker.findings.error(
        names.TYPE_MISMATCH,
        pair.value.span,
        "an address is a text field of the customer",
        label=f"this is {found.type}" if found is not None else "",
        help="write `address: customer.email`",
    )
    return None


def _no_otherwise(pair: nodes.Pair, checker: Checker) -> None:
    if pair.otherwise is not None:
        checker.findings.error(
            names.OUT_OF_PLACE, pair.otherwise.span, f"`{pair.key.text}` has no `else`"
        )
