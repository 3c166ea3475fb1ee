"""Literals, and what was probably meant when one has the wrong type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import SECONDS, duration
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import Constant
from journeylang.model.types import (
    BOOL,
    DATE,
    DURATION,
    INSTANT,
    INT,
    NUMBER,
    NUMERIC,
    TEXT,
    TIME,
    Kind,
    Type,
    money,
)
from journeylang.syntax import nodes

_MOST_MONEY = Decimal(10) ** 14
_FOUR = Decimal("0.0001")


def constant(node: nodes.Literals, scope: Scope, findings: Findings) -> Constant | None:
    """The literal as a value. An instant without a zone is UTC."""
    match node:
        case nodes.String():
            return Constant(value=node.value, type=TEXT, span=node.span)
        case nodes.Integer():
            return Constant(value=node.value, type=INT, span=node.span)
        case nodes.Number():
            return Constant(value=float(node.value), type=NUMBER, span=node.span)
        case nodes.Boolean():
            return Constant(value=node.value, type=BOOL, span=node.span)
        case nodes.Percent():
            findings.error(
                names.OUT_OF_PLACE,
                node.span,
                "a percentage stands only for a share of people",
                help=f"as a number, write `{node.value.scaleb(-2).normalize():f}`",
            )
            return None
        case nodes.Money():
            if abs(node.amount) >= _MOST_MONEY:
                findings.error(
                    names.BAD_VALUE,
                    node.span,
                    "an amount of money has at most 14 digits before the point",
                )
                return None
            value = node.amount.quantize(_FOUR)
            return Constant(value=value, type=money(node.currency), span=node.span)
        case nodes.Duration():
            if duration(node, scope, findings) is None:
                return None
            total = node.value * SECONDS[node.unit]
            return Constant(value=total, type=DURATION, span=node.span)
        case nodes.Date():
            return Constant(value=node.value, type=DATE, span=node.span)
        case nodes.DateTime():
            at = node.value
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else _to_utc(at)
            return Constant(value=at, type=INSTANT, span=node.span)
        case nodes.TimeOfDay():
            return Constant(value=node.value, type=TIME, span=node.span)


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        # Within hours of year 1 or 9999: the offset would leave the calendar.
        return at.replace(tzinfo=UTC)


def advice(literal: Constant, wanted: Type) -> str:
    """How to write the literal so that it has the wanted type; empty when there is no way."""
    value = literal.value
    match literal.type.kind, wanted.kind:
        case ((Kind.INT | Kind.NUMBER), Kind.MONEY):
            return f"write `{value} {wanted.currency}`"
        case ((Kind.INT | Kind.NUMBER), Kind.TEXT):
            return f'a text is in quotation marks: write `"{value}"`'
        case ((Kind.INT | Kind.NUMBER), Kind.DURATION):
            return f"write a span of time, such as `{value}d`"
        case Kind.MONEY, (Kind.INT | Kind.NUMBER):
            return f"write `{_plain(value)}` without the currency"
        case Kind.TEXT, _ if isinstance(value, str):
            return _unquoted(value, wanted)
        case Kind.DATE, Kind.INSTANT:
            return f"an instant has a time too: write `{value}T00:00`"
        case Kind.INSTANT, Kind.DATE if isinstance(value, datetime):
            return f"write `{value.date()}` without the time"
        case _:
            return ""


def _plain(value: object) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unquoted(text: str, wanted: Type) -> str:
    if wanted.kind in NUMERIC and text.lstrip("-").isdecimal():
        return f"write `{text}` without quotation marks"
    if wanted.kind is Kind.MONEY and text.lstrip("-").isdecimal():
        return f"write `{text} {wanted.currency}` without quotation marks"
    if wanted.kind is Kind.BOOL and text.lower() in ("true", "false"):
        return f"write `{text.lower()}` without quotation marks"
    if wanted.kind in (Kind.DATE, Kind.INSTANT):
        try:
            found = date.fromisoformat(text[:10])
        except ValueError:
            return ""
        tail = "" if wanted.kind is Kind.DATE else "T00:00"
        return f"write `{found}{tail}` without quotation marks"
    return ""
