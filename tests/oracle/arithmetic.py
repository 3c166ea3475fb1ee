"""Total arithmetic: whatever cannot be answered is unknown (None)."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from journeylang.model.types import Kind, Type

INT_END = 2**63
MONEY_END = 10**14
UNIT = Decimal("0.0001")
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def arithmetic(operator: str, left: Any, right: Any, type_: Type) -> Any:
    """`left operator right` as a value of the type."""
    if left is None or right is None or (operator == "/" and right == 0):
        return None
    if isinstance(left, timedelta | datetime | date) or isinstance(right, datetime | date):
        try:
            return left + right if operator == "+" else left - right
        except OverflowError:
            return None
    match type_.kind:
        case Kind.INT:
            return whole(_exact(operator, left, right))
        case Kind.MONEY if isinstance(left, float) or isinstance(right, float):
            # A number is a double, and so is the count of the money's least units.
            return units(number(_floating(operator, _units(left), _units(right))))
        case Kind.MONEY:
            return money(_exact(operator, left, right))
        case _:
            return number(_floating(operator, float(left), float(right)))


def whole(value: Fraction | int) -> int | None:
    return int(value) if -INT_END <= value < INT_END else None


def number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def money(value: Fraction) -> Decimal | None:
    """Four decimals, half-even."""
    return units(value * 10_000)


def units(count: Fraction | float | None) -> Decimal | None:
    """That many ten-thousandths, ties to even."""
    if count is None:
        return None
    amount = _WIDE.multiply(Decimal(round(count)), UNIT)
    return amount if abs(amount) < MONEY_END else None


def _units(value: Decimal | float) -> float:
    return value if isinstance(value, float) else float(value * 10_000)


def _exact(operator: str, left: Any, right: Any) -> Fraction:
    a, b = Fraction(left), Fraction(right)
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case _:
            return a / b


def _floating(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right
