"""Which indexes the bound tables lack: a tick asks them by customer and by time."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, ConsentTable, Table
from journeylang.model.expressions import Column, Expression
from journeylang.sql.dialects import quote
from journeylang.sql.relations import table_name

_LEADING = """SELECT ARRAY(SELECT a.attname::text
  FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
  LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_index AS i
WHERE i.indrelid = to_regclass($name) AND i.indpred IS NULL AND i.indisvalid"""
"""-> the columns of each index of a table, in their order; NULL in the place of an expression."""

_KIND = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass($name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A table without an index that begins with the column, and what makes one."""

    table: Table
    column: str
    statement: str


def missing_indexes(engine: Engine, binding: Binding) -> Iterator[Missing]:
    """Indexes that a tick would like and that are not there; PostgreSQL alone.

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
        kind = engine.query(_KIND, name)
        if kind not in ([("r",)], [("p",)]):
            continue
        there = [found for (found,) in engine.query(_LEADING, name)]
        # Who has a customer's rows sorts the few of them.
        if not any(found[:1] == [columns[0]] for found in there):
            # Others are not kept from the table meanwhile; of one in parts that can't be had.
            how = "" if kind == [("p",)] else " CONCURRENTLY"
            listed = ", ".join(map(quote, columns))
            made = f"CREATE INDEX{how} ON {table_name(table)} ({listed})"
            yield Missing(table=table, column=columns[0], statement=made)


def _asked(binding: Binding) -> Iterator[tuple[Table, tuple[Expression, ...]]]:
    if binding.customers is not None:
        yield binding.customers.table, (binding.customers.key,)
    for event in binding.events.values():
        yield event.table, (event.customer, event.at)
        yield event.table, (event.at,)
    for consent in binding.consents.values():
        if isinstance(consent, ConsentTable):
            yield consent.table, (consent.customer, consent.at)
