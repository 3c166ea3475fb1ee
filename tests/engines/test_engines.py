"""What the runtime may ask of every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from journeylang.engines.base import Engine, StatementError
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.engines.postgres import PostgresEngine
from tests.engines.server import database

AT = datetime.fromisoformat("2026-03-29T01:30:00.000007")


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "duckdb":
        yield DuckDbEngine.open(":memory:")
        return
    with database() as url:
        opened = PostgresEngine.open(url)
        yield opened
        opened.close()


def one(engine: Engine, sql: str, **parameters: Any) -> Any:
    [[value]] = engine.query(f"SELECT {sql}", parameters)
    return value


def test_parameters_are_named_and_may_be_left_out_or_given_twice(engine: Engine) -> None:
    rows = engine.query(
        "SELECT CAST($a AS BIGINT) + CAST($b AS BIGINT) + CAST($a AS BIGINT)",
        {"a": 1, "b": 10, "c": 100},
    )
    assert rows == [(12,)]


def test_a_statement_that_comes_again_means_what_the_tables_are_by_then(engine: Engine) -> None:
    insert, read = "INSERT INTO seen VALUES ($a)", "SELECT * FROM seen ORDER BY 1"
    for kind, values in (("BIGINT", [1, 2]), ("VARCHAR", ["a", "it's"])):
        engine.execute("DROP TABLE IF EXISTS seen")
        engine.execute(f"CREATE TABLE seen (value {kind})")
        assert [engine.execute(insert, {"a": value}) for value in values] == [1, 1]
        assert engine.query(read) == [(value,) for value in values]
    engine.execute("DROP TABLE seen")
    for _ in range(2):
        with pytest.raises(StatementError, match="seen"):
            engine.query(read)


@pytest.mark.parametrize("text", ["$a", "100 %", "%s", "it's $a", 'a "$a"', "\\n", "ä🎁"])
def test_texts_are_no_parameters(engine: Engine, text: str) -> None:
    quoted = text.replace("'", "''")
    assert one(engine, f"'{quoted}' || CAST($a AS VARCHAR)", a="!") == text + "!"
    assert one(engine, "CAST($a AS VARCHAR)", a=text) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", 2**63 - 1),
        ("VARCHAR", ""),
        ("BOOLEAN", False),
        ("TIMESTAMP", AT),
        ("DATE", date(2024, 2, 29)),
        ("TIME", time(23, 59, 59, 999999)),
        ("DECIMAL(18,4)", Decimal("99999999999999.9999")),
    ],
)
def test_values_come_out_as_they_went_in(engine: Engine, kind: str, value: object) -> None:
    assert one(engine, f"CAST($a AS {kind})", a=value) == value
    assert one(engine, f"CAST($a AS {kind})", a=None) is None
    engine.execute(f"CREATE TEMP TABLE kept (k {kind})")
    engine.insert("kept", {"k": kind}, [(value,), (None,)])
    assert engine.query("SELECT k FROM kept ORDER BY k IS NULL") == [(value,), (None,)]


def test_rows_written_are_counted(engine: Engine) -> None:
    assert engine.execute("CREATE TEMP TABLE t (a INTEGER)") == 0
    assert engine.execute("INSERT INTO t VALUES (1), (2), (3)") == 3
    assert engine.execute("UPDATE t SET a = 0 WHERE a > 1") == 2
    assert engine.execute("DELETE FROM t WHERE a = 0") == 2
    assert engine.execute("DELETE FROM t WHERE a = 0") == 0


def test_a_transaction_is_kept_whole_or_not_at_all(engine: Engine) -> None:
    engine.execute("CREATE TABLE t (a INTEGER)")
    with engine.transaction():
        engine.execute("INSERT INTO t VALUES (1)")

    def refused() -> None:
        with engine.transaction():
            engine.execute("INSERT INTO t VALUES (2)")
            engine.execute("INSERT INTO nothing VALUES (2)")

    def interrupted() -> None:
        with engine.transaction():
            engine.execute("INSERT INTO t VALUES (3)")
            raise KeyboardInterrupt

    with pytest.raises(StatementError):
        refused()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert engine.query("SELECT a FROM t") == [(1,)]


def test_a_refusal_is_one_line_with_its_statement(engine: Engine) -> None:
    with pytest.raises(StatementError) as refused:
        engine.query("SELECT nothing FROM nowhere")
    assert "nowhere" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.statement == "SELECT nothing FROM nowhere"


def test_a_second_connection_sees_what_is_committed(engine: Engine) -> None:
    engine.execute("CREATE TABLE t (a INTEGER)")
    beside = engine.beside()
    with engine.transaction():
        engine.execute("INSERT INTO t VALUES (1)")
        assert beside.query("SELECT a FROM t") == []
    assert beside.query("SELECT a FROM t") == [(1,)]
    beside.close()


def test_rows_are_streamed_in_lists(engine: Engine) -> None:
    engine.execute("CREATE TABLE t (a INTEGER)")
    engine.insert("t", {"a": "INTEGER"}, [(n,) for n in range(25)])
    found = engine.stream("SELECT a FROM t WHERE a < $most ORDER BY a", {"most": 21}, size=10)
    assert [len(rows) for rows in found] == [10, 10, 1]


def test_tables_and_queries_are_described(engine: Engine) -> None:
    engine.execute('CREATE SCHEMA "a b"')
    engine.execute('CREATE TABLE "a b"."c ""d" (id BIGINT, "at" TIMESTAMP)')
    described = engine.columns(("a b", 'c "d'))
    assert described is not None
    assert list(described) == ["id", "at"]
    assert engine.columns(("a b", "other")) is None
    assert engine.columns(("nowhere", "t")) is None
    shape = engine.shape("SELECT 1 AS n, 'x' AS \"a b\"")
    assert list(shape) == ["n", "a b"]
    assert engine.dialect.key_type(shape["n"]).upper() == "INTEGER"


def test_the_session_is_in_utc(engine: Engine) -> None:
    instant = "CAST(CAST('2026-03-29 01:30:00+02' AS TIMESTAMPTZ) AS TIMESTAMP)"
    assert one(engine, instant) == datetime.fromisoformat("2026-03-28T23:30")
