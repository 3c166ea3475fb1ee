"""The tables of a test and what is given in them.

What a test does not give is unknown where it may be, and else nothing: no text, zero, false, the
first of January 2000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, BoundField, ConsentTable, Event, Pool
from journeylang.model.expressions import BoundEvent, Column, Constant
from journeylang.model.trials import Trial
from journeylang.model.types import INSTANT, TEXT, Kind, Type
from journeylang.sql.dialects import quote
from journeylang.trial.clock import Clock, absolute
from journeylang.trial.stage import (
    CUSTOMERS,
    SCHEMA,
    catalog_table,
    consent_table,
    event_table,
    pool_table,
)

LONG_AGO = datetime.combine(date(2000, 1, 1), time())
# So many codes are in a pool; nobody in a test comes away without one.
CODES = 1_000

_NOTHING: Mapping[Kind, object] = {
    Kind.TEXT: "",
    Kind.INT: 0,
    Kind.NUMBER: 0.0,
    Kind.BOOL: False,
    Kind.DATE: date(2000, 1, 1),
    Kind.TIME: time(0),
    Kind.INSTANT: LONG_AGO,
    Kind.MONEY: Decimal(0),
}

Columns = dict[str, Type]
Given = Mapping[str, Constant]


def customer_key(binding: Binding, trial: Trial) -> str:
    """The customer's key: given as `key`, or by the name of its column in the binding."""
    assert binding.customers is not None
    given = dict(trial.customer)
    column = binding.customers.key
    found = given.get("key")
    if found is None and isinstance(column, Column):
        found = given.get(column.name)
    return "customer" if found is None else str(found.value)


def fill(engine: Engine, binding: Binding, trial: Trial, clock: Clock, key: str) -> None:
    """Make the tables of a binding over `trial.stage`, and put what is given into them.

    `binding` is the staged one, `key` the customer's. Events of the test are there from the
    beginning: nothing sees a row whose time has not come.
    """
    engine.execute(f"CREATE SCHEMA {SCHEMA}")
    assert binding.customers is not None
    bound = binding.customers
    given = dict(trial.customer)
    own = {name: _text(given.get(name)) for name in ("timezone", "locale", "prefers")}
    columns = {"_key": TEXT, "_timezone": TEXT, "_locale": TEXT, "_prefers": TEXT}
    row = [key, *own.values(), *_values(bound.fields, given, clock.zone)]
    _table(engine, CUSTOMERS, columns | _types(bound.fields), [row])

    for event in binding.events.values():
        if event.origin is None:
            _event(engine, binding, event, trial, clock, key)
    for name, consent in binding.consents.items():
        if isinstance(consent, ConsentTable):
            granted = [
                [key, LONG_AGO if c.at is None else clock.instant(c.at)]
                for c in trial.consents
                if c.consent == name
            ]
            columns = {"_customer": TEXT, "_at": INSTANT}
            _table(engine, consent_table(name), columns, granted)
    for name, catalog in binding.catalogs.items():
        rows = [dict(r.values) for r in trial.rows if r.catalog == name]
        made = [
            [_text(r.get("key")) or f"{name} {n}", *_values(catalog.fields, r, clock.zone)]
            for n, r in enumerate(rows, 1)
        ]
        _table(engine, catalog_table(name), {"_key": TEXT} | _types(catalog.fields), made)
    for name, promo in binding.promos.items():
        if isinstance(promo.source, Pool):
            codes = [[f"{name}-{n}"] for n in range(1, CODES + 1)]
            _table(engine, pool_table(name), {"_code": TEXT}, codes)


def _event(
    engine: Engine, binding: Binding, event: Event, trial: Trial, clock: Clock, key: str
) -> None:
    rows = []
    for n, happening in enumerate(trial.happenings, 1):
        if isinstance(happening.event, BoundEvent) and happening.event.name == event.name:
            given = dict(happening.values)
            number = _text(given.get("key")) or f"{event.name} {n}"
            values = _values(event.fields, given, clock.zone)
            rows.append([number, key, clock.instant(happening.at), *values])
    columns = {"_key": TEXT, "_customer": TEXT, "_at": INSTANT} | _types(event.fields)
    codes = [e.code for e in binding.events.values() if e.origin == event.name]
    if any(isinstance(c, Column) and c.name == "_code" for c in codes):
        columns["_code"] = TEXT
        rows = [[*row, None] for row in rows]
    _table(engine, event_table(event.name), columns, rows)


def _types(fields: Sequence[BoundField]) -> Columns:
    return {f.name: f.type for f in fields}


def _values(fields: Sequence[BoundField], given: Given, zone: ZoneInfo) -> list[object]:
    return [_value(f.type, given.get(f.name), zone) for f in fields]


def _value(type_: Type, given: Constant | None, zone: ZoneInfo) -> object:
    if given is None:
        return None if type_.optional else _NOTHING.get(type_.kind)
    value = given.value
    if isinstance(value, datetime):
        return absolute(value, zone)
    return value


def _text(given: Constant | None) -> str | None:
    return None if given is None or given.value is None else str(given.value)


def _table(
    engine: Engine, name: str, columns: Mapping[str, Type], rows: Sequence[Sequence[object]]
) -> None:
    kinds = {column: engine.dialect.column_type(type_) for column, type_ in columns.items()}
    made = ", ".join(f"{quote(column)} {kind}" for column, kind in kinds.items())
    table = f"{SCHEMA}.{quote(name)}"
    engine.execute(f"CREATE TABLE {table} ({made})")
    engine.insert(table, kinds, rows)
