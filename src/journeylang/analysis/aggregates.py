"""Figures over a customer's events: which functions take what, and over which window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from journeylang.analysis.functions import FUNCTIONS
from journeylang.analysis.operators import type_of
from journeylang.analysis.references import event_value
from journeylang.analysis.scope import Scope
from journeylang.analysis.sources import unknown_event
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import (
    Aggregate,
    AggregateFunction,
    EventValue,
    SinceEntry,
    SinceLast,
    Window,
    Within,
)
from journeylang.model.types import BOOL, INSTANT, INT, NUMBER, NUMERIC, Kind, Type
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker

_FUNCTIONS: dict[str, AggregateFunction] = {name: name for name in get_args(AggregateFunction)}
_OF_ROWS = ("count", "exists")
_OF_FIELDS = ("sum", "avg", "min", "max", "distinct", "most")
_ADDED = NUMERIC | {Kind.MONEY}
_RANKED = NUMERIC | {Kind.MONEY, Kind.DATE, Kind.TIME, Kind.INSTANT, Kind.DURATION}


def aggregate(node: nodes.Aggregate, scope: Scope, checker: Checker) -> Aggregate | None:
    """The aggregate; None when something of it was reported."""
    name = node.function.text
    if scope.table is not None or not scope.aggregates:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"aggregates have no meaning in {scope.what}",
            help="put the condition into a segment, and ask for that where people enter",
        )
        return None
    event = checker.sources.event(node.event, scope)
    inner = replace(scope, event=event or unknown_event(node.event))
    where = None if node.where is None else checker.condition(node.where, inner)
    windows = tuple(_window(window, scope, checker) for window in node.windows)
    if name not in _FUNCTIONS:
        checker.findings.unknown(
            "function", name, node.function.span, sorted({*nodes.AGGREGATES, *FUNCTIONS})
        )
        return None
    if event is None:
        return None
    function = _FUNCTIONS[name]
    if not _takes(function, node, checker):
        return None
    value = None if node.event_field is None else event_value(node.event_field, inner, checker)
    if node.event_field is not None and value is None:
        return None
    type_ = _type(function, value, node, checker)
    broken = (node.where is not None and where is None) or None in windows or type_ is None
    if broken or type_ is None:
        return None
    return Aggregate(
        function=function,
        event=event.source,
        value=value,
        where=where,
        windows=tuple(window for window in windows if window is not None),
        type=type_,
        span=node.span,
    )


def _takes(function: str, node: nodes.Aggregate, checker: Checker) -> bool:
    """Whether a field is there, and may be."""
    event = node.event.name.text
    if function in _OF_ROWS and node.event_field is not None:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.event_field.span,
            f"`{function}` is over an event, not over a field of it",
            help=f"write `{function}({event} where {node.event_field.text} is known)`",
        )
        return False
    if function in _OF_FIELDS and node.event_field is None:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.event.span,
            f"`{function}` is over a field of an event",
            help=f"name the field: `{function}({event}.FIELD)`"
            + (", or use `count`" if function in ("sum", "distinct") else ""),
        )
        return False
    return True


def _type(
    function: AggregateFunction,
    value: EventValue | None,
    node: nodes.Aggregate,
    checker: Checker,
) -> Type | None:
    of = None if value is None else type_of(value)
    allowed = {"sum": _ADDED, "avg": _ADDED, "min": _RANKED, "max": _RANKED}.get(function)
    if of is not None and allowed is not None and of.kind not in allowed:
        assert node.event_field is not None
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.event_field.span,
            f"`{function}` of {of} has no meaning",
            label=f"this is {of}",
            help="count different values by `distinct`, or take one by `last`"
            if of.kind is Kind.TEXT
            else "",
        )
        return None
    match function:
        case "count" | "distinct":
            return INT
        case "exists":
            return BOOL
        case "first" | "last":
            return (of or INSTANT).maybe()
        case "sum":
            assert of is not None
            return Type(kind=of.kind, currency=of.currency)
        case "avg":
            assert of is not None
            return NUMBER.maybe() if of.kind in NUMERIC else of.maybe()
        case "min" | "max" | "most":
            assert of is not None
            return of.maybe()


def _window(node: nodes.Within | nodes.Since, scope: Scope, checker: Checker) -> Window | None:
    if isinstance(node, nodes.Within):
        length = seconds(node.length, scope, checker.findings)
        return None if length is None else Within(seconds=length, span=node.span)
    start = node.start
    if isinstance(start, nodes.Ref) and start.text == "entry":
        if scope.run:
            return SinceEntry(span=node.span)
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`since entry` has no meaning in {scope.what}",
            label="there is no run here whose entry it could be",
            help="use a window such as `within 7d`",
        )
        return None
    if isinstance(start, nodes.Aggregate) and _is_last_event(start):
        of = aggregate(start, replace(scope, event=None), checker)
        return None if of is None else SinceLast(of=of, span=node.span)
    checker.findings.error(
        names.TYPE_MISMATCH,
        start.span,
        "a window begins with the entry or with the last of an event",
        help="write `since entry`, `since last(order_placed)` or `within 90d`",
    )
    return None


def _is_last_event(node: nodes.Aggregate) -> bool:
    return node.function.text == "last" and node.event_field is None
