"""The tables of a test and what is given in them.

What a test does not give is unknown where it may be, and else nothing: no text, zero, false, the
first of January 2000.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, BoundField, ConsentTable, Event, Pool
from journeylang.model.entry import EnterByStart
from journeylang.model.expressions import BoundEvent, Column, Constant
from journeylang.model.trials import Trial
from journeylang.model.types import INSTANT, TEXT, Kind, Type
from journeylang.sql.dialects import quote
from journeylang.trial.clock import Clock, absolute
from journeylang.trial.part import Part
from journeylang.trial.stage import (
    CUSTOMERS,
    EMPTY,
    SCHEMA,
    catalog_table,
    consent_table,
    event_table,
    pool_table,
)

LONG_AGO = datetime.combine(date(2000, 1, 1), time())
EVERYBODY = "everybody"
LIVE = f"{SCHEMA}.live"
SHIFT = f"{SCHEMA}.shift"
"""Whose turn it is where a database is shared, and by how many microseconds they are moved."""
# So many codes a pool has for each test: nobody comes away without one, unless it is `empty`.
CODES = 200
FEWEST_CODES = 1_000

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


def create(engine: Engine, binding: Binding, *, shared: bool = False) -> None:
    """Make the tables of a binding over `trial.stage`, empty.

    If they are `shared`, only those are customers whose keys stand in `given.live`.
    """
    d = engine.dialect
    made = [f"CREATE SCHEMA {SCHEMA}"]
    for name, columns in _tables(binding).items():
        listed = ", ".join(f"{quote(c)} {d.column_type(type_)}" for c, type_ in columns.items())
        made.append(f"CREATE TABLE {SCHEMA}.{quote(_filled(name, shared))} ({listed})")
    if shared:
        made.append(f"CREATE TABLE {LIVE} (key {d.column_type(TEXT)})")
        made.append(f"CREATE TABLE {SHIFT} (key {d.column_type(TEXT)}, moved BIGINT)")
        made.append(
            f"CREATE VIEW {SCHEMA}.{CUSTOMERS} AS SELECT * FROM {SCHEMA}.{EVERYBODY}"
            f" WHERE _key IN (SELECT key FROM {LIVE})"
        )
    engine.execute(";\n".join(made))


def fill(engine: Engine, binding: Binding, parts: Sequence[Part], *, shared: bool = False) -> None:
    """Put what tests give into the tables, and nothing else.

    `binding` is the staged one. Events of a test are there from the beginning: nothing sees a row
    whose time has not come.
    """
    tables = _tables(binding)
    engine.execute(
        ";\n".join(f"DELETE FROM {SCHEMA}.{quote(_filled(name, shared))}" for name in tables)
    )
    rows: dict[str, list[list[object]]] = {}
    for part in parts:
        for name, found in _rows(binding, part):
            rows.setdefault(name, []).extend(found)
    for name, found in _of_all(binding, parts):
        rows.setdefault(name, []).extend(found)
    for name, found in rows.items():
        kinds = {c: engine.dialect.column_type(type_) for c, type_ in tables[name].items()}
        engine.insert(f"{SCHEMA}.{quote(_filled(name, shared))}", kinds, found)


def _filled(name: str, shared: bool) -> str:
    return EVERYBODY if shared and name == CUSTOMERS else name


def _tables(binding: Binding) -> dict[str, Columns]:
    """The columns of each table, by its name."""
    assert binding.customers is not None
    own = {"_key": TEXT, "_timezone": TEXT, "_locale": TEXT, "_prefers": TEXT}
    found = {CUSTOMERS: own | _types(binding.customers.fields)}
    for event in binding.events.values():
        if event.origin is None:
            columns = {"_key": TEXT, "_customer": TEXT, "_at": INSTANT} | _types(event.fields)
            if _has_code(binding, event):
                columns["_code"] = TEXT
            found[event_table(event.name)] = columns
    for name, consent in binding.consents.items():
        if isinstance(consent, ConsentTable):
            found[consent_table(name)] = {"_customer": TEXT, "_at": INSTANT}
    for name, catalog in binding.catalogs.items():
        found[catalog_table(name)] = {"_key": TEXT} | _types(catalog.fields)
    for name, promo in binding.promos.items():
        if isinstance(promo.source, Pool):
            found[pool_table(name)] = {"_code": TEXT}
    return found


def _rows(binding: Binding, part: Part) -> Iterator[tuple[str, list[list[object]]]]:
    """The rows of each table that are of a test's own customer."""
    assert binding.customers is not None
    trial, clock, key = part.trial, part.clock, part.key
    given = {**dict(trial.customer), **part.marks}
    own = [_text(given.get(name)) for name in ("timezone", "locale", "prefers")]
    if part.zone is not None:
        own[0] = part.zone
    yield CUSTOMERS, [[key, *own, *_values(binding.customers.fields, given, clock.zone)]]
    for event in binding.events.values():
        if event.origin is None:
            yield event_table(event.name), _of_event(binding, event, trial, clock, key)
    for name, consent in binding.consents.items():
        if isinstance(consent, ConsentTable):
            agreed = [c for c in trial.consents if c.consent == name]
            instants = (LONG_AGO if c.at is None else clock.instant(c.at) for c in agreed)
            yield consent_table(name), [[key, at] for at in instants]


def _of_all(binding: Binding, parts: Sequence[Part]) -> Iterator[tuple[str, list[list[object]]]]:
    """The rows that are nobody's: catalogues, in which tests agree, and codes."""
    trial, zone = parts[0].trial, parts[0].clock.zone
    for name, catalog in binding.catalogs.items():
        rows = [dict(r.values) for r in trial.rows if r.catalog == name]
        made = [
            [_text(r.get("key")) or f"{name} {n}", *_values(catalog.fields, r, zone)]
            for n, r in enumerate(rows, 1)
        ]
        yield catalog_table(name), made
    codes = max(FEWEST_CODES, CODES * len(parts))
    for name, promo in binding.promos.items():
        if isinstance(promo.source, Pool) and (name, EMPTY) not in trial.assigned:
            yield pool_table(name), [[f"{name}-{n}"] for n in range(1, codes + 1)]


def _has_code(binding: Binding, event: Event) -> bool:
    codes = [e.code for e in binding.events.values() if e.origin == event.name]
    return any(isinstance(c, Column) and c.name == "_code" for c in codes)


def _of_event(
    binding: Binding, event: Event, trial: Trial, clock: Clock, key: str
) -> list[list[object]]:
    rows: list[list[object]] = []
    for n, happening in enumerate(trial.happenings, 1):
        if isinstance(happening.event, BoundEvent) and happening.event.name == event.name:
            given = dict(happening.values)
            number = _text(given.get("key")) or f"{event.name} {n}"
            values = _values(event.fields, given, clock.zone)
            rows.append([number, key, clock.instant(happening.at), *values])
    return [[*row, None] for row in rows] if _has_code(binding, event) else rows


def handed(entry: EnterByStart, given: Given, zone: ZoneInfo) -> str:
    """What a `start` hands over, as JSON."""
    values = {name: _value(type_, given.get(name), zone) for name, type_ in entry.fields}
    return json.dumps(values, default=str)


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
