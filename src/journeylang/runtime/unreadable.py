"""Values of bound columns that can't be read as what they are bound as: unknown, and counted."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.running import VALUE_UNREADABLE
from journeylang.diagnostics.model import Diagnostic
from journeylang.engines.base import Engine
from journeylang.model.binding import Catalog, ConsentTable, Customers, Event, Pool
from journeylang.model.expressions import Column, Expression
from journeylang.model.types import INSTANT, Kind, Type
from journeylang.source import Span
from journeylang.sql.relations import bound_condition, bound_value, field_value, table_name

Bound = Customers | Event | ConsentTable | Catalog | Pool


def unreadable(engine: Engine, bound: Bound) -> Iterator[Diagnostic]:
    """One for each column with such values; one scan, of the columns alone that may have them."""
    found = engine.columns(bound.table.parts) or {}
    columns = {name.lower(): kind for name, kind in found.items()}
    doubtful = [one for one in _read(bound) if _may_fail(engine, one[1], one[2], columns)]
    if not doubtful:
        return
    d = engine.dialect
    counts = []
    for _, value, type_, _ in doubtful:
        raw, read = bound_value(value, d), field_value(value, type_, d)
        counts.append(f"count(*) FILTER (WHERE {raw} IS NOT NULL AND {read} IS NULL)")
    where = f" WHERE {bound_condition(bound.only_where, d)}" if bound.only_where else ""
    statement = f"SELECT {', '.join(counts)} FROM {table_name(bound.table)} AS t{where}"
    for (name, _, type_, span), count in zip(doubtful, engine.query(statement)[0], strict=True):
        if count:
            yield Diagnostic(
                code=VALUE_UNREADABLE,
                message=f"`{name}` of `{bound.table}` can't be read as {type_} in {count:,} rows",
                span=span,
                help="there it is unknown until the rows are mended; everything else counts",
            )


def _read(bound: Bound) -> Iterator[tuple[str, Expression, Type, Span]]:
    """What is read of a row, under its name, and the type that it is read as."""
    if isinstance(bound, Customers | Event | Catalog):
        for field in bound.fields:
            yield field.name, field.value, field.type, field.span
    if isinstance(bound, Event | ConsentTable):
        yield "at", bound.at, INSTANT, bound.at.span
    if isinstance(bound, Event) and bound.changed_at is not None:
        yield "changed at", bound.changed_at, INSTANT, bound.changed_at.span


def _may_fail(engine: Engine, value: Expression, type_: Type, columns: dict[str, str]) -> bool:
    """Whether a value may be lost: not of a column of the very type, if it has no infinities."""
    if type_.kind is Kind.TEXT:
        return False
    if not isinstance(value, Column) or type_.kind in (Kind.NUMBER, Kind.DATE):
        return True
    found = columns.get(value.name.lower(), "").upper().removesuffix(" WITHOUT TIME ZONE")
    return found != engine.dialect.column_type(type_).upper()
