"""Rows of a catalogue for a template: ``picks: top 3 of products by price where …``."""

from __future__ import annotations

from dataclasses import replace

from journeylang.analysis.expressions import Checker
from journeylang.analysis.operators import type_of
from journeylang.analysis.scope import EventScope, Scope
from journeylang.analysis.spans import whole
from journeylang.diagnostics.codes import names
from journeylang.model import journey as model
from journeylang.model.expressions import BoundEvent, Expression
from journeylang.model.types import Kind
from journeylang.syntax import nodes

_MOST = 100
_UNORDERED = (Kind.BOOL,)


def pick(
    pair: nodes.Pair,
    node: nodes.TopOf,
    otherwise: nodes.Otherwise | None,
    scope: Scope,
    checker: Checker,
) -> model.Pick | None:
    """What the template is given; ``otherwise`` is the send's own ``else``, if any."""
    findings = checker.findings
    name = node.catalog
    shape = checker.sources.catalogs.get(name.text)
    if shape is None:
        findings.unknown("catalog", name.text, name.span, checker.sources.catalogs)
        return None
    row = EventScope(
        name=name.text, source=BoundEvent(name=name.text, span=name.span), shape=shape, timed=False
    )
    inner = replace(scope, event=row, what=f"the rows of `{name.text}`", aggregates=False)
    count = whole(node.count, "the number of rows", scope, findings)
    if count is not None and count > _MOST:
        findings.error(
            names.BAD_VALUE,
            node.count.span,
            f"a message has at most {_MOST} rows of a catalogue",
            help="choose fewer, and link to the rest",
        )
        return None
    by = None if node.by is None else _by(node.by, inner, checker)
    where = None if node.where is None else checker.condition(node.where, inner)
    if count is None or (node.by is not None and by is None):
        return None
    if node.where is not None and where is None:
        return None
    otherwise = pair.otherwise or otherwise
    return model.Pick(
        name=pair.key.text,
        catalog=name.text,
        count=count,
        by=by,
        where=where,
        otherwise=_otherwise(otherwise),
        reason=way_out(otherwise),
        span=pair.span,
    )


def _by(node: nodes.Expression, scope: Scope, checker: Checker) -> Expression | None:
    found = checker.value(node, scope)
    if found is None:
        return None
    type_ = type_of(found)
    if type_ is not None and type_.kind in _UNORDERED:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.span,
            f"rows are put in order by a value, this is {type_}",
            help="put a condition behind `where`",
        )
        return None
    return found


def _otherwise(node: nodes.Otherwise | None) -> model.PickElse | None:
    match node.action if node is not None else None:
        case "skip":
            return "skip"
        case "exit":
            return "exit"
        case _:
            return None


def way_out(node: nodes.Otherwise | None) -> str | None:
    """The reason with which `else exit` ends a run."""
    if node is None or node.action != "exit":
        return None
    return "exit" if node.reason is None else node.reason.text
