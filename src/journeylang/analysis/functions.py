"""Functions of a value, and rankings of all customers by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.analysis.operators import type_of
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import share
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import Age, Expression, TileBy, TopBy
from journeylang.model.types import NUMERIC, Kind
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker

FUNCTIONS = ("age", "promo")
_RANKED = NUMERIC | {Kind.MONEY, Kind.DATE, Kind.TIME, Kind.INSTANT, Kind.DURATION}


def call(node: nodes.Call, scope: Scope, checker: Checker) -> Expression | None:
    """`age(…)`; an aggregate of something that is no event was told by the parser."""
    name = node.function.text
    match name:
        case "age":
            return _age(node, scope, checker)
        case "promo":
            checker.findings.error(
                names.OUT_OF_PLACE,
                node.span,
                f"a code has no meaning in {scope.what}",
                label="it is drawn as a message is decided",
                help="write it behind a send: `with { code: promo(NAME) } else skip`",
            )
        case _ if name not in nodes.AGGREGATES:
            checker.findings.unknown(
                "function",
                name,
                node.function.span,
                sorted({*nodes.AGGREGATES, *FUNCTIONS}),
                label="no function is called so",
            )
        case _:
            pass
    return None


def _age(node: nodes.Call, scope: Scope, checker: Checker) -> Expression | None:
    if not _asks_customers(node, "`age`", scope, checker):
        return None
    if len(node.arguments) != 1:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.span,
            "`age` is of one date",
            help="write `age(customer.birth_date)`",
        )
        return None
    (written,) = node.arguments
    subject = checker.value(written, scope)
    if subject is None:
        return None
    type_ = type_of(subject)
    if type_ is not None and type_.kind is not Kind.DATE:
        checker.findings.error(
            names.TYPE_MISMATCH,
            written.span,
            f"`age` counts the years since a date, this is {type_}",
            label=f"this is {type_}",
            help="for an instant, ask whether it is `older than 18y`"
            if type_.kind is Kind.INSTANT
            else "",
        )
        return None
    return Age(subject=subject, span=node.span)


def top_by(node: nodes.TopBy, scope: Scope, checker: Checker) -> Expression | None:
    """`top 10% by spend_year`"""
    by = _ranked(node, "`top`", scope, checker)
    # A share that is no share at all was told by the parser.
    told = not 0 < node.share.value <= 100
    points = None if told else share(node.share, scope, checker.findings, least=1)
    if by is None or points is None:
        return None
    return TopBy(share=points, by=by, span=node.span)


def tile_by(node: nodes.TileBy, scope: Scope, checker: Checker) -> Expression | None:
    """`tile 5 by spend_year`"""
    by = _ranked(node, "`tile`", scope, checker)
    if by is None:
        return None
    return TileBy(tiles=node.tiles.value, by=by, span=node.span)


def _ranked(
    node: nodes.TopBy | nodes.TileBy, what: str, scope: Scope, checker: Checker
) -> Expression | None:
    """What all customers are ranked by: it speaks of the customer alone, not of a run or row."""
    if not _asks_customers(node, what, scope, checker):
        return None
    alone = replace(scope, what=f"what {what} ranks by", event=None, run=False)
    by = checker.value(node.by, alone)
    if by is None:
        return None
    type_ = type_of(by)
    if type_ is not None and type_.kind not in _RANKED:
        checker.findings.error(
            names.TYPE_MISMATCH,
            node.by.span,
            f"{what} ranks by a number, an amount or a time, this is {type_}",
            label=f"this is {type_}",
        )
        return None
    return by


def _asks_customers(
    node: nodes.Call | nodes.TopBy | nodes.TileBy, what: str, scope: Scope, checker: Checker
) -> bool:
    """Whether it stands where a tick asks about customers: not in a binding."""
    if scope.table is None and scope.aggregates:
        return True
    checker.findings.error(
        names.OUT_OF_PLACE,
        node.span,
        f"{what} has no meaning in {scope.what}",
        help="put it into a segment, and ask for that where people enter",
    )
    return False
