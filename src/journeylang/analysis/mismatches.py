"""Two expressions that do not go together, told at the one that will be changed."""

from __future__ import annotations

from journeylang.analysis.constants import advice
from journeylang.analysis.findings import Findings
from journeylang.analysis.operators import Mismatch, type_of
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import Constant, Expression
from journeylang.syntax import nodes

Side = tuple[nodes.Expression, Expression]
"""An operand as written, and as meant."""


def tell_mismatch(
    mismatch: Mismatch, left: Side, right: Side, whole: nodes.Expression, findings: Findings
) -> None:
    """Report it at the literal, if one of the two is one, and say how to write that."""
    if isinstance(left[1], Constant) and not isinstance(right[1], Constant):
        left, right = right, left
    literal = right[1] if isinstance(right[1], Constant) else None
    wanted = type_of(left[1])
    help_ = "" if literal is None or wanted is None else advice(literal, wanted)
    if mismatch.currencies and not help_:
        help_ = "no exchange rate is part of a journey: use one currency"
    findings.error(
        names.CURRENCY_MISMATCH if mismatch.currencies else names.TYPE_MISMATCH,
        whole.span if literal is None else right[0].span,
        mismatch.reason,
        label="" if literal is None else f"this is {literal.type}",
        labels=() if literal is None else (Label(left[0].span, f"this is {wanted}"),),
        help=help_,
    )
