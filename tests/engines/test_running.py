"""A whole project on PostgreSQL: the same people, messages and non-sends as on DuckDB."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from journeylang.api import Runtime, open_database
from journeylang.cli.main import cli
from journeylang.engines.base import DatabaseUnavailableError, Engine
from journeylang.engines.postgres import PostgresEngine
from tests.engines.server import database, server
from tests.runtime.world import CONFIG, HOUR, NOW, SCHEMAS, TABLES, loaded, write

PEOPLE = 60
VARIABLE = "SHOP_DATABASE"
TICKS = [NOW + n * HOUR for n in (1, 2, 12, 24, 25, 48, 49, 80, 24 * 9)]


def fill(engine: Engine) -> None:
    """Customers with consents and sign-ups, and orders of every second one."""
    for statement in f"{SCHEMAS};{TABLES}".split(";"):
        engine.execute(statement)
    zones = ("Europe/Berlin", "America/New_York", "Nowhere", None)
    ids = range(1, PEOPLE + 1)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "crm.customers": [
            (
                *(i, zones[i % 4], f"p{i}@shop.example"),
                *(f"+4915100{i}" if i % 3 else None, 60 if i % 5 == 0 else 10),
            )
            for i in ids
        ],
        "crm.consents": [(i, datetime.fromisoformat("2026-01-01"), "in") for i in ids if i % 7],
        "shop.signups": [(i, i, NOW + i % 60 * timedelta(minutes=1), "web") for i in ids],
        "shop.orders": [
            (i, i, NOW + 26 * HOUR, Decimal(900 if i % 6 == 0 else 20)) for i in ids if i % 2 == 0
        ],
    }
    for table, there in rows.items():
        columns = engine.columns(table.split("."))
        assert columns is not None
        engine.insert(table, columns, there)


def shop(root: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> Path:
    """The project in a folder, its database named by a variable, with people in it."""
    write(root, config=CONFIG.replace("shop.duckdb", f"env:{VARIABLE}"))
    monkeypatch.setenv(VARIABLE, address)
    opened = open_database(loaded(root), "dev", create=True)
    assert opened.value is not None, opened.diagnostics
    fill(opened.value)
    opened.value.close()
    return root


VIEWS = {
    "runs": "customer_id, run_id, journey, version, step, arrived_at, wake_at, status, reason",
    "messages": "customer_id, message, journey, step, channel, decided_at, expires_at, state",
    "non_sends": 'customer_id, journey, step, "at", reason, run_id',
    "exposures": 'customer_id, journey, experiment, arm, "at", run_id',
    "history": 'customer_id, journey, "at", from_step, to_step, why, run_id, tick',
}


def run(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Tick and deliver; what the views show afterwards."""
    opened = Runtime.open(loaded(root), "dev", now=NOW)
    assert opened.value is not None, opened.diagnostics
    with opened.value as runtime:
        for instant in TICKS:
            runtime.tick(instant)
            assert runtime.deliver(instant).failed == 0
        return {
            name: sorted(runtime.engine.query(f"SELECT {columns} FROM journey.{name}"), key=str)
            for name, columns in VIEWS.items()
        }


def test_the_same_on_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = run(shop(tmp_path / "one", monkeypatch, "here.duckdb"))
    with database() as url:
        there = run(shop(tmp_path / "two", monkeypatch, url))
    for name, rows in here.items():
        assert rows, name
        assert there[name] == rows, name


def journey(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database() as url:
        monkeypatch.chdir(shop(tmp_path, monkeypatch, url))
        assert '"ticks": 0' in journey("status", "--output", "json")
        assert "12 entered" in journey("run", "--now", f"{NOW + HOUR:%Y-%m-%dT%H:%M}")
        assert "paused" in journey("pause", "welcome")
        assert "welcome" in journey("status")
        journey("resume", "welcome")
        sql = journey("compile")
        assert "journey.to_instant(" in sql
        assert "TRY_CAST" not in sql


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hush@localhost:1/shop",
        "postgresql://me:hush@[/shop",
        "postgresql://me:hush@localhost:hush/shop?x=hush",
        "postgres://me@/shop?host=/nowhere&password=hush",
    ],
)
def test_a_server_that_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(write(tmp_path, config=CONFIG.replace("shop.duckdb", f"env:{VARIABLE}")))
    monkeypatch.setenv(VARIABLE, address)
    result = CliRunner().invoke(cli, ["run"])
    assert result.exit_code == 2
    assert "error[JRN801]" in result.output
    assert "journey.toml:5:" in result.output
    assert "hush" not in result.output


def test_a_database_that_is_not_in_utf8() -> None:
    with database() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        with pytest.raises(DatabaseUnavailableError, match="LATIN1"):
            PostgresEngine.open(server().url("old"))
        connection.execute("DROP DATABASE old")


def test_the_planner_is_told_of_many_rows() -> None:
    """Taken for small, two tables would be joined row by row."""
    with database() as url:
        engine = PostgresEngine.open(url)
        engine.execute("CREATE TEMP TABLE trail (a INTEGER)")
        tuples = "SELECT reltuples FROM pg_class WHERE oid = to_regclass('trail')"
        engine.execute("INSERT INTO trail SELECT n FROM generate_series(1, 10) AS s(n)")
        assert engine.query(tuples) == [(-1,)]
        engine.execute("INSERT INTO trail\nSELECT n FROM generate_series(1, 1000) AS s(n)")
        assert engine.query(tuples) == [(1010,)]
        engine.insert("trail", {"a": "INTEGER"}, [(n,) for n in range(1000)])
        assert engine.query(tuples) == [(2010,)]
        engine.close()


def test_a_role_that_may_only_use_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database() as url:
        root = shop(tmp_path, monkeypatch, url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE lowly LOGIN; CREATE SCHEMA journey AUTHORIZATION lowly")
            connection.execute(
                "GRANT USAGE ON SCHEMA crm, shop TO lowly;"
                " GRANT SELECT ON ALL TABLES IN SCHEMA crm, shop TO lowly"
            )
        monkeypatch.setenv(VARIABLE, url.replace("journeylang@", "lowly@"))
        try:
            assert run(root)["messages"]
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP OWNED BY lowly CASCADE; DROP ROLE lowly")
