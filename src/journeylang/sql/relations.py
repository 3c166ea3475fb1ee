"""The bound tables as relations under fixed column names.

`customers`: customer_id, "_zone", "_locale" and the bound fields. An event: customer_id,
"_key", "_at" and the fields asked for. A consent: customer_id, at, granted. Each is a
derived table, so that the engine reads the columns that a statement uses and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from journeylang.model.binding import (
    Binding,
    BoundField,
    Catalog,
    ConsentTable,
    Customers,
    Event,
    Pool,
    Table,
)
from journeylang.model.expressions import BoundEvent, EventSource, Expression
from journeylang.model.types import INSTANT, TEXT, Kind, Type
from journeylang.sql.aside import kept
from journeylang.sql.dialects import Dialect, quote, text

if TYPE_CHECKING:
    from journeylang.sql.scope import Scope

PREFERS = "_prefers"
# The date where the customer is; no field can be called so.
LOCAL_DATE = "local date"
_RESERVED = {
    "key": "customer_id",
    "timezone": "_zone",
    "locale": "_locale",
    LOCAL_DATE: "_today",
}


def customer_column(field: str) -> str:
    """The column of the customers relation that holds a field."""
    if field == "customer_id":
        return "_customer_id"  # the relation's own name for the key
    return _RESERVED.get(field, field)


def table_name(table: Table) -> str:
    """The user's table, quoted part by part."""
    return ".".join(quote(part) for part in table.parts)


def _scope(dialect: Dialect) -> Scope:
    # A bound expression sees the table's own columns alone: no project, no aggregates.
    from journeylang.model.project import Project
    from journeylang.sql.scope import Rows, Scope

    empty = Project(binding=Binding(), metrics={}, segments={}, policies={}, journeys={})
    return Scope(project=empty, dialect=dialect, steps={}, rows=Rows())


def bound_value(node: Expression, dialect: Dialect) -> str:
    """A bound expression over the table's alias `t`."""
    from journeylang.sql.expressions import value

    return value(node, _scope(dialect))


def bound_condition(node: Expression, dialect: Dialect) -> str:
    """A bound predicate over the table's alias `t`; NULL acts as false."""
    from journeylang.sql.expressions import predicate

    return predicate(node, _scope(dialect))


def field_value(value: Expression, type_: Type, dialect: Dialect) -> str:
    """A bound field over the alias `t`: unknown if it is none of its type."""
    bound = dialect.cast(bound_value(value, dialect), type_)
    match type_.kind:
        case Kind.NUMBER:
            return dialect.finite(bound)
        case Kind.DATE | Kind.INSTANT:
            return dialect.in_calendar(bound, type_)
        case _:
            return bound


def _field(field: BoundField, column: str, dialect: Dialect) -> str:
    return f"{field_value(field.value, field.type, dialect)} AS {quote(column)}"


def _where(condition: Expression | None, dialect: Dialect, kept: Sequence[str] = ()) -> str:
    parts = [*kept, *([] if condition is None else [bound_condition(condition, dialect)])]
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def rows_of(bound: Customers | Event | Catalog, dialect: Dialect) -> str:
    """The rows that count of a bound table, `t`, behind FROM: also those whose keys are wrong."""
    return f"{table_name(bound.table)} AS t{_where(bound.only_where, dialect)}"


def customers(binding: Binding, dialect: Dialect, fields: Collection[str] | None = None) -> str:
    """Everybody in the base: customer_id and the fields named, or all.

    `timezone` and `locale` among them are "_zone" and "_locale", the binding's
    `else` where unknown. `PREFERS` is the name of the favourite channel, if it is asked for;
    `LOCAL_DATE` is "_today", and needs the zone tables of a tick.
    """
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    zone = "NULL" if bound.timezone is None else bound_value(bound.timezone, dialect)
    zone = f"coalesce({dialect.cast(zone, TEXT)}, {text(bound.zone_else)})"
    locale = "NULL" if bound.locale is None else bound_value(bound.locale, dialect)
    key = bound_value(bound.key, dialect)
    columns = [f"{key} AS customer_id"]
    if fields is None or "timezone" in fields:
        columns.append(f'{zone} AS "_zone"')
    if fields is None or "locale" in fields:
        known = f"coalesce({dialect.cast(locale, TEXT)}, {text(bound.locale_else)})"
        columns.append(f'{known} AS "_locale"')
    if fields is not None and PREFERS in fields:
        favourite = "NULL" if bound.prefers is None else bound_value(bound.prefers, dialect)
        columns.append(f"{dialect.cast(favourite, TEXT)} AS {quote(PREFERS)}")
    columns += [
        _field(f, customer_column(f.name), dialect)
        for f in bound.fields
        if fields is None or f.name in fields
    ]
    days = ""
    if fields is not None and LOCAL_DATE in fields:
        now = dialect.parameter("now")
        columns.append('z.date AS "_today"')
        days = (
            f" LEFT JOIN zone_day AS z ON z.zone = {zone} AND {now} >= z.since AND {now} < z.until"
        )
    return (
        f"(SELECT {', '.join(columns)} FROM {table_name(bound.table)} AS t{days}"
        f"{_where(bound.only_where, dialect, kept(binding, bound, key, dialect))})"
    )


def event(binding: Binding, source: EventSource, fields: Sequence[str], dialect: Dialect) -> str:
    """The rows of an event: customer_id, "_key", "_at" and the fields named."""
    if not isinstance(source, BoundEvent):
        return message_event(source.name, fields, dialect)
    bound = binding.events[source.name]
    wanted = [f for f in bound.fields if f.name in fields]
    key = bound_value(bound.key, dialect)
    where = _where(bound.only_where, dialect, kept(binding, bound, key, dialect))
    columns = [
        f"{bound_value(bound.customer, dialect)} AS customer_id",
        f"""{key} AS "_key\"""",
        f"""{dialect.cast(bound_value(bound.at, dialect), INSTANT)} AS "_at\"""",
        *(_field(f, f.name, dialect) for f in wanted),
    ]
    if bound.redeems is not None:
        assert bound.code is not None
        columns[0] = "k.customer_id AS customer_id"
        code = dialect.cast(bound_value(bound.code, dialect), TEXT)
        at = dialect.cast(bound_value(bound.at, dialect), INSTANT)
        return (
            f"(SELECT {', '.join(columns)} FROM {table_name(bound.table)} AS t"
            f" JOIN journey.promo_code AS k ON k.promo = {text(bound.redeems)}"
            f" AND k.code = {code} AND {at} > k.at{where})"
        )
    if bound.changed_at is not None:
        changed = dialect.cast(bound_value(bound.changed_at, dialect), INSTANT)
        columns.append(f'{changed} AS "_changed"')
    return f"(SELECT {', '.join(columns)} FROM {table_name(bound.table)} AS t{where})"


def catalog(binding: Binding, name: str, dialect: Dialect) -> str:
    """The rows of a catalogue: "_key", "key" as text, and all its fields."""
    bound = binding.catalogs[name]
    key = bound_value(bound.key, dialect)
    columns = [
        f'{key} AS "_key"',
        f'{dialect.as_text(key)} AS "key"',
        *(_field(f, f.name, dialect) for f in bound.fields),
    ]
    return (
        f"(SELECT {', '.join(columns)} FROM {table_name(bound.table)} AS t"
        f"{_where(bound.only_where, dialect, kept(binding, bound, key, dialect))})"
    )


def pool(bound: Pool, dialect: Dialect) -> str:
    """The codes of a pool, each once."""
    code = dialect.cast(bound_value(bound.code, dialect), TEXT)
    return (
        f"(SELECT DISTINCT {code} AS code FROM {table_name(bound.table)} AS t"
        f"{_where(bound.only_where, dialect)})"
    )


def newness(bound: Event) -> str:
    """The instant by which a row under `e` counts as new: that of its change, if it is later."""
    return 'greatest(e."_at", e."_changed")' if bound.changed_at is not None else 'e."_at"'


_MESSAGE_FIELDS = {"cost": "m.cost", "channel": "m.channel"}


def may_repeat(binding: Binding, source: EventSource) -> bool:
    """Whether a row may stand several times in an event: with each code that it redeems."""
    bound = binding.events.get(source.name) if isinstance(source, BoundEvent) else None
    return bound is not None and bound.redeems is not None


def message_event(name: str, fields: Sequence[str], dialect: Dialect) -> str:
    """A built-in event: also run_id, step and channel of the message it is about."""
    about = 'm.customer_id, m.run_id, m.step, m.channel, m.decided_at AS "_decided"'
    if name == "sent":
        extra = "".join(f", m.cost AS {quote(f)}" for f in fields if f == "cost")
        return (
            f'(SELECT {about}, m.message_id AS "_key", m.decided_at AS "_at"{extra}'
            " FROM journey.message AS m WHERE m.action IS NULL)"
        )
    extra = "".join(
        f", {_MESSAGE_FIELDS.get(f) or dialect.json_text('f.data', f)} AS {quote(f)}"
        for f in fields
        if f != "at"
    )
    return (
        f'(SELECT {about}, f.event_id AS "_key", f.at AS "_at", f.received_at AS "_received"{extra}'
        " FROM journey.message_event AS f JOIN journey.message AS m"
        " ON m.customer_id = f.customer_id AND m.message_id = f.message_id"
        f" WHERE f.name = {text(name)})"
    )


def consent_rows(bound: ConsentTable, dialect: Dialect) -> str:
    """The rows of a consent table: customer_id, at, granted (never NULL)."""
    return (
        f"(SELECT {bound_value(bound.customer, dialect)} AS customer_id,"
        f" {dialect.cast(bound_value(bound.at, dialect), INSTANT)} AS at,"
        f" coalesce({bound_condition(bound.granted, dialect)}, FALSE) AS granted"
        f" FROM {table_name(bound.table)} AS t{_where(bound.only_where, dialect)})"
    )
