"""Arithmetic: signs, sums and products of numbers, money and time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from journeylang.analysis.mismatches import tell_mismatch
from journeylang.analysis.operators import Mismatch, arithmetic, type_of
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import SECONDS
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import Arithmetic, Constant, Expression
from journeylang.model.types import NUMBER, NUMERIC, Kind, Type
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker


def negated(
    node: nodes.Negate, scope: Scope, expected: Type | None, checker: Checker
) -> Expression | None:
    """``-x``; a negative literal stays a literal."""
    part = checker.value(node.operand, scope, expected)
    if part is None:
        return None
    type_ = type_of(part)
    if type_ is not None and type_.kind not in {*NUMERIC, Kind.MONEY, Kind.DURATION}:
        checker.findings.error(
            names.TYPE_MISMATCH, node.span, f"{type_} has no negative", label="the sign is wrong"
        )
        return None
    if isinstance(part, Constant) and isinstance(part.value, int | float | Decimal):
        return Constant(value=-part.value, type=part.type, span=node.span)
    type_ = type_ or expected or NUMBER
    zero = Constant(value=_zero(type_), type=_known(type_), span=node.span)
    return Arithmetic(operator="-", left=zero, right=part, type=type_, span=node.span)


def calculated(
    node: nodes.Binary, scope: Scope, expected: Type | None, checker: Checker
) -> Expression | None:
    """``a + b`` and so on, with the type of the result."""
    additive = expected if node.op in ("+", "-") else None
    left = checker.value(node.left, scope, additive)
    right = checker.value(node.right, scope, additive)
    if left is None or right is None:
        return None
    found = arithmetic(node.op, type_of(left), type_of(right), expected)
    if isinstance(found, Mismatch):
        tell_mismatch(found, (node.left, left), (node.right, right), node, checker.findings)
        return None
    if found.kind is Kind.DATE and not _by_whole_days(node, left, right, checker):
        return None
    sure = isinstance(right, Constant) and bool(right.value)
    if node.op == "/" and sure and not _may_be_unknown(left):
        found = _known(found)
    return Arithmetic(operator=node.op, left=left, right=right, type=found, span=node.span)


def _by_whole_days(
    node: nodes.Binary, left: Expression, right: Expression, checker: Checker
) -> bool:
    for side in (left, right):
        if not isinstance(side, Constant) or side.type.kind is not Kind.DURATION:
            continue
        assert isinstance(side.value, int)
        if side.value % SECONDS["d"] == 0:
            return True
    checker.findings.error(
        names.TYPE_MISMATCH,
        node.span,
        "a date moves by whole days only",
        help="write the days as a literal: `+ 7d`, `- 2w`",
    )
    return False


def _zero(type_: Type) -> int | float | Decimal:
    match type_.kind:
        case Kind.MONEY:
            return Decimal(0)
        case Kind.NUMBER:
            return 0.0
        case _:
            return 0


def _may_be_unknown(expression: Expression) -> bool:
    type_ = type_of(expression)
    return type_ is None or type_.optional


def _known(type_: Type) -> Type:
    return Type(kind=type_.kind, currency=type_.currency)
