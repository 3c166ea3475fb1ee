"""Expressions: from what is written to what is meant, with a type on everything.

An expression with an error in it is None, and whoever holds a None says nothing: one
mistake is one finding. The parser bounds how deep expressions are, so recursion is safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, assert_never

from journeylang.analysis.aggregates import aggregate
from journeylang.analysis.calculations import calculated, negated
from journeylang.analysis.constants import constant
from journeylang.analysis.declared import Declared
from journeylang.analysis.escapes import bound_tables, escape
from journeylang.analysis.findings import Findings
from journeylang.analysis.fragments import Fragments
from journeylang.analysis.functions import call, tile_by, top_by
from journeylang.analysis.operators import is_predicate, type_of
from journeylang.analysis.predicates import (
    aged,
    between,
    compared,
    in_list_file,
    in_segment,
    one_of,
    text_match,
)
from journeylang.analysis.references import reference
from journeylang.analysis.scope import Parameter, Scope, Shape
from journeylang.analysis.sources import Sources
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import (
    All,
    Comparison,
    Constant,
    Either,
    Expression,
    Known,
    Negated,
)
from journeylang.model.measures import Worth
from journeylang.model.types import BOOL, NUMERIC, Kind, Type
from journeylang.source import Span
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.environment import Environment


@dataclass(slots=True)
class Checker:
    """What all expressions of a project are checked against.

    ``metrics`` fills up in the order of dependencies; one that has an error has no type there.
    ``profile`` has what `set` writes anywhere; one of which no type can be told has None;
    ``origins`` are the steps that the types are from. ``parameters`` are those of each journey,
    with the values of the ``environment``. ``worth`` is what the project's `value { … }` says.
    ``written`` counts the pieces of SQL so far.
    """

    declared: Declared
    customers: Shape
    sources: Sources
    fragments: Fragments
    findings: Findings
    parameters: Mapping[str, Mapping[str, Parameter]]
    metrics: dict[str, Type] = field(default_factory=dict)
    profile: Mapping[str, Type | None] = field(default_factory=dict)
    origins: Mapping[str, Span] = field(default_factory=dict)
    environment: Environment | None = None
    worth: Worth | None = None
    written: int = 0
    _tables: frozenset[tuple[str, ...]] | None = None

    @property
    def tables(self) -> frozenset[tuple[str, ...]]:
        """The tables that the binding names, part by part; found at the first call, then kept."""
        if self._tables is None:
            self._tables = bound_tables(self.declared)
        return self._tables

    def condition(self, node: nodes.Expression, scope: Scope) -> Expression | None:
        """A predicate: true or false, never unknown."""
        found = self.value(node, scope)
        if found is None or is_predicate(found):
            return found
        type_ = type_of(found)
        if type_ is not None and type_.kind is not Kind.BOOL:
            self.findings.error(
                names.TYPE_MISMATCH,
                node.span,
                f"a condition is expected, this is {type_}",
                label=f"this is {type_}, neither true nor false",
                help="compare it with something" if type_.kind in NUMERIC | {Kind.MONEY} else "",
            )
            return None
        # A value of the data may be unknown whatever is declared; a comparison never is.
        yes = Constant(value=True, type=BOOL, span=node.span)
        return Comparison(operator="=", left=found, right=yes, span=node.span)

    def value(
        self, node: nodes.Expression, scope: Scope, expected: Type | None = None
    ) -> Expression | None:
        """Any expression; ``expected`` is the type that a bound field declares."""
        match node:
            case nodes.Compare():
                return compared(node, scope, self)
            case nodes.Ref():
                return reference(node, scope, self)
            case (
                nodes.Integer()
                | nodes.String()
                | nodes.Number()
                | nodes.Boolean()
                | nodes.Percent()
                | nodes.Money()
                | nodes.Duration()
                | nodes.Date()
                | nodes.DateTime()
                | nodes.TimeOfDay()
            ):
                return constant(node, scope, self.findings)
            case nodes.Aggregate():
                return aggregate(node, scope, self)
            case nodes.And():
                parts = self._conditions(node.operands, scope)
                return None if parts is None else All(parts=parts, span=node.span)
            case nodes.Or():
                parts = self._conditions(node.operands, scope)
                return None if parts is None else Either(parts=parts, span=node.span)
            case nodes.Not():
                part = self.condition(node.operand, scope)
                return None if part is None else Negated(part=part, span=node.span)
            case nodes.Negate():
                return negated(node, scope, expected, self)
            case nodes.Binary():
                return calculated(node, scope, expected, self)
            case nodes.Between():
                return between(node, scope, self)
            case nodes.InList():
                return one_of(node, scope, self)
            case nodes.Contains() | nodes.StartsWith():
                return text_match(node, scope, self)
            case nodes.IsKnown():
                of = self.value(node.subject, scope)
                return None if of is None else Known(subject=of, known=node.known, span=node.span)
            case nodes.AgeTest():
                return aged(node, scope, self)
            case nodes.InSegment():
                return in_segment(node, scope, self)
            case nodes.InListFile():
                return in_list_file(node, scope, self)
            case nodes.SqlHatch():
                return escape(node, scope, expected, self)
            case nodes.TopBy():
                return top_by(node, scope, self)
            case nodes.TileBy():
                return tile_by(node, scope, self)
            case nodes.Call():
                return call(node, scope, self)
            case _:
                assert_never(node)

    def _conditions(
        self, operands: Sequence[nodes.Expression], scope: Scope
    ) -> tuple[Expression, ...] | None:
        parts = [self.condition(operand, scope) for operand in operands]
        whole = tuple(part for part in parts if part is not None)
        return whole if len(whole) == len(parts) else None
