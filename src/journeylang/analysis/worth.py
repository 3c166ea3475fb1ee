"""`value { … }`: what a customer brings in and costs."""

from __future__ import annotations

from journeylang.analysis.declared import by_key, head
from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing
from journeylang.analysis.scope import PERSON
from journeylang.analysis.strategies import different_currencies
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import CustomerValue
from journeylang.model.measures import EventField, Worth
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes

_SETTINGS = ("revenue", "goods", "acquisition")


def worth(checker: Checker) -> Worth | None:
    """The project's, if it has one; a second one is reported."""
    first: nodes.CustomerValue | None = None
    for node in checker.declared.rest:
        if not isinstance(node, nodes.CustomerValue):
            continue
        if first is not None:
            checker.findings.error(
                names.REPEATED_PART,
                head(node.span, "value"),
                "what a customer is worth is said twice",
                labels=(Label(head(first.span, "value"), "first said here"),),
                help="remove one of the two",
            )
            continue
        first = node
    return None if first is None else _worth(first, checker)


def _worth(node: nodes.CustomerValue, checker: Checker) -> Worth | None:
    settings = by_key(node.settings, _SETTINGS, checker.findings, what="`value`")
    if "revenue" not in settings:
        missing(
            "`value`",
            "revenue",
            head(node.span, "value"),
            checker.findings,
            example="revenue: order_placed.total",
        )
        return None
    found = {name: _setting(pair, checker) for name, pair in settings.items()}
    revenue, currency = found["revenue"] or (None, "")
    for name, pair in settings.items():
        one = found[name]
        if one is not None and currency and one[1] != currency:
            different_currencies(
                pair.value.span,
                f"`{name}` is in {one[1]}, `revenue` in {currency}",
                checker.findings,
            )
            return None
    if not isinstance(revenue, EventField) or None in found.values():
        return None
    goods, acquisition = ((found.get(name) or (None, ""))[0] for name in _SETTINGS[1:])
    return Worth(
        revenue=revenue,
        goods=goods if isinstance(goods, EventField) else None,
        acquisition=acquisition if isinstance(acquisition, CustomerValue) else None,
        currency=currency,
        span=node.span,
    )


def _setting(pair: nodes.Pair, checker: Checker) -> tuple[EventField | CustomerValue, str] | None:
    """The field, and the currency that it is in."""
    if pair.key.text == "acquisition":
        found = None
        if not isinstance(pair.value, nodes.TopOf | nodes.ListOf):
            found = checker.value(pair.value, PERSON)
            if found is None:
                return None
        if isinstance(found, CustomerValue) and found.type.currency is not None:
            return found, found.type.currency
        return _refuse(pair, "is an amount of money of the customer's", "customer.cost", checker)
    return _event_field(pair, checker)


def _event_field(pair: nodes.Pair, checker: Checker) -> tuple[EventField, str] | None:
    value = pair.value
    if not isinstance(value, nodes.Ref) or len(value.parts) != 2:
        return _refuse(pair, "is an event's field", "order_placed.total", checker)
    event, name = value.parts
    shape = checker.sources.events.get(event.text)
    if shape is None:
        checker.findings.unknown("event", event.text, event.span, checker.sources.events)
        return None
    if name.text not in shape.fields:
        if not shape.open:
            checker.findings.unknown("field", name.text, name.span, shape.fields)
        return None
    type_: Type | None = shape.fields[name.text]
    if type_ is None:
        return None
    if type_.kind is not Kind.MONEY or type_.currency is None:
        return _refuse(
            pair, f"is an amount of money, this is {type_}", "order_placed.total", checker
        )
    return EventField(event=event.text, name=name.text), type_.currency


def _refuse(
    pair: nodes.Pair, what: str, example: str, checker: Checker
) -> tuple[EventField, str] | None:
    checker.findings.error(
        names.TYPE_MISMATCH,
        pair.value.span,
        f"`{pair.key.text}` {what}",
        help=f"write `{pair.key.text}: {example}`",
    )
    return None
