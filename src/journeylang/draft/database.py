"""A database's own tables, and a look at some of their rows."""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.draft.tables import Column, Table, kind_of, with_keys
from journeylang.engines.base import Engine, StatementError
from journeylang.engines.catalog import described
from journeylang.sql.dialects import quote

LOOKED_AT = 100_000
"""So many rows of a table are looked at, whatever its size."""

FEW = 20
"""More values than that are no list of values."""


class Database:
    """See `Source`. Rows are read, and nothing else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.tables: Sequence[Table] = [
            with_keys(
                Table(
                    parts=one.parts,
                    columns=tuple(
                        Column(name=name, kind=kind_of(type_name), nullable=nullable)
                        for name, type_name, nullable in one.columns
                    ),
                    primary=one.primary,
                ),
                one.unique,
                one.refers,
            )
            for one in described(engine)
        ]

    def values(self, table: Table, column: Column) -> tuple[str, ...] | None:
        """See `Source`."""
        name = quote(column.name)
        found = self._asked(
            f"SELECT DISTINCT CAST({name} AS TEXT) FROM (SELECT {name} FROM {_named(table)}"
            f" WHERE {name} IS NOT NULL LIMIT {LOOKED_AT}) AS s LIMIT {FEW + 1}"
        )
        if found is None or not 0 < len(found) <= FEW:
            return None
        return tuple(sorted(str(row[0]) for row in found))

    def unique(self, table: Table, column: Column) -> bool | None:
        """See `Source`."""
        if column.unique:
            return True
        name = quote(column.name)
        found = self._asked(
            f"SELECT count(*), count(DISTINCT {name}) FROM"
            f" (SELECT {name} FROM {_named(table)} LIMIT {LOOKED_AT}) AS s"
        )
        if not found or not found[0][0]:
            return None
        return bool(found[0][0] == found[0][1])

    def _asked(self, statement: str) -> list[tuple[object, ...]] | None:
        try:
            return self._engine.query(statement)
        except StatementError:
            # A view that is broken, a type that cannot be compared: then nobody can say.
            return None


def _named(table: Table) -> str:
    return ".".join(quote(part) for part in table.parts)
