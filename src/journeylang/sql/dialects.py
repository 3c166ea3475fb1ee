"""What differs between databases, one spelling per dialect.

Statements are written in the subset that DuckDB and PostgreSQL share, and everything
outside of it goes through a method here: generated SQL never passes a transpiler (the
md5 bucket, zones, intervals and QUALIFY come out of one wrong, without an error).
Instants are TIMESTAMP without zone, in UTC; the session's zone is UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.types import Kind, Type


def quote(name: str) -> str:
    """An identifier, always quoted: a bare column `at` is a syntax error on DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


# Kept as what they are: as texts they could be compared with none of the tables. All others can.
_KEY_TYPES = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    *("FLOAT", "DOUBLE", "UUID", "BOOLEAN", "BLOB"),
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """DuckDB's spellings; another engine overrides what it writes otherwise."""

    name: Literal["duckdb", "postgres"] = "duckdb"
    # Whether a row that changes is updated in place, or deleted and inserted again.
    updates_rows: bool = False
    # Whether an EXISTS below a CASE is a join too, and not asked row by row.
    joins_exists: bool = True
    # Whether the runtime's own tables have indexes: to find one row is cheaper than to count all.
    indexed: bool = False
    # Whether several processes may have the database at once.
    shared: bool = False
    # Whether the runs that wake may be joined on in the statement that finds them. DuckDB 2.0.0
    # fails, and takes the database with it, where texts of a table come to a join's build side by
    # way of outer joins (INTERNAL Error: dict-surviving join).
    wakes_straight: bool = False
    # Behind a subquery whose columns are asked for often: where they would else be written out, and
    # worked out, at each place.
    barrier: str = ""

    def foundation(self) -> Sequence[str]:
        """Statements that create what expressions rest on; again they change nothing."""
        return ()

    def alone(self, doing: str = "migrations") -> tuple[str, str] | None:
        """Statements between which no other process does the same.

        None where a single process has the database anyway.
        """
        return None

    @property
    def turn(self) -> str | None:
        """{name, takes, ahead} -> seconds until a turn of `takes` seconds begins; no row if that is
        more than `ahead`.

        None where a single process has the database anyway.
        """
        return None

    def held(self, alias: str) -> str:
        """What makes a SELECT's rows of a table stay as they are until the transaction ends.

        Nothing where a single process has the database anyway.
        """
        return ""

    def own_schema(self) -> str:
        """A statement that creates the schema `journey`, if it is missing."""
        return "CREATE SCHEMA IF NOT EXISTS journey"

    def key_type(self, found: str) -> str:
        """The type in which the runtime keeps keys that the database calls that."""
        kind = found.upper()
        return kind if kind in _KEY_TYPES or kind.startswith("DECIMAL(") else "VARCHAR"

    def stored_type(self, kind: str) -> str:
        """The type of a column of the runtime's own tables; or a list of columns with types."""
        return kind

    def indexes(self) -> Sequence[str]:
        """Statements that create keys and indexes of the runtime's own tables."""
        return ()

    def fresh_table(self, name: str, columns: str) -> str:
        """A statement that makes a temporary table, whatever was there by that name."""
        return f"CREATE OR REPLACE TEMP TABLE {name} ({columns})"

    def emptied_table(self, name: str, columns: Mapping[str, str]) -> str:
        """The same of a table whose columns are always these."""
        return self.fresh_table(name, ", ".join(f"{c} {kind}" for c, kind in columns.items()))

    def is_table(self, parts: Sequence[str]) -> str:
        """A query of one truth: the database counts the rows of what is called so."""
        schema = parts[-2] if len(parts) > 1 else "main"
        where = [f"lower(table_name) = lower({text(parts[-1])})"]
        # `a.b` may be a schema and a table, or a database and a table.
        where.append(f"lower({text(schema)}) IN (lower(schema_name), lower(database_name))")
        if len(parts) > 2:
            where.append(f"lower(database_name) = lower({text(parts[-3])})")
        return f"SELECT count(*) > 0 FROM duckdb_tables() WHERE {' AND '.join(where)}"

    def row_counts(self, parts: Sequence[str], rows: str, *, only: bool) -> str:
        """A text, another one when rows of a table have gone: cheap, whatever the table's size.

        `rows`: those of the table that count; `only`: not all of them do. It may also be another
        one when none have.
        """
        return f"(SELECT CAST(count(*) AS VARCHAR) FROM {rows})"

    def digest(self, key: str) -> str | None:
        """An aggregate, another one for other keys; None where `row_counts` tells all there is."""
        return f"bit_xor(hash({key}))"

    def measured(self, name: str) -> str:
        """Behind the statements that fill a small table: lets the planner know how small."""
        return ""

    def parameter(self, name: str) -> str:
        return f"${name}"

    def instant(self, value: datetime) -> str:
        return f"TIMESTAMP '{value.replace(tzinfo=None).isoformat(sep=' ')}'"

    def interval(self, seconds: int) -> str:
        return f"INTERVAL '{seconds}' SECOND"

    def shift(self, instant: str, seconds: str) -> str:
        """`instant` moved by an expression in whole seconds."""
        return f"({instant} + to_seconds({seconds}))"

    def slice_start(self, instant: str, seconds: int, origin: str) -> str:
        """The first instant of the slice of so many seconds in which an instant lies.

        One of them begins at `origin`.
        """
        origin = f"CAST({origin} AS TIMESTAMP)"
        return f"time_bucket({self.interval(seconds)}, {instant}, {origin})"

    def literal(self, value: object, type_: Type) -> str:
        """A constant of the language as SQL."""
        match value:
            case None:
                return f"CAST(NULL AS {self.column_type(type_)})"
            case bool():
                return "TRUE" if value else "FALSE"
            case Decimal() if type_.kind is Kind.MONEY:
                return f"CAST({text(format(value, 'f'))} AS {self.column_type(type_)})"
            case float() | Decimal():
                return f"CAST({text(str(value))} AS {self.column_type(type_)})"
            case int() if type_.kind is Kind.DURATION:
                return self.interval(value)
            case int():
                return f"CAST({value} AS {self.column_type(type_)})"
            case datetime():
                return self.instant(value)
            case date():
                return f"DATE '{value.isoformat()}'"
            case time():
                return f"TIME '{value.isoformat()}'"
            case str():
                return text(value)
            case _:
                raise AssertionError(f"no literal for {value!r}")

    def column_type(self, type_: Type) -> str:
        match type_.kind:
            case Kind.TEXT:
                return "VARCHAR"
            case Kind.INT:
                return "BIGINT"
            case Kind.NUMBER:
                return "DOUBLE"
            case Kind.BOOL:
                return "BOOLEAN"
            case Kind.DATE:
                return "DATE"
            case Kind.TIME:
                return "TIME"
            case Kind.INSTANT:
                return "TIMESTAMP"
            case Kind.DURATION:
                return "INTERVAL"
            case Kind.MONEY:
                return "DECIMAL(18,4)"

    def cast(self, value: str, type_: Type) -> str:
        """`value` as `type_`; what does not fit is unknown, never an error."""
        return f"TRY_CAST({value} AS {self.column_type(type_)})"

    def by_hand(self, sql: str, *, query: bool = False) -> str:
        """SQL of somebody's own, which is DuckDB's: an expression or a SELECT."""
        return sql if query else self.attempt(sql)

    def attempt(self, value: str) -> str:
        """`value`, or unknown where computing it overflows."""
        return f"TRY({value})"

    def finite(self, value: str) -> str:
        """A number, or unknown where it grew beyond all bounds."""
        for beyond in ("Infinity", "-Infinity", "NaN"):
            value = f"nullif({value}, CAST('{beyond}' AS DOUBLE))"
        return value

    def number(self, left: str, operator: str, right: str) -> str:
        """Two doubles added, subtracted, multiplied or divided; may be infinite."""
        return f"({left} {operator} {right})"

    def whole(self, left: str, operator: str, right: str, type_: Type) -> str:
        """Exact values added, subtracted or multiplied; unknown where they grow too large."""
        return self.cast(self.attempt(f"({left} {operator} {right})"), type_)

    def moment(self, left: str, operator: str, right: str) -> str:
        """Instants and durations added or subtracted."""
        return self.attempt(f"({left} {operator} {right})")

    def total(self, of: str, only: str, type_: Type) -> str:
        """Aggregate: a sum, 0 of nothing; unknown if it is too large. `only` is a FILTER."""
        # Sums are wider than what is summed, so only the cast back can overflow.
        return self.cast(f"coalesce(sum({of}){only}, 0)", type_)

    def double_sum(self, of: str, only: str, *, whole: bool) -> str:
        """Aggregate: a sum as a double, maybe infinite; `whole` if it is one of whole numbers."""
        return f"CAST(sum({of}){only} AS {self.column_type(Type(kind=Kind.NUMBER))})"

    def in_calendar(self, value: str, type_: Type) -> str:
        """A date or an instant, or unknown outside of the years 1 to 9999."""
        first, last = date.min, date.max
        if type_.kind is Kind.INSTANT:
            first, last = datetime.min, datetime.max  # noqa: DTZ901 - instants are naive here
        low, high = (self.literal(edge, type_) for edge in (first, last))
        return f"CASE WHEN {value} BETWEEN {low} AND {high} THEN {value} END"

    def ten_thousandths(self, money: str) -> str:
        """Money as a whole number of its least unit: a double that ties are exact in."""
        return f"CAST({money} * 10000 AS DOUBLE)"

    def money(self, ten_thousandths: str) -> str:
        """The way back, ties to even."""
        return self.cast(f"(round_even({ten_thousandths}, 0) / 10000)", Type(kind=Kind.MONEY))

    def phone_number(self, value: str) -> str:
        """Digits, with a plus for the country code; NULL if there are none."""
        bare = f"regexp_replace({value}, '[^0-9+]', '', 'g')"
        return f"nullif(regexp_replace({bare}, '^00', '+'), '')"

    def whole_years(self, born: str, today: str) -> str:
        """Birthdays since a date of birth; of one on 29 February, 1 March in common years."""

        def part(name: str, of: str) -> str:
            return f"extract({name} FROM {of})"

        days = [f"({part('month', day)} * 100 + {part('day', day)})" for day in (born, today)]
        early = f"CASE WHEN {days[1]} < {days[0]} THEN 1 ELSE 0 END"
        years = f"{part('year', today)} - {part('year', born)} - {early}"
        return f"CASE WHEN {born} <= {today} THEN {years} END"

    def full_hour(self, hour: str) -> str:
        """The TIME at which an hour of the day (0 to 23) begins."""
        return f"make_time(CAST({hour} AS INTEGER), 0, 0)"

    def whole_quotient(self, dividend: str, divisor: str) -> str:
        """Of two whole numbers that are not negative, rounded down."""
        return f"(({dividend}) // {divisor})"

    def hash60(self, *parts: str) -> str:
        """The first 15 hex digits of md5 over the parts joined by ':', as a big integer."""
        joined = " || ':' || ".join(parts)
        return f"CAST('0x' || substr(md5({joined}), 1, 15) AS BIGINT)"

    def md5(self, *parts: str) -> str:
        """All 32 hex digits of md5 over the parts joined by ':'."""
        joined = " || ':' || ".join(parts)
        return f"md5({joined})"

    def hex_number(self, digits: str) -> str:
        return f"CAST('0x' || {digits} AS BIGINT)"

    def letter(self, of: str, place: str) -> str:
        """One letter of a text, counted from 1."""
        return f"substr({of}, {place}, 1)"

    def as_text(self, value: str) -> str:
        return f"CAST({value} AS VARCHAR)"

    def kept_text(self, value: str, type_: Type | None) -> str:
        """A value of the language as the text under which it is kept."""
        return self.as_text(value)

    def in_order(self, key: str) -> str:
        """A key as it is ordered: text by code point."""
        return key

    def bucket(self, salt: str, key: str) -> str:
        """0 to 9999, the same on every engine and in Python (`stats` of semantics §5)."""
        return self.drawn(text(salt), key)

    def drawn(self, salt: str, key: str) -> str:
        """The bucket under a salt that is itself an expression."""
        return f"({self.hash60(salt, self.as_text(key))} % 10000)"

    def newest(self, value: str, *order: str, only: str = "") -> str:
        """Aggregate: `value` of the row that is last by `order`, unknown included.

        `only` is a FILTER, with a blank before it.
        """
        return f"arg_max_null({value}, ({', '.join(order)})){only}"

    def oldest(self, value: str, *order: str, only: str = "") -> str:
        """Aggregate: `value` of the row that is first by `order`, unknown included."""
        return f"arg_min_null({value}, ({', '.join(order)})){only}"

    def json_object(self, items: Iterable[tuple[str, str]]) -> str:
        """A JSON object as text; NULL members stay as null."""
        inside = ", ".join(f"{text(name)}, {value}" for name, value in items)
        return f"CAST(json_object({inside}) AS VARCHAR)"

    def json_array(self, items: Iterable[str]) -> str:
        """A JSON list as a member of another document; unknown items are null."""
        return f"json_array({', '.join(items)})"

    def json_list(self, items: str, order: str) -> str:
        """Aggregate: JSON texts as one JSON list, as text; never NULL."""
        return f"('[' || coalesce(string_agg({items}, ',' ORDER BY {order}), '') || ']')"

    def json_with(self, document: str, name: str, value: str) -> str:
        """A JSON text (or nothing) with one more member; the name is an expression too."""
        member = f"json_object({name}, {value})"
        return f"CAST(json_merge_patch(coalesce({document}, '{{}}'), {member}) AS VARCHAR)"

    def as_json(self, document: str) -> str:
        """A JSON text as a member of another document."""
        return f"CAST({document} AS JSON)"

    def json_text(self, document: str, name: str) -> str:
        """A member of a JSON object as text, NULL if absent or null."""
        return f"json_extract_string({document}, {text('$.' + quote(name))})"

    def contains(self, subject: str, part: str) -> str:
        return f"contains({subject}, {part})"

    def starts_with(self, subject: str, part: str) -> str:
        return f"starts_with({subject}, {part})"

    def list_has(self, values: str, value: str) -> str:
        """Whether an array has a value."""
        return f"list_contains({values}, {value})"


DUCKDB = Dialect()
