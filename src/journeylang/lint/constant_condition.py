"""JRN104: a condition of which it is known beforehand whether it is true."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal

from journeylang.diagnostics.codes.names import CONSTANT_CONDITION
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.said_values import said_values
from journeylang.model import expressions as e
from journeylang.model import journey as model
from journeylang.source import Span

_TRUE = "this is always true"
_FALSE = "this is never true"

_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}
_TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COUNTING = ("count", "distinct")


def constant_condition(checked: Checked) -> Iterator[Diagnostic]:
    """Comparisons and questions with one answer, wherever they stand.

    What rests on the values of parameters is left alone, for they are other ones elsewhere. A
    segment of everybody, or an entry for everybody, is written as `true`.
    """
    for comparison in checked.meant(e.Comparison):
        yield from _comparison(comparison)
    yield from said_values(checked)
    for known in checked.meant(e.Known):
        yield from _known(known)
    for between in checked.meant(e.Between):
        yield from _between(between)
    asked = (
        *(part for both in checked.meant(e.All) for part in both.parts),
        *(part for either in checked.meant(e.Either) for part in either.parts),
        *(negated.part for negated in checked.meant(e.Negated)),
        *(step.condition for step in checked.meant(model.If)),
        *(way_out.condition for way_out in checked.meant(model.ExitWhen)),
    )
    for condition in asked:
        yield from _literal(condition)


def _comparison(node: e.Comparison) -> Iterator[Diagnostic]:
    left, right, op = node.left, node.right, node.operator
    if left.span == right.span:
        # A literal `true`, or a field that is a truth value: nothing is compared as written.
        return
    if isinstance(left, e.Constant):
        left, right, op = right, left, _TURNED[op]  # type: ignore[assignment]
    if isinstance(left, e.Constant) and isinstance(right, e.Constant):
        answer = _compare(right, left, _TURNED[op])
        if answer is not None and _written_in(left, node.span) and _written_in(right, node.span):
            yield _found(node.span, answer, "two fixed values are compared")
    elif isinstance(right, e.Constant):
        if _written_in(right, node.span) and _counts(left) and isinstance(right.value, int):
            answer = _of_a_count(op, right.value)
            if answer is not None:
                yield _found(node.span, answer, "a count is 0 at least")
    elif left == right:
        if op in ("<", ">", "!="):
            yield _found(node.span, False, "both sides are the same")
        elif left.type is not None and not left.type.optional:
            yield _found(node.span, True, "both sides are the same")


def _counts(node: e.Expression) -> bool:
    return isinstance(node, e.Aggregate) and node.function in _COUNTING


def _of_a_count(op: str, bound: int) -> bool | None:
    match op:
        case ">=" if bound <= 0:
            return True
        case ">" if bound < 0:
            return True
        case "!=" if bound < 0:
            return True
        case "<" if bound <= 0:
            return False
        case "<=" if bound < 0:
            return False
        case "=" if bound < 0:
            return False
        case _:
            return None


def _between(node: e.Between) -> Iterator[Diagnostic]:
    low, high = node.low, node.high
    if not isinstance(low, e.Constant) or not isinstance(high, e.Constant):
        return
    if not _written_in(low, node.span) or not _written_in(high, node.span):
        return
    if _compare(low, high, ">"):
        yield _found(node.span, False, "the lower end comes first")
    elif _counts(node.subject) and isinstance(high.value, int) and high.value < 0:
        yield _found(node.span, False, "a count is 0 at least")


def _known(node: e.Known) -> Iterator[Diagnostic]:
    subject = node.subject
    if subject.type is None or subject.type.optional or isinstance(subject, e.Column):
        return
    if isinstance(subject, e.CustomerValue | e.EventValue | e.EntryValue):
        owner = {"CustomerValue": "customer.", "EntryValue": "entry."}
        name = f"{owner.get(type(subject).__name__, '')}{subject.name}"
        why = f"`{name}` is `{subject.type}`: bind it as `{subject.type}?` if it may be unknown"
    else:
        why = "it always has a value"
    yield _found(node.span, node.known, why)


def _literal(node: e.Expression) -> Iterator[Diagnostic]:
    if isinstance(node, e.Comparison) and node.left.span == node.right.span:
        node = node.left
    if isinstance(node, e.Constant) and isinstance(node.value, bool):
        word = "true" if node.value else "false"
        # A parameter of type bool stands here by its value, and at the place of its name.
        if node.span.end - node.span.start == len(word):
            yield _found(node.span, node.value, "it asks nothing")


def _written_in(constant: e.Constant, within: Span) -> bool:
    """Whether it is a literal of this very condition, and not what a parameter was given."""
    span = constant.span
    return span.path == within.path and within.start <= span.start and span.end <= within.end


def _compare(left: e.Constant, right: e.Constant, op: str) -> bool | None:
    a, b = left.value, right.value
    numbers = (int, float, Decimal)
    kinds = (numbers, str, datetime, date, time)
    if any(isinstance(a, kind) and isinstance(b, kind) for kind in kinds):
        return _OPERATORS[op](a, b)
    return None


def _found(span: Span, answer: bool, why: str) -> Diagnostic:
    return Diagnostic(
        code=CONSTANT_CONDITION,
        message=_TRUE if answer else _FALSE,
        span=span,
        label=why,
        help="ask something, or leave it out",
    )


RULE = Rule(code=CONSTANT_CONDITION, find=constant_condition)
