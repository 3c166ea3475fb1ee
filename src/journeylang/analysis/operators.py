"""Which types go together, and what comes out: pure functions of types.

None is the type of a bound column: whatever the database says. It goes with everything.
"""

from __future__ import annotations

from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Between,
    Column,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EntryValue,
    EventValue,
    Expression,
    Known,
    Listed,
    MetricValue,
    Negated,
    OneOf,
    ProfileValue,
    SegmentTest,
    SqlMembers,
    TextMatch,
    TopBy,
)
from journeylang.model.types import DURATION, INT, NUMBER, NUMERIC, Kind, Type

Operator = Literal["+", "-", "*", "/"]

_VALUES = (
    Column,
    CustomerValue,
    EventValue,
    EntryValue,
    ProfileValue,
    MetricValue,
    Aggregate,
    Constant,
)
_PREDICATES = (Comparison, Between, OneOf, TextMatch, Known, Aged, All, Either, Negated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Why two types do not go together; ``currencies``: both are money."""

    reason: str
    currencies: bool = False


def type_of(expression: Expression) -> Type | None:
    return expression.type


def is_predicate(expression: Expression) -> bool:
    """It is true or false, and never unknown."""
    match expression:
        case Aggregate():
            return expression.function == "exists"
        case SegmentTest() | TopBy() | Listed() | SqlMembers():
            return True
        case _:
            return isinstance(expression, _PREDICATES)


def comparison(left: Type | None, right: Type | None, *, ordered: bool) -> Mismatch | None:
    """Whether two values may be compared; ``ordered`` for more than equality."""
    if left is None or right is None:
        return None
    if left.kind is Kind.MONEY and right.kind is Kind.MONEY and left.currency != right.currency:
        return Mismatch(reason=f"{_bare(left)} is compared with {_bare(right)}", currencies=True)
    if not left.same_kind(right):
        return Mismatch(reason=f"{_bare(left)} cannot be compared with {_bare(right)}")
    if ordered and left.kind is Kind.BOOL:
        return Mismatch(reason="true and false have no order")
    return None


def arithmetic(
    operator: Operator, left: Type | None, right: Type | None, expected: Type | None
) -> Type | Mismatch:
    """The type of the result. ``expected`` is that of the field which it is bound to."""
    if left is None or right is None:
        known = left or right
        return (expected or known or NUMBER).maybe()
    unknown = left.optional or right.optional or operator == "/"
    if left.kind is Kind.MONEY and right.kind is Kind.MONEY and left.currency != right.currency:
        reason = f"{_bare(left)} and {_bare(right)} are put together by `{operator}`"
        return Mismatch(reason=reason, currencies=True)
    found = _result(operator, left, right)
    if found is None:
        words = {
            "+": f"{_bare(left)} and {_bare(right)} cannot be added",
            "-": f"{_bare(right)} cannot be subtracted from {_bare(left)}",
            "*": f"{_bare(left)} and {_bare(right)} cannot be multiplied",
            "/": f"{_bare(left)} cannot be divided by {_bare(right)}",
        }
        return Mismatch(reason=words[operator])
    return Type(kind=found.kind, currency=found.currency, optional=unknown)


def _result(operator: Operator, left: Type, right: Type) -> Type | None:
    numeric = left.kind in NUMERIC and right.kind in NUMERIC
    match operator, left.kind, right.kind:
        case "/", _, _ if numeric:
            return NUMBER
        case _ if numeric:
            return INT if left.kind is right.kind is Kind.INT else NUMBER
        case "+" | "-", Kind.MONEY, Kind.MONEY:
            return left
        case "/", Kind.MONEY, Kind.MONEY:
            return NUMBER
        case "*" | "/", Kind.MONEY, Kind.INT | Kind.NUMBER:
            return left
        case "*", Kind.INT | Kind.NUMBER, Kind.MONEY:
            return right
        case "-", Kind.INSTANT, Kind.INSTANT:
            return DURATION
        case "+" | "-", Kind.INSTANT | Kind.DATE | Kind.DURATION, Kind.DURATION:
            return left
        case "+", Kind.DURATION, Kind.INSTANT | Kind.DATE:
            return right
        case _:
            return None


def fits(value: Type | None, declared: Type) -> bool:
    """Whether a value may stand for a field of the declared type."""
    return value is None or value.same_kind(declared)


def _bare(type_: Type) -> str:
    return str(Type(kind=type_.kind, currency=type_.currency))
