"""What a name in an expression stands for, by the place where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.parameters import value_of
from journeylang.analysis.scope import AT, RESERVED_OF_CUSTOMERS, Scope
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import (
    Column,
    CustomerValue,
    EntryValue,
    EventValue,
    Expression,
    MessageEvent,
    MetricValue,
    ProfileValue,
)
from journeylang.model.types import TEXT
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker


def reference(node: nodes.Ref, scope: Scope, checker: Checker) -> Expression | None:
    """The value that a name stands for; None when that was reported."""
    if scope.table is not None:
        return _column(node, scope, checker)
    match node.parts:
        case (name,):
            return _bare(name, node, scope, checker)
        case (owner, name) if owner.text == "customer":
            return _of_customer(name, node, scope, checker)
        case (owner, name) if owner.text == "entry":
            return _of_entry(name, node, scope, checker)
        case (owner, name) if owner.text == "profile":
            return _of_profile(name, node, scope, checker)
        case _:
            _dotted(node, scope, checker)
            return None


def _column(node: nodes.Ref, scope: Scope, checker: Checker) -> Expression | None:
    """In a binding: columns of the bound table, and nothing else."""
    table = scope.table
    assert table is not None
    if not all(part.text for part in node.parts):
        # The parser's stand-in for a name that is not there; it has told so.
        return None
    type_ = TEXT.maybe() if table.text else None
    match node.parts:
        case (name,) if table.bare:
            return Column(name=name.text, type=type_, span=node.span)
        case (owner, name) if owner.text == table.alias:
            return Column(name=name.text, type=type_, span=node.span)
        case (name,):
            checker.findings.error(
                names.UNKNOWN_NAME,
                node.span,
                f"`{name.text}` is not said to be a column of {scope.what}",
                help=f"write `{table.alias}.{name.text}`",
            )
        case (owner, name) if owner.text in ("customer", "entry", "profile"):
            checker.findings.error(
                names.OUT_OF_PLACE,
                node.span,
                f"`{node.text}` has no meaning in the binding of {scope.what}",
                label="a binding speaks of its own table alone",
                help=f"write `{table.alias}.{name.text}` for a column",
            )
        case _:
            checker.findings.unknown(
                "table",
                node.parts[0].text,
                node.parts[0].span,
                (table.alias,),
                label=f"the table is called `{table.alias}` here",
                help=f"write `{table.alias}.{node.parts[-1].text}`",
            )
    return None


def _bare(name: nodes.Name, node: nodes.Ref, scope: Scope, checker: Checker) -> Expression | None:
    text = name.text
    shape = None if scope.event is None else scope.event.shape
    if shape is not None and (shape.open or text in shape.fields or _is_instant(text, scope)):
        return event_value(name, scope, checker)
    if text in scope.parameters:
        return value_of(text, node, scope, checker.findings)
    if text in checker.declared.metrics:
        if not scope.aggregates:
            checker.findings.error(
                names.OUT_OF_PLACE, node.span, f"metrics have no meaning in {scope.what}"
            )
            return None
        type_ = checker.metrics.get(text)
        return None if type_ is None else MetricValue(name=text, type=type_, span=node.span)
    _unknown_bare(text, node, scope, checker)
    return None


def _is_instant(text: str, scope: Scope) -> bool:
    return text in AT and scope.event is not None and scope.event.timed


def event_value(name: nodes.Name, scope: Scope, checker: Checker) -> EventValue | None:
    """A field of the event in scope; None when it was reported."""
    event = scope.event
    assert event is not None
    shape = event.shape
    if name.text not in shape.fields and not _is_instant(name.text, scope):
        if not shape.open:
            checker.findings.unknown(
                "field",
                name.text,
                name.span,
                (*shape.fields, *AT),
                label=f"`{event.name}` has no field of this name",
            )
        return None
    type_ = shape.fields.get(name.text, AT.get(name.text))
    if type_ is None:
        if isinstance(event.source, MessageEvent) and name.text == "cost":
            checker.sources.no_cost(event.source, name)
        return None
    return EventValue(event=event.name, name=name.text, type=type_, span=name.span)


def _of_customer(
    name: nodes.Name, node: nodes.Ref, scope: Scope, checker: Checker
) -> Expression | None:
    assert scope.table is None, "bindings speak of their own table"
    shape = checker.customers
    type_ = RESERVED_OF_CUSTOMERS.get(name.text) or shape.fields.get(name.text)
    if type_ is not None:
        return CustomerValue(name=name.text, type=type_, span=node.span)
    if name.text not in shape.fields and not shape.open:
        checker.findings.unknown(
            "field",
            name.text,
            name.span,
            (*shape.fields, *RESERVED_OF_CUSTOMERS),
            label="customers have no field of this name",
            help=f"bind it: `field {name.text}: …` in `customers`",
        )
    return None


def _of_entry(
    name: nodes.Name, node: nodes.Ref, scope: Scope, checker: Checker
) -> Expression | None:
    if scope.journey is None or not scope.run:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`{node.text}` has no meaning in {scope.what}",
            label="there is no run here whose entry it could be",
            help="`entry.…` belongs into the steps, exits and goals of a journey",
        )
        return None
    shape = scope.journey.entry
    type_ = AT.get(name.text) or shape.fields.get(name.text)
    if type_ is not None:
        return EntryValue(name=name.text, type=type_, span=node.span)
    if name.text not in shape.fields and not shape.open:
        checker.findings.unknown(
            "field",
            name.text,
            name.span,
            (*shape.fields, *AT),
            label="the event that begins this journey has no field of this name"
            if shape.fields
            else "this journey begins with no event that has fields",
        )
    return None


def _of_profile(
    name: nodes.Name, node: nodes.Ref, scope: Scope, checker: Checker
) -> Expression | None:
    if not scope.profile:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`{node.text}` has no meaning in {scope.what}",
            label="consents and channels rest on the bound data alone",
            help="ask for it in the journey: `if`, or `when` behind a channel",
        )
        return None
    if name.text not in checker.profile:
        checker.findings.unknown(
            "profile value",
            name.text,
            name.span,
            tuple(checker.profile),
            label="no journey sets it",
            help=f"a step writes it: `set {name.text} = …`",
        )
        return None
    type_ = checker.profile[name.text]
    return None if type_ is None else ProfileValue(name=name.text, type=type_, span=node.span)


def _unknown_bare(text: str, node: nodes.Ref, scope: Scope, checker: Checker) -> None:
    """A bare name is a field of the event at hand or a metric; say what it is instead."""
    declared = checker.declared
    help_ = ""
    if text in ("customer", "entry", "profile"):
        help_ = f"`{text}` has fields: write `{text}.NAME`"
    elif text in checker.customers.fields:
        help_ = f"a customer's field is written `customer.{text}`"
    elif text in declared.segments:
        help_ = f"`{text}` is a segment: write `customer in segment {text}`"
    elif text in declared.events:
        help_ = f"`{text}` is an event: write `exists({text})` or `count({text})`"
    if help_:
        checker.findings.error(names.UNKNOWN_NAME, node.span, f"`{text}` is no value", help=help_)
        return
    fields = scope.event.shape.fields if scope.event is not None else {}
    checker.findings.unknown(
        "field or metric" if scope.event is not None else "metric",
        text,
        node.span,
        (*fields, *declared.metrics),
        label=f"neither a field of `{scope.event.name}` nor a metric"
        if scope.event is not None
        else "",
    )


def _dotted(node: nodes.Ref, scope: Scope, checker: Checker) -> None:
    """Something with a dot that is neither of the customer nor of the entry."""
    owner, *rest = (part.text for part in node.parts)
    field = ".".join(rest)
    if scope.event is not None and owner == scope.event.name:
        checker.findings.error(
            names.UNKNOWN_NAME,
            node.span,
            f"within its own `where`, a field of `{owner}` is written without the event",
            help=f"write `{field}`",
        )
    elif owner in checker.declared.events:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`{node.text}` has a value for each row of `{owner}`, not one",
            help=f"say which one is meant: `last({node.text})`, `sum({node.text})`",
        )
    else:
        checker.findings.unknown(
            "name",
            owner,
            node.parts[0].span,
            ("customer", "entry", "profile", *checker.declared.events),
            label="has no fields",
        )
