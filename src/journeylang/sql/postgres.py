"""PostgreSQL's spellings.

What may fail in one row goes through functions of schema `journey` (`postgres_functions`),
which answer NULL instead. They are chosen by the types of their arguments, for a bound
column's type is the database's own; most are a plain expression, which the planner puts in
their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.types import Kind, Type
from journeylang.sql.by_hand import for_postgres
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.postgres_functions import FUNCTIONS

_TEXT = 'TEXT COLLATE "C"'
# Each table is read by the customer; what else is read by has an index besides.
KEYS = {
    "meta_key": "meta (name)",
    "lock_key": "lock (name)",
    "run_key": "run (customer_id, run_id)",
    "exposure_key": "exposure (customer_id, experiment, salt)",
    "profile_key": "profile (customer_id, name)",
    "member_key": "member (customer_id, journey)",
    "version_key": "version (journey, version)",
    "step_key": "step (step)",
    "tick_key": "tick (tick)",
    "batch_key": "batch (batch_id)",
    "message_key": "message (message_id)",
    "promo_code_key": "promo_code (code)",
}
INDEXES = {
    "run_due": "run (journey, wake_at) WHERE status = 0",
    "run_waiting": "run (step) WHERE status = 0",
    "run_entered": "run (journey, entered_at)",
    "message_customer": "message (customer_id, decided_at)",
    "message_batch": "message (batch_id)",
    "message_decided": "message (decided_at)",
    "receipt_message": "receipt (message_id)",
    "receipt_customer": "receipt (customer_id)",
    "receipt_name": "receipt (provider_id) WHERE provider_id IS NOT NULL",
    "receipt_given_back": "receipt (message_id) WHERE given_back",
    "message_event_customer": "message_event (customer_id, message_id)",
    "message_event_at": 'message_event ("at")',
    "transition_customer": "transition (customer_id, run_id)",
    "decision_customer": "decision (customer_id, run_id)",
    "consent_change_customer": "consent_change (customer_id)",
    "preference_customer": "preference (customer_id)",
    "suppression_customer": "suppression (customer_id)",
    "suppression_address": "suppression (address_hash)",
    "budget_use_at": 'budget_use (budget, "at")',
    "budget_use_customer": "budget_use (customer_id)",
    "promo_code_customer": "promo_code (customer_id)",
    "pending_entry_customer": "pending_entry (customer_id)",
    "list_entry_value": "list_entry (list, value)",
    "prospect_value": "prospect (prospects, value)",
    "batch_open": "batch (batch_id) WHERE NOT done",
    "notice_open": "notice (not_before) WHERE state = 'open'",
    "notice_customer": "notice (customer_id)",
}
# Indexes of earlier versions that others do the work of.
REPLACED = ("run_wake",)
_CASTS = {
    Kind.INT: "to_int",
    Kind.NUMBER: "to_number",
    Kind.MONEY: "to_money",
    Kind.BOOL: "to_bool",
    Kind.DATE: "to_date",
    Kind.TIME: "to_time",
    Kind.INSTANT: "to_instant",
    Kind.DURATION: "to_duration",
}


def _parts_of(parts: Sequence[str]) -> str:
    """A table, or what it is divided into, as rows of pg_class AS p."""
    table = f"to_regclass({text('.'.join(quote(part) for part in parts))})"
    return (
        f"pg_class AS p WHERE (p.oid = {table}"
        f" OR p.oid IN (SELECT t.relid FROM pg_partition_tree({table}) AS t))"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres(Dialect):
    """PostgreSQL 14 and later, with a database in UTF-8."""

    name: Literal["duckdb", "postgres"] = "postgres"
    updates_rows: bool = True
    joins_exists: bool = False
    indexed: bool = True
    shared: bool = True
    wakes_straight: bool = True
    barrier: str = " OFFSET 0"

    # --- tables ---------------------------------------------------------------

    def is_table(self, parts: Sequence[str]) -> str:
        return f"SELECT count(*) > 0 FROM {_parts_of(parts)} AND p.relkind IN ('r', 'm', 'p')"

    def digest(self, key: str) -> str | None:
        return None

    def row_counts(self, parts: Sequence[str], rows: str, *, only: bool) -> str:
        # The server's statistics: a few seconds behind, and nothing is read for them.
        counted = ["p.oid", "p.relfilenode", "pg_stat_get_tuples_deleted(p.oid)"]
        if only:
            counted.append("pg_stat_get_tuples_updated(p.oid)")
        listed = f"concat_ws(' ', {', '.join(counted)})"
        return f"(SELECT string_agg({listed}, ', ' ORDER BY p.oid) FROM {_parts_of(parts)})"

    def foundation(self) -> Sequence[str]:
        return FUNCTIONS

    def alone(self, doing: str = "migrations") -> tuple[str, str] | None:
        # Not for a transaction: one that has waited still sees what was there before.
        which = f"(hashtext('journey.{doing}'))"
        return f"SELECT pg_advisory_lock{which}", f"SELECT pg_advisory_unlock{which}"

    @property
    def turn(self) -> str:
        # Real time: that of a transaction stands still.
        now = "extract(epoch FROM clock_timestamp())::DOUBLE PRECISION"
        takes, ahead = (f"{self.parameter(n)}::DOUBLE PRECISION" for n in ("takes", "ahead"))
        kept = "m.value::DOUBLE PRECISION"
        return f"""INSERT INTO journey.meta AS m (name, value)
VALUES ({self.parameter("name")}, ({now} + {takes})::TEXT)
ON CONFLICT (name) DO UPDATE SET value = (greatest({kept}, {now}) + {takes})::TEXT
WHERE {kept} <= {now} + {ahead}
RETURNING {kept} - {takes} - {now}"""

    def held(self, alias: str) -> str:
        return f" FOR SHARE OF {alias}"

    def own_schema(self) -> str:
        # Who may not create schemas is refused by IF NOT EXISTS even where it is there.
        return (
            "DO $own$ BEGIN IF to_regnamespace('journey') IS NULL THEN CREATE SCHEMA journey;"
            " END IF; END $own$"
        )

    def key_type(self, found: str) -> str:
        # How long a `character` is nobody says; alone it is a single one.
        return "text" if found.startswith("character") else found

    def stored_type(self, kind: str) -> str:
        # Text is ordered by code point, whatever the database's own order is.
        return kind.replace("VARCHAR", _TEXT).replace("TINYINT", "SMALLINT")

    def indexes(self) -> Sequence[str]:
        created = tuple(
            f"CREATE {unique}INDEX IF NOT EXISTS {name} ON journey.{on}"
            for unique, indexes in (("UNIQUE ", KEYS), ("", INDEXES))
            for name, on in indexes.items()
        )
        return (*(f"DROP INDEX IF EXISTS journey.{name}" for name in REPLACED), *created)

    def fresh_table(self, name: str, columns: str) -> str:
        listed = self.stored_type(columns)
        return f"DROP TABLE IF EXISTS pg_temp.{name};\nCREATE TEMP TABLE {name} ({listed})"

    def emptied_table(self, name: str, columns: Mapping[str, str]) -> str:
        # A table made anew in each tick would be a row in half a dozen catalogues each time.
        listed = ", ".join(f"{c} {self.stored_type(kind)}" for c, kind in columns.items())
        return f"CREATE TEMP TABLE IF NOT EXISTS {name} ({listed});\nTRUNCATE {name}"

    def measured(self, name: str) -> str:
        # It takes a table that it knows nothing of for a thousand rows, and sorts what it joins.
        return f";\nANALYZE {name}"

    # --- values ---------------------------------------------------------------

    def column_type(self, type_: Type) -> str:
        match type_.kind:
            case Kind.TEXT:
                return "TEXT"
            case Kind.NUMBER:
                return "DOUBLE PRECISION"
            case _:
                return Dialect.column_type(self, type_)

    def shift(self, instant: str, seconds: str) -> str:
        return f"({instant} + {seconds} * INTERVAL '1' SECOND)"

    def slice_start(self, instant: str, seconds: int, origin: str) -> str:
        return f"date_bin({self.interval(seconds)}, {instant}, CAST({origin} AS TIMESTAMP))"

    def cast(self, value: str, type_: Type) -> str:
        if type_.kind is Kind.TEXT:
            return self.as_text(value)
        return f"journey.{_CASTS[type_.kind]}({value})"

    def by_hand(self, sql: str, *, query: bool = False) -> str:
        return for_postgres(sql, query=query)

    def attempt(self, value: str) -> str:
        """There is no such thing: what can be named is total, what is written by hand is not."""
        return value

    def finite(self, value: str) -> str:
        return f"journey.finite({value})"

    def number(self, left: str, operator: str, right: str) -> str:
        name = {"+": "plus", "-": "minus", "*": "times", "/": "over"}[operator]
        return f"journey.{name}({left}, {right})"

    def whole(self, left: str, operator: str, right: str, type_: Type) -> str:
        return self.cast(f"(CAST({left} AS NUMERIC) {operator} {right})", type_)

    def moment(self, left: str, operator: str, right: str) -> str:
        return f"journey.{'later' if operator == '+' else 'earlier'}({left}, {right})"

    def ten_thousandths(self, money: str) -> str:
        return f"CAST({money} * 10000 AS DOUBLE PRECISION)"

    def money(self, ten_thousandths: str) -> str:
        return f"journey.money({ten_thousandths})"

    def total(self, of: str, only: str, type_: Type) -> str:
        if type_.kind is Kind.NUMBER:
            return f"journey.grown(coalesce(sum(journey.shrunk({of})){only}, 0))"
        return Dialect.total(self, of, only, type_)

    def double_sum(self, of: str, only: str, *, whole: bool) -> str:
        if whole:
            return Dialect.double_sum(self, of, only, whole=True)
        return f"journey.grown(sum(journey.shrunk({of})){only})"

    def whole_years(self, born: str, today: str) -> str:
        return f"CAST({Dialect.whole_years(self, born, today)} AS BIGINT)"

    def whole_quotient(self, dividend: str, divisor: str) -> str:
        return f"(({dividend}) / {divisor})"

    # --- text, hashes, JSON ---------------------------------------------------

    def as_text(self, value: str) -> str:
        return f'(CAST({value} AS TEXT) COLLATE "C")'

    def kept_text(self, value: str, type_: Type | None) -> str:
        if type_ is not None and type_.kind is Kind.NUMBER:
            return f"journey.number_text({value})"
        return self.as_text(value)

    def in_order(self, key: str) -> str:
        return f"journey.in_order({key})"

    def hash60(self, *parts: str) -> str:
        return f"CAST(CAST('x0' || substr({self.md5(*parts)}, 1, 15) AS BIT(64)) AS BIGINT)"

    def hex_number(self, digits: str) -> str:
        return f"CAST(CAST('x' || lpad({digits}, 16, '0') AS BIT(64)) AS BIGINT)"

    def letter(self, of: str, place: str) -> str:
        return f"substr({of}, CAST({place} AS INTEGER), 1)"

    def newest(self, value: str, *order: str, only: str = "") -> str:
        listed = ", ".join(f"{part} DESC" for part in order)
        return f"(array_agg({value} ORDER BY {listed}){only})[1]"

    def oldest(self, value: str, *order: str, only: str = "") -> str:
        return f"(array_agg({value} ORDER BY {', '.join(order)}){only})[1]"

    def json_object(self, items: Iterable[tuple[str, str]]) -> str:
        inside = ", ".join(f"{text(name)}, journey.as_json({value})" for name, value in items)
        return self.as_text(f"json_build_object({inside})")

    def json_array(self, items: Iterable[str]) -> str:
        return f"json_build_array({', '.join(f'journey.as_json({item})' for item in items)})"

    def json_with(self, document: str, name: str, value: str) -> str:
        return self.as_text(f"(journey.json({document}) || jsonb_build_object({name}, {value}))")

    def json_text(self, document: str, name: str) -> str:
        return f"journey.json_text({document}, {text(name)})"

    def contains(self, subject: str, part: str) -> str:
        return f"(strpos({subject}, {part}) > 0)"

    def list_has(self, values: str, value: str) -> str:
        return f"({value} = ANY ({values}))"


POSTGRES = Postgres()
