"""SQL written by hand: what may stand there, and everything that somebody could try."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from journeylang.analysis import hatch
from journeylang.source import Span
from journeylang.syntax import nodes
from tests.analysis.project import checked

TABLES = frozenset({("crm", "customers"), ("shop", "orders"), ("guests",)})


def node(text: str) -> nodes.SqlHatch:
    start = 10
    whole = Span("x.journey", start - 4, start + len(text) + 1)
    inside = Span("x.journey", start, start + len(text))
    return nodes.SqlHatch(text=text, text_span=inside, span=whole)


def value(text: str) -> hatch.Written | hatch.Refused:
    return hatch.expression(node(text), "c", bare=False)


def members(text: str) -> hatch.Written | hatch.Refused:
    return hatch.query(node(text), TABLES)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute(
        "CREATE SCHEMA crm; CREATE SCHEMA shop;"
        "CREATE TABLE crm.customers (id INT, name VARCHAR, born DATE, since TIMESTAMP,"
        " points INT, data JSON);"
        "INSERT INTO crm.customers VALUES (1, 'Ada', '1990-02-28', '2026-01-01', 2147483647,"
        " '{\"x\": \"y\"}'), (2, 'x', NULL, NULL, 0, NULL);"
        "CREATE TABLE shop.orders (id INT, customer_id INT, total DECIMAL(10,2));"
        "INSERT INTO shop.orders VALUES (1, 1, 5), (2, 1, 7), (3, 2, 0);"
        "CREATE TABLE guests (id INT, customer_id INT);"
        "INSERT INTO guests VALUES (1, 2)"
    )
    return connection


VALUES = [
    "upper(c.name)",
    "trim(c.name) || '-' || c.points",
    "coalesce(nullif(c.name, ''), 'nobody')",
    "case when c.points > 5 then 'many' when c.points is null then 'none' else 'few' end",
    "case c.points when 0 then 'none' end",
    "if(c.points > 5, 'many', 'few')",
    "extract(week from c.since)",
    "year(c.born) + 1",
    "weekofyear(c.since)",
    "isodow(c.born)",
    "strftime(c.since, '%Y-%m')",
    "strptime(c.name, '%Y')",
    "date_trunc('month', c.since)",
    "date_diff('day', c.since, c.since)",
    "c.since + interval '1 day'",
    "cast(c.name as int)",
    "c.name::bigint",
    "cast(c.points as decimal(18, 4))",
    "c.points + 1",
    "c.points * c.points",
    "10 / c.points",
    "10 % c.points",
    "round(c.points / 3.0, 2)",
    "greatest(c.points, 1)",
    "c.name like 'A%' and not c.name ilike '%x' or c.points between 1 and 2",
    "c.name in ('a', 'b')",
    "c.name is not distinct from 'x'",
    "regexp_replace(c.name, '[^a-z]', '')",
    "regexp_matches(c.name, '^A')",
    "substring(c.name, 1, 2)",
    "split_part(c.name, '-', 1)",
    "c.data->>'$.x'",
    "length(c.name) -- how long",
    "/* a comment */ lower(c.name)",
    "'it''s'",
    "-c.points",
    '"c"."name"',
    "C.NAME",
]


@pytest.mark.parametrize("text", VALUES)
def test_expressions_that_may_stand(text: str, database: duckdb.DuckDBPyConnection) -> None:
    found = value(text)
    assert isinstance(found, hatch.Written), found
    database.execute(f"SELECT TRY({found.sql}) FROM crm.customers AS t").fetchall()
    assert functions(database, f"SELECT {found.sql} FROM crm.customers AS t") <= KNOWN


SELECTS = [
    "select id from crm.customers where points > 5",
    "select id from crm.customers where points + 1 > 5 and cast(name as int) = 7",
    "select o.customer_id from shop.orders as o join crm.customers c on c.id = o.customer_id",
    "select customer_id from shop.orders group by customer_id having sum(total) > 5",
    "select customer_id from shop.orders group by 1 having sum(total) / count(*) > 5",
    "select distinct customer_id from shop.orders",
    "select customer_id from shop.orders union all select customer_id from guests",
    "select id from crm.customers except select customer_id from shop.orders",
    "with big as (select customer_id from shop.orders where total > 5) select customer_id from big",
    "select id from crm.customers c where exists (select 1 from guests o where o.id = c.id)",
    "select id from crm.customers where id not in (select customer_id from shop.orders)",
    "select id from (select id, sum(total) as t from shop.orders group by 1) x where t > 5",
    "select customer_id from main.guests",
    "select id from crm.customers where points = (select max(points) from crm.customers)",
    "select c.id from crm.customers c left join guests o on o.id = c.id where o.id is null",
]


@pytest.mark.parametrize("text", SELECTS)
def test_selects_that_may_stand(text: str, database: duckdb.DuckDBPyConnection) -> None:
    found = members(text)
    assert isinstance(found, hatch.Written), found
    assert database.execute(found.sql).fetchall() is not None
    assert functions(database, found.sql) <= KNOWN | {"sum", "count_star", "max"}


KNOWN = {
    *("upper", "lower", "trim", "length", "substring", "split_part", "||", "regexp_replace"),
    *("regexp_matches", "date_part", "date_trunc", "date_diff", "+", "-", "*", "/", "%", "round"),
    *("greatest", "nullif", "year", "~~", "~~*", "!~~", "!~~*", "->>", "json_extract_string"),
    *("weekofyear", "isodow", "strftime", "strptime"),
    *("to_days", "trunc", "coalesce", "try"),
}


def functions(database: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Names of all functions, as DuckDB itself reads the statement."""
    row = database.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    assert not tree["error"], tree
    assert len(tree["statements"]) == 1
    return set(_functions(tree))


def _functions(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        if "function_name" in tree:
            yield tree["function_name"].lower()
        for inner in tree.values():
            yield from _functions(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _functions(inner)


@pytest.mark.parametrize(
    "text",
    [
        # Files, settings, the world outside.
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "pg_read_file('/etc/passwd')",
        "current_setting('x')",
        "nextval('shop.seq')",
        "pg_terminate_backend(1)",
        "pg_sleep(10)",
        "lo_import('/etc/passwd')",
        "query('drop table x')",
        # The clock and chance, under all their names.
        "now()",
        "current_date",
        "current_timestamp",
        "localtimestamp",
        "today()",
        "age(c.born)",
        "get_current_timestamp()",
        "transaction_timestamp()",
        "random()",
        "uuid()",
        "gen_random_uuid()",
        "cast('now' as timestamp)",
        "'today'::date",
        "date ' Tomorrow '",
        # More than one value, or more than an expression.
        "c.name, c.id",
        "c.name as x",
        "c.name; drop table crm.customers",
        "c.name;",
        "(select name from crm.customers)",
        "exists (select 1)",
        "c.id in (select 1)",
        "select 1",
        "unnest([1, 2])",
        "sum(c.points)",
        "count(*)",
        "*",
        "c.*",
        "columns('a')",
        "row_number() over ()",
        "upper(c.name) over ()",
        "generate_series(1, 1000000000)",
        # What makes much of little.
        "repeat(c.name, 1000000000)",
        "lpad(c.name, 1000000000, 'x')",
        "range(1000000000)",
        "list_transform([1], x -> x)",
        "[1, 2]",
        "{'a': 1}",
        "c.name[1]",
        "9 ** 999",
        # Other ways to write a value, and parameters of the statement around.
        "$now",
        "?",
        ":x",
        "@x",
        "e'\\x41'",
        "$$x$$",
        "x'ff'",
        # Other tables than the bound one, and rows by their number.
        "o.total",
        "name",
        "crm.customers.name",
        "c.rowid",
        "c.name collate nocase",
        "cast(c.name as mood)",
        "cast(c.name as timestamptz)",
        "cast(c.name as int[])",
        "c.since at time zone 'Europe/Berlin'",
        "any_value(c.name)",
        "hash(c.name)",
        "try(random())",
        "c.name ~ 'x' or nextval('x') > 0",
        "/* */",
        "",
        "'open",
        "upper(c.name",
        "(" * 200 + "1" + ")" * 200 + "x",
        "1" + " + 1" * 3_000,
        "'" + "x" * 10_001 + "'",
        "pragma x",
        "attach 'x'",
        "set x = 1",
    ],
)
def test_expressions_that_are_refused(text: str) -> None:
    found = value(text)
    assert isinstance(found, hatch.Refused), found
    told(found, text)


@pytest.mark.parametrize(
    "text",
    [
        # Files and functions instead of tables.
        "select a from read_csv('x.csv')",
        "select a from read_parquet(['x'])",
        "select content from read_text('/etc/passwd')",
        "select a from 'x.csv'",
        'select a from "x.csv"',
        "select a from shop.csv",
        'select a from shop."x/../../../etc/passwd.csv"',
        "select a from glob('*')",
        "select a from duckdb_secrets()",
        "select a from range(5)",
        "select a from pragma_table_info('x')",
        "select a from query('select 1')",
        "select a from query_table('crm.customers')",
        "select a from (values (1)) v(a)",
        "select a from unnest([1, 2]) t(a)",
        # Tables that are not the project's affair.
        "select customer_id from journey.run",
        "select customer_id from other.people",
        "select customer_id from guests_of_others",
        "select a from information_schema.tables",
        "select a from pg_catalog.pg_tables",
        "select a from duckdb_settings",
        "select a from memory.crm.customers",
        "select id from guests2",
        # A name that is none of a table where it is used.
        "select id from (with x as (select 1 as id) select id from x) y, x",
        'with "x.csv" as (select 1 as id) select id from "x.csv"',
        "with recursive x as (select 1 as id union all select id + 1 from x) select id from x",
        # Statements that do something, alone and behind another.
        "select id from crm.customers; drop table crm.customers",
        "select id from crm.customers;",
        "insert into shop.orders values (1) returning id",
        "delete from shop.orders returning id",
        "update shop.orders set id = 1 returning id",
        "with x as (delete from shop.orders returning id) select id from x",
        "with x as (insert into shop.orders values (1) returning id) select id from x",
        "select id into x from crm.customers",
        "select id from crm.customers for update",
        "create table x as select 1",
        "drop table crm.customers",
        "copy crm.customers to 'x'",
        "copy (select 1) to 'x'",
        "attach 'x' as y",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "set x = 1",
        "call pragma_version()",
        "explain select 1",
        "describe crm.customers",
        "checkpoint",
        "vacuum",
        "begin",
        "export database 'x'",
        "table crm.customers",
        "from crm.customers",
        # Chance, the clock, and the order of rows.
        "select id from crm.customers where random() < 0.5",
        "select id from crm.customers where since > now()",
        "select id from crm.customers where since > current_date",
        "select id from crm.customers limit 10",
        "select id from crm.customers order by id",
        "select id from crm.customers tablesample 10%",
        "select id from crm.customers using sample 5",
        "select id from crm.customers qualify row_number() over () = 1",
        "select row_number() over () from crm.customers",
        "select first(id) from crm.customers",
        "select distinct on (name) id from crm.customers",
        "select id from crm.customers where nextval('x') > 0",
        "select (select nextval('x'))",
        "select id from crm.customers where id = any(select pg_terminate_backend(1))",
        "select id from crm.customers where setseed(0.5) is null",
        # One column, of one row each.
        "select * from crm.customers",
        "select id, name from crm.customers",
        "select c.* from crm.customers c",
        "select columns('i.*') from crm.customers",
        "select unnest([1, 2])",
        "select generate_series(1, 10)",
        "select id from crm.customers, lateral (select 1)",
        "select id from crm.customers positional join shop.orders",
        "select id from crm.customers asof join shop.orders using (id)",
        "select id from crm.customers natural join shop.orders",
        "select id from crm.customers pivot (sum(points) for name in ('a'))",
        "select id from crm.customers group by all",
        "select id from crm.customers group by cube (id)",
        "select id from crm.customers at (version => 3)",
        "select id from crm.customers t(a)",
        "select /*+ x */ id from crm.customers where $now > since",
        "select id from crm.customers where since > ?",
        "select id from",
        "select",
        "",
        "-- nothing",
    ],
)
def test_selects_that_are_refused(text: str) -> None:
    found = members(text)
    assert isinstance(found, hatch.Refused), found
    told(found, text)


def told(refused: hatch.Refused, text: str) -> None:
    """At a place within the text, in the words of the project."""
    start, end = 10, 10 + len(text)
    assert refused.span.start >= start - 4
    assert refused.span.end <= end + 1
    assert not re.search(r"\b(you|your|we|our)\b", f"{refused.message} {refused.help}")
    assert not refused.message.endswith(".")


def test_a_refusal_points_at_what_is_refused() -> None:
    text = "upper(c.name) || read_text('x')"
    refused = value(text)
    assert isinstance(refused, hatch.Refused)
    assert refused.message == "the function `read_text` is not allowed in SQL here"
    at = text.index("read_text")
    assert (refused.span.start, refused.span.end) == (10 + at, 10 + len(text) - 1)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # 2147483647 + 1 does not fit, 'Ada' is no number, 10 / 0 is no number either.
        ("select id from crm.customers where points + 1 > 0", [2]),
        ("select id from crm.customers where cast(name as int) is null", [1, 2]),
        ("select id from crm.customers where 10 / points is null", [2]),
        ("select id from crm.customers where 10 % (points * 1) is null", [2]),
        ("select sum(points + 1) from crm.customers", [1]),
    ],
)
def test_no_row_stops_the_others(
    text: str, rows: list[int], database: duckdb.DuckDBPyConnection
) -> None:
    found = members(text)
    assert isinstance(found, hatch.Written)
    assert sorted(row[0] for row in database.execute(found.sql).fetchall()) == rows


def test_names_are_columns_and_never_functions() -> None:
    found = hatch.expression(node("user"), "c", bare=True)
    assert isinstance(found, hatch.Written)
    assert found.sql == '"t"."user"'


def test_of_more_pieces_than_a_project_may_have_one_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hatch, "MOST_PIECES", 2)
    text = "".join(
        f"segment s{n} = sql`select customer_id from shop.order_lines where id > {n}`\n"
        for n in range(4)
    )
    found, problems = checked(text)
    assert [problem.code.id for problem in problems] == ["JRN843"]
    assert "more than 2 pieces" in problems[0].message
    assert {"s2", "s3"}.isdisjoint(found.segments)
