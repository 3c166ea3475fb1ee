"""Where SQL written by hand stands: in a binding an expression, elsewhere a SELECT of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis import hatch
from journeylang.analysis.declared import Declared
from journeylang.analysis.scope import Scope
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.lists import SQL_REFUSED
from journeylang.model.expressions import Column, Expression, SqlMembers, SqlValue
from journeylang.model.types import Type
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker


def escape(
    node: nodes.SqlHatch, scope: Scope, expected: Type | None, checker: Checker
) -> Expression | None:
    """What the SQL stands for; `expected` is the type of the field that it is bound to."""
    checker.written += 1
    if checker.written > hatch.MOST_PIECES:
        if checker.written == hatch.MOST_PIECES + 1:
            checker.findings.error(
                SQL_REFUSED,
                node.span,
                f"this is more than {hatch.MOST_PIECES:,} pieces of SQL in one project",
                help="make views of them in the database, and bind those",
            )
        return None
    if scope.table is not None:
        value = hatch.expression(node, scope.table.alias, bare=scope.table.bare)
        if isinstance(value, hatch.Refused):
            _tell(value, checker)
            return None
        columns = tuple(Column(name=name, span=at) for name, at in value.columns)
        return SqlValue(sql=value.sql, columns=columns, type=expected, span=node.span)
    if not scope.aggregates:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"SQL has no meaning in {scope.what}",
            help="bind what it yields as a field of the customers",
        )
        return None
    members = hatch.query(node, checker.tables)
    if isinstance(members, hatch.Refused):
        _tell(members, checker)
        return None
    return SqlMembers(sql=members.sql, span=node.span)


def _tell(refused: hatch.Refused, checker: Checker) -> None:
    checker.findings.error(SQL_REFUSED, refused.span, refused.message, help=refused.help)


def bound_tables(declared: Declared) -> frozenset[tuple[str, ...]]:
    """The tables that the binding names, part by part."""
    bound: list[nodes.Customers | nodes.Event | nodes.Catalog | nodes.ConsentTable] = [
        *declared.events.values(),
        *declared.catalogs.values(),
        *(c for c in declared.consents.values() if isinstance(c, nodes.ConsentTable)),
    ]
    if declared.customers is not None:
        bound.append(declared.customers)
    return frozenset(tuple(part.text for part in one.table.parts) for one in bound)
