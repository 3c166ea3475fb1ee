"""Expressions of the language as SQL text.

An expression is compiled in a `Scope`: the relation whose rows it is evaluated for, and
under which alias each kind of name is found. Figures over events are in `aggregates`.

Predicates come out three-valued where that is harmless (a WHERE, a CASE, under AND and
OR, where NULL acts as false) and are closed with COALESCE below NOT or where the value
itself is kept.
"""

from __future__ import annotations

from typing import assert_never

from journeylang.model.expressions import (
    Age,
    Aged,
    Aggregate,
    All,
    Arithmetic,
    Between,
    Column,
    Comparison,
    Constant,
    CustomerValue,
    Drawn,
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
    SqlValue,
    TextMatch,
    TileBy,
    TopBy,
)
from journeylang.model.types import NUMBER, Kind
from journeylang.sql import aggregates, lists, rankings
from journeylang.sql.dialects import quote, text
from journeylang.sql.draws import arm
from journeylang.sql.profile import profile_value
from journeylang.sql.relations import LOCAL_DATE, customer_column
from journeylang.sql.scope import Rows, Scope, StepNumbers, definitions

__all__ = [
    "Rows",
    "Scope",
    "StepNumbers",
    "definitions",
    "predicate",
    "value",
]


def value(node: Expression, scope: Scope) -> str:
    """SQL of a value; NULL is unknown."""
    d = scope.dialect
    match node:
        case Constant():
            return d.literal(node.value, node.type)
        case Column():
            return f"t.{quote(node.name)}"
        case SqlValue():
            return d.by_hand(node.sql)
        case Drawn():
            return _drawn(node, scope)
        case CustomerValue():
            scope.fields[node.name] = None
            return f"{scope.customer}.{quote(customer_column(node.name))}"
        case EventValue():
            return f"{scope.event}.{quote('_at' if node.name == 'at' else node.name)}"
        case EntryValue():
            if node.name == "at":
                return f"{scope.rows.alias}.entered_at"
            return d.cast(d.json_text(f"{scope.rows.alias}.entry", node.name), node.type)
        case ProfileValue():
            return _profile_value(node, scope)
        case Aggregate():
            return aggregates.aggregate(node, scope)
        case Age():
            return _age(node, scope)
        case TileBy():
            return rankings.tile_by(node, scope)
        case MetricValue():
            return value(scope.project.metrics[node.name].value, scope)
        case Arithmetic():
            return _arithmetic(node, scope)
        case _:
            return f"coalesce({predicate(node, scope)}, FALSE)"


def predicate(node: Expression, scope: Scope) -> str:
    """SQL of a condition in which NULL may stand for false (never put it below NOT)."""
    d = scope.dialect
    match node:
        case Comparison():
            operator = "<>" if node.operator == "!=" else node.operator
            return f"{value(node.left, scope)} {operator} {value(node.right, scope)}"
        case Between():
            subject = value(node.subject, scope)
            low, high = value(node.low, scope), value(node.high, scope)
            return f"({subject} >= {low} AND {subject} <= {high})"
        case OneOf():
            options = ", ".join(value(o, scope) for o in node.options)
            return f"{value(node.subject, scope)} IN ({options})"
        case TextMatch():
            spell = d.contains if node.how == "contains" else d.starts_with
            return spell(value(node.subject, scope), value(node.text, scope))
        case Known():
            return f"{value(node.subject, scope)} IS {'NOT ' if node.known else ''}NULL"
        case Aged():
            edge = f"{scope.now} - {d.interval(node.seconds)}"
            subject = value(node.subject, scope)
            return f"{subject} {'<=' if node.older else '>'} {edge}"
        case All():
            return "(" + " AND ".join(predicate(p, scope) for p in node.parts) + ")"
        case Either():
            return "(" + " OR ".join(predicate(p, scope) for p in node.parts) + ")"
        case Negated():
            return f"NOT coalesce({predicate(node.part, scope)}, FALSE)"
        case SegmentTest():
            return predicate(scope.project.segments[node.name].condition, scope)
        case (
            Constant()
            | Column()
            | SqlValue()
            | CustomerValue()
            | EventValue()
            | EntryValue()
            | Drawn()
        ):
            return value(node, scope)
        case TopBy():
            return rankings.top_by(node, scope)
        case Listed():
            return lists.listed(node, scope)
        case SqlMembers():
            return lists.selected(node, scope)
        case ProfileValue() | Aggregate() | MetricValue() | Arithmetic() | Age() | TileBy():
            return value(node, scope)
        case _:
            assert_never(node)


def _drawn(node: Drawn, scope: Scope) -> str:
    d = scope.dialect
    options = [d.literal(option.value, node.type) for option in node.options]
    if node.learned is not None:
        drawn = arm(scope.steps[node.learned], node.salt, scope)
        cases = [f"{drawn} = {text(str(option.value))}" for option in node.options]
    else:
        who = scope.customer if scope.rows.name is None else scope.rows.alias
        bucket = d.bucket(node.salt, f"{who}.customer_id")
        cases = [f"{bucket} < {end}" for end in node.bounds]
    ways = zip(cases[:-1], options[:-1], strict=True)
    whens = " ".join(f"WHEN {case} THEN {option}" for case, option in ways)
    return f"CASE {whens} ELSE {options[-1]} END"


def _profile_value(node: ProfileValue, scope: Scope) -> str:
    scope.profile[node.name] = None
    return scope.dialect.cast(
        profile_value(node.name, scope.event, written=scope.written), node.type
    )


def _age(node: Age, scope: Scope) -> str:
    """Whole years on the customer's local date; a year is over on the day of birth or behind it."""
    scope.fields[LOCAL_DATE] = None
    today = f"{scope.customer}.{quote(customer_column(LOCAL_DATE))}"
    return scope.dialect.whole_years(value(node.subject, scope), today)


def _arithmetic(node: Arithmetic, scope: Scope) -> str:
    d = scope.dialect
    left, right = value(node.left, scope), value(node.right, scope)
    match node.type.kind:
        case Kind.MONEY if node.operator == "/":
            return d.money(d.number(d.ten_thousandths(left), "/", f"nullif({right}, 0)"))
        case Kind.MONEY if node.operator == "*" and Kind.NUMBER in (
            _kind(node.left),
            _kind(node.right),
        ):
            money, by = (left, right) if _kind(node.left) is Kind.MONEY else (right, left)
            return d.money(d.number(d.ten_thousandths(money), "*", by))
        case Kind.MONEY | Kind.INT:
            return d.whole(left, node.operator, right, node.type)
        case Kind.NUMBER:
            number = d.column_type(NUMBER)
            if node.operator == "/":
                right = f"nullif(CAST({right} AS {number}), 0)"
            return d.finite(d.number(f"CAST({left} AS {number})", node.operator, right))
        case Kind.DATE:
            return d.cast(d.moment(left, node.operator, right), node.type)
        case _:
            return d.moment(left, node.operator, right)


def _kind(node: Expression) -> Kind | None:
    return node.type.kind if node.type is not None else None
