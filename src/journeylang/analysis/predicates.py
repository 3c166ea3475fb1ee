"""Comparisons and the other tests that are true or false."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.constants import advice
from journeylang.analysis.mismatches import Side, tell_mismatch
from journeylang.analysis.operators import comparison, type_of
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import (
    Aged,
    Between,
    Comparison,
    Constant,
    Expression,
    Listed,
    OneOf,
    SegmentTest,
    TextMatch,
)
from journeylang.model.types import TEXT, Kind
from journeylang.source import Span
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker


def compared(node: nodes.Compare, scope: Scope, checker: Checker) -> Expression | None:
    left = checker.value(node.left, scope)
    right = checker.value(node.right, scope)
    if left is None or right is None:
        return None
    if not _fit((node.left, left), (node.right, right), node, checker):
        return None
    return Comparison(operator=node.op, left=left, right=right, span=node.span)


def between(node: nodes.Between, scope: Scope, checker: Checker) -> Expression | None:
    subject = checker.value(node.subject, scope)
    low = checker.value(node.low, scope)
    high = checker.value(node.high, scope)
    if subject is None or low is None or high is None:
        return None
    fine = _fit((node.subject, subject), (node.low, low), node, checker)
    fine = _fit((node.subject, subject), (node.high, high), node, checker) and fine
    return Between(subject=subject, low=low, high=high, span=node.span) if fine else None


def one_of(node: nodes.InList, scope: Scope, checker: Checker) -> Expression | None:
    subject = checker.value(node.subject, scope)
    items = [(item, checker.value(item, scope)) for item in node.items]
    if subject is None:
        return None
    options = [
        option
        for item, option in items
        if option is not None and _fit((node.subject, subject), (item, option), node, checker)
    ]
    if len(options) < len(items):
        return None
    return OneOf(subject=subject, options=tuple(options), span=node.span)


def _fit(
    left: Side,
    right: Side,
    whole: nodes.Compare | nodes.Between | nodes.InList,
    checker: Checker,
) -> bool:
    equality = isinstance(whole, nodes.InList) or (
        isinstance(whole, nodes.Compare) and whole.op in ("=", "!=")
    )
    found = comparison(type_of(left[1]), type_of(right[1]), ordered=not equality)
    if found is None:
        return True
    tell_mismatch(found, left, right, whole, checker.findings)
    return False


def text_match(
    node: nodes.Contains | nodes.StartsWith, scope: Scope, checker: Checker
) -> Expression | None:
    """``contains`` and ``starts with``, of texts."""
    contains = isinstance(node, nodes.Contains)
    part = node.part if isinstance(node, nodes.Contains) else node.prefix
    words = "contains" if contains else "starts with"
    subject = checker.value(node.subject, scope)
    text = checker.value(part, scope)
    fine = _is_text(node.subject, subject, words, checker)
    fine = _is_text(part, text, words, checker) and fine
    if subject is None or text is None or not fine:
        return None
    return TextMatch(
        how="contains" if contains else "starts", subject=subject, text=text, span=node.span
    )


def _is_text(
    node: nodes.Expression, found: Expression | None, words: str, checker: Checker
) -> bool:
    type_ = None if found is None else type_of(found)
    if type_ is None or type_.kind is Kind.TEXT:
        return True
    checker.findings.error(
        names.TYPE_MISMATCH,
        node.span,
        f"`{words}` looks into texts, this is {type_}",
        label=f"this is {type_}",
        help=advice(found, TEXT) if isinstance(found, Constant) else "",
    )
    return False


def aged(node: nodes.AgeTest, scope: Scope, checker: Checker) -> Expression | None:
    """``older than`` and ``newer than``, of instants and dates."""
    subject = checker.value(node.subject, scope)
    age = seconds(node.age, scope, checker.findings)
    if subject is None:
        return None
    type_ = type_of(subject)
    if type_ is not None and type_.kind not in (Kind.INSTANT, Kind.DATE):
        words = "older than" if node.older else "newer than"
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.subject.span,
            f"`{words}` asks for the age of an instant or a date, this is {type_}",
            label=f"this is {type_}",
        )
        return None
    if age is None:
        return None
    return Aged(older=node.older, subject=subject, seconds=age, span=node.span)


def in_segment(node: nodes.InSegment, scope: Scope, checker: Checker) -> Expression | None:
    segment = node.segment
    if not _of_customer(node, f"segment {segment.text}", "segments", scope, checker):
        return None
    return segment_test(segment, node.span, checker)


def segment_test(segment: nodes.Name, span: Span, checker: Checker) -> SegmentTest | None:
    """Being in the segment of this name."""
    if segment.text not in checker.declared.segments:
        checker.findings.unknown("segment", segment.text, segment.span, checker.declared.segments)
        return None
    return SegmentTest(name=segment.text, span=span)


def in_list_file(node: nodes.InListFile, scope: Scope, checker: Checker) -> Expression | None:
    """``in list "lists/fair.csv"``: what is in the file is looked at when all is loaded."""
    path = node.path.value
    if not _of_customer(node, f'list "{path}"', "lists of people", scope, checker):
        return None
    return Listed(path=path, span=node.path.span) if is_list_path(node.path, checker) else None


def is_list_path(node: nodes.String, checker: Checker) -> bool:
    """Whether it may be the path of a list; reports it if not."""
    path = node.value
    parts = path.split("/")
    if path.endswith(".csv") and all(parts) and not {".", ".."} & set(parts) and "\\" not in path:
        return True
    checker.findings.error(
        names.BAD_VALUE,
        node.span,
        f"`{path}` is not the path of a list",
        label="the path of a *.csv below the project's folder is expected",
        help='write it with `/`: `"lists/fair.csv"`',
    )
    return False


def _of_customer(
    node: nodes.InSegment | nodes.InListFile,
    what: str,
    kind: str,
    scope: Scope,
    checker: Checker,
) -> bool:
    """Whether it is asked of a customer, where customers are asked."""
    who = node.subject
    if who is not None and not (isinstance(who, nodes.Ref) and who.text == "customer"):
        checker.findings.error(
            names.OUT_OF_PLACE,
            who.span,
            f"only a customer is in a {what.split(maxsplit=1)[0]}",
            help=f"write `customer in {what}`",
        )
        return False
    if scope.table is not None or not scope.aggregates:
        checker.findings.error(
            names.OUT_OF_PLACE, node.span, f"{kind} have no meaning in {scope.what}"
        )
        return False
    return True
