"""Which indexes the bound tables lack: a tick asks them by customer and by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, ConsentTable, Table
from journeylang.model.expressions import Column, Expression
from journeylang.sql.dialects import quote
from journeylang.sql.relations import table_name

_LEADING = """SELECT ARRAY(SELECT a.attname::text
  FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_index AS i
WHERE i.indrelid = to_regclass($name) AND i.indpred IS NULL AND i.indisvalid"""
"""-> the columns of each index of a table, in their order; an expression's place is left out."""

_A_TABLE = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass($name)"


def missing_indexes(engine: Engine, binding: Binding) -> Iterator[tuple[Table, Sequence[str]]]:
    """Tables with the columns by which an index would lead, if there is none; PostgreSQL alone.

    What is bound to an expression can't be told, nor whose index a view needs.
    """
    if not engine.dialect.indexed:
        return
    wanted: dict[str, tuple[Table, tuple[str, ...]]] = {}
    for table, by in _asked(binding):
        names = [one.name for one in by if isinstance(one, Column)]
        if len(names) == len(by):
            wanted.setdefault(f"{table_name(table)} {names}", (table, tuple(names)))
    for table, columns in wanted.values():
        name = {"name": table_name(table)}
        if engine.query(_A_TABLE, name) != [(True,)]:
            continue
        there = [found for (found,) in engine.query(_LEADING, name)]
        # Who has a customer's rows sorts the few of them.
        if not any(found[:1] == [columns[0]] for found in there):
            yield table, columns


def statement(table: Table, columns: Sequence[str]) -> str:
    """What makes the index, without keeping others from the table meanwhile."""
    listed = ", ".join(map(quote, columns))
    return f"CREATE INDEX CONCURRENTLY ON {table_name(table)} ({listed})"


def _asked(binding: Binding) -> Iterator[tuple[Table, tuple[Expression, ...]]]:
    if binding.customers is not None:
        yield binding.customers.table, (binding.customers.key,)
    for event in binding.events.values():
        yield event.table, (event.customer, event.at)
        yield event.table, (event.at,)
    for consent in binding.consents.values():
        if isinstance(consent, ConsentTable):
            yield consent.table, (consent.customer, consent.at)
