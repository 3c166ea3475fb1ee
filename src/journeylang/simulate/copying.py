"""A PostgreSQL database as a dry run sees it: what is bound, copied into the scratch database.

All is read in one transaction that may not write. What a binding computes from columns is computed
there, in its own SQL, and so is SQL by hand: the copies have a column for each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.engines.postgres import PostgresEngine
from journeylang.model.binding import (
    Binding,
    BoundField,
    Catalog,
    ConsentTable,
    Customers,
    Event,
    Pool,
    Promo,
    Table,
)
from journeylang.model.expressions import BoundEvent, Column, SqlMembers
from journeylang.model.project import Project, Segment
from journeylang.model.types import BOOL, INSTANT, TEXT, Type
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.migrate import migrate, refuse_newer
from journeylang.simulate.scratch import NOT_COPIED
from journeylang.source import Span
from journeylang.sql import relations
from journeylang.sql.dialects import quote
from journeylang.sql.migrations import TABLES

SCHEMA = "copied"

_NOWHERE = Span("", 0, 0)
_WHOLE = {"smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT"}
_SIZE = 10_000

Columns = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """`live` is in a transaction, in which everything is read."""

    live: PostgresEngine

    def see(self, engine: Engine, project: Project) -> Project:
        """Copy what is bound; the project over the copies."""
        engine.execute(f"CREATE SCHEMA {SCHEMA}")
        known = heeding(project, remembered(self.live))
        bound = known.binding
        binding = replace(
            bound,
            customers=self._customers(engine, bound),
            events={name: self._event(engine, bound, one) for name, one in bound.events.items()},
            consents={
                name: self._consent(engine, one) if isinstance(one, ConsentTable) else one
                for name, one in bound.consents.items()
            },
            catalogs={n: self._catalog(engine, bound, one) for n, one in bound.catalogs.items()},
            promos={name: self._promo(engine, one) for name, one in bound.promos.items()},
            aside=frozenset(),
        )
        segments = {name: self._segment(engine, s) for name, s in known.segments.items()}
        return replace(known, binding=binding, segments=segments)

    def copy_state(self, engine: Engine, key_type: str, now: datetime, among: str | None) -> None:
        """What the runtime knows, as far as a tick reads it; nothing if it never ran."""
        if self.live.columns(("journey", "lock")) is None:
            return
        refuse_newer(self.live)
        migrate(engine, key_type, now)
        for name in TABLES:
            there = self.live.columns(("journey", name))
            if there is None or name in (*NOT_COPIED, "migration", "set_aside"):
                continue
            own = engine.columns(("journey", name)) or {}
            left = ("holder", "lease_until") if name == "lock" else ()
            columns = {c: kind for c, kind in own.items() if c in there and c not in left}
            listed = ", ".join(map(quote, columns))
            self._fill(
                engine, f"journey.{quote(name)}", columns, f"SELECT {listed} FROM journey.{name}"
            )
            if among is not None and "customer_id" in columns:
                engine.execute(
                    f"DELETE FROM journey.{quote(name)} WHERE customer_id NOT IN {among}"
                )

    # --- what is bound ---------------------------------------------------------

    def _customers(self, engine: Engine, binding: Binding) -> Customers | None:
        bound = binding.customers
        if bound is None:
            return None
        own = {"_zone": "VARCHAR", "_locale": "VARCHAR"}
        names = ["timezone", "locale", *(f.name for f in bound.fields)]
        if bound.prefers is not None:
            own[relations.PREFERS] = "VARCHAR"
            names.append(relations.PREFERS)
        fields = {relations.customer_column(f.name): f for f in bound.fields}
        relation = relations.customers(binding, self.live.dialect, names)
        columns = own | {c: engine.dialect.column_type(f.type) for c, f in fields.items()}
        table = self._copy(engine, "customers", relation, columns, ("customer_id",))
        return replace(
            bound,
            table=table,
            key=_column("customer_id", TEXT),
            timezone=_column("_zone", TEXT),
            locale=_column("_locale", TEXT),
            prefers=None if bound.prefers is None else _column(relations.PREFERS, TEXT),
            changed_at=None,
            fields=tuple(replace(f, value=_column(c, f.type)) for c, f in fields.items()),
            only_where=None,
        )

    def _event(self, engine: Engine, binding: Binding, bound: Event) -> Event:
        if bound.origin is not None:
            origin = binding.events[bound.origin]
            return replace(_seen(origin, bound.origin, bound), code=_column(_code(bound), TEXT))
        source = BoundEvent(name=bound.name, span=bound.span)
        d = self.live.dialect
        # Its redemptions ask for a code, which need not be a field.
        codes = [e for e in binding.events.values() if e.origin == bound.name]
        more = tuple(
            BoundField(name=_code(e), type=TEXT, value=e.code, span=e.span)
            for e in codes
            if e.code is not None
        )
        wide = replace(bound, fields=(*bound.fields, *more))
        seen = replace(binding, events={**binding.events, bound.name: wide})
        relation = relations.event(seen, source, [f.name for f in wide.fields], d)
        columns = {"_at": "TIMESTAMP"}
        columns |= {f.name: engine.dialect.column_type(f.type) for f in wide.fields}
        if bound.changed_at is not None:
            columns["_changed"] = "TIMESTAMP"
        self._copy(engine, f"event_{bound.name}", relation, columns, ("customer_id", "_key"))
        return _seen(bound, bound.name, bound)

    def _consent(self, engine: Engine, bound: ConsentTable) -> ConsentTable:
        relation = relations.consent_rows(bound, self.live.dialect)
        columns = {"at": "TIMESTAMP", "granted": "BOOLEAN"}
        table = self._copy(engine, f"consent_{bound.name}", relation, columns, ("customer_id",))
        return replace(
            bound,
            table=table,
            customer=_column("customer_id", TEXT),
            at=_column("at", INSTANT),
            granted=_column("granted", BOOL),
            source=None,
            only_where=None,
        )

    def _catalog(self, engine: Engine, binding: Binding, bound: Catalog) -> Catalog:
        relation = relations.catalog(binding, bound.name, self.live.dialect)
        columns = {f.name: engine.dialect.column_type(f.type) for f in bound.fields}
        table = self._copy(engine, f"catalog_{bound.name}", relation, columns, ("_key",))
        fields = tuple(replace(f, value=_column(f.name, f.type)) for f in bound.fields)
        return replace(
            bound, table=table, key=_column("_key", TEXT), fields=fields, only_where=None
        )

    def _promo(self, engine: Engine, bound: Promo) -> Promo:
        if not isinstance(bound.source, Pool):
            return bound
        relation = relations.pool(bound.source, self.live.dialect)
        table = self._copy(engine, f"pool_{bound.name}", relation, {"code": "VARCHAR"}, ())
        source = replace(bound.source, table=table, code=_column("code", TEXT), only_where=None)
        return replace(bound, source=source)

    def _segment(self, engine: Engine, segment: Segment) -> Segment:
        """Whom SQL by hand finds at the beginning."""
        found = segment.condition
        if not isinstance(found, SqlMembers):
            return segment
        relation = f"(SELECT s.member FROM ({found.sql}) AS s (member))"
        name = f"members_{segment.name}"
        self._copy(engine, name, relation, {}, ("member",))
        sql = f"SELECT m.member FROM {SCHEMA}.{quote(name)} AS m"
        return replace(segment, condition=replace(found, sql=sql))

    # --- rows --------------------------------------------------------------------

    def _copy(
        self,
        engine: Engine,
        name: str,
        relation: str,
        columns: Mapping[str, str],
        keys: tuple[str, ...],
    ) -> Table:
        """Rows of a relation into a table: `keys` in their own type, or as text."""
        d = self.live.dialect
        shape = self.live.shape(f"SELECT * FROM {relation} AS r")
        kinds = {key: _WHOLE.get(shape[key], "VARCHAR") for key in keys} | dict(columns)
        read = ", ".join(
            d.as_text(f"r.{quote(c)}") if c in keys and kind == "VARCHAR" else f"r.{quote(c)}"
            for c, kind in kinds.items()
        )
        table = Table(parts=(SCHEMA, name), span=_NOWHERE)
        made = ", ".join(f"{quote(column)} {kind}" for column, kind in kinds.items())
        engine.execute(f"CREATE TABLE {relations.table_name(table)} ({made})")
        statement = f"SELECT {read} FROM {relation} AS r"
        self._fill(engine, relations.table_name(table), kinds, statement)
        return table

    def _fill(self, engine: Engine, table: str, columns: Mapping[str, str], statement: str) -> None:
        for rows in self.live.read(statement, None, _SIZE):
            engine.insert(table, columns, rows)


def _seen(bound: Event, copied: str, as_event: Event) -> Event:
    """`as_event` over the copy of the table of `bound`."""
    return replace(
        as_event,
        table=Table(parts=(SCHEMA, f"event_{copied}"), span=_NOWHERE),
        key=_column("_key", TEXT),
        customer=_column("customer_id", TEXT),
        at=_column("_at", INSTANT),
        changed_at=_column("_changed", INSTANT) if bound.changed_at is not None else None,
        fields=tuple(replace(f, value=_column(f.name, f.type)) for f in as_event.fields),
        only_where=None,
    )


def _code(redeemed: Event) -> str:
    return f"_code {redeemed.name}"


def _column(name: str, type_: Type) -> Column:
    return Column(name=name, type=type_, span=_NOWHERE)
