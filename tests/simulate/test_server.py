"""On PostgreSQL a dry run tells what it tells on DuckDB, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journeylang.api import Runtime, open_database
from journeylang.cli.main import cli
from journeylang.engines.base import Engine
from tests.engines.server import database
from tests.engines.test_running import VARIABLE, fill
from tests.runtime.world import BINDING, CONFIG, JOURNEYS, NOW, loaded, write

ASSUME = """
assume typical {
  opened 40% within 24h
  clicked of email 60% within 12h
  unsubscribed 4% within 12h
  signed_up 20% per 3d
  ordered after clicked 90% within 12h
}
segment tall = sql`select id from crm.customers where points > 50`
"""
TALL = """journey tall {
  owner "crm@shop.example"
  enter on ordered where customer in segment tall
  policy standard
  hello: send email "welcome/hello"
}
"""


def simulated(*more: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        cli, ["simulate", "--days", "3", "--step", "6h", "--output", "json", *more]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def prepared(root: Path, config: str) -> None:
    """The project with people in its database, who have come into their journeys."""
    write(root, {**JOURNEYS, "tall": TALL}, binding=BINDING + ASSUME, config=config)
    opened = open_database(loaded(root), "dev", create=True)
    assert opened.value is not None, opened.diagnostics
    fill(opened.value)
    opened.value.close()
    running = Runtime.open(loaded(root), "dev", now=NOW)
    assert running.value is not None, running.diagnostics
    with running.value as runtime:
        runtime.tick(NOW)


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of the database."""
    names = engine.query(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND table_schema IN ('crm', 'shop', 'journey')"
    )
    return {
        f"{schema}.{name}": sorted(engine.query(f'SELECT * FROM {schema}."{name}"'), key=str)
        for schema, name in names
    }


def test_both_databases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "duckdb", tmp_path / "postgres"
    # A file named as one of its schemas would be in the way of making them.
    prepared(here, CONFIG.replace("shop.duckdb", "store.duckdb"))
    monkeypatch.chdir(here)
    foreseen = simulated()
    assert foreseen["messages"] >= 20
    sending = {j["journey"] for j in foreseen["journeys"] if j["entered"]}
    assert sending == {"tall", "welcome"}
    with database() as address:
        monkeypatch.setenv(VARIABLE, address)
        prepared(there, CONFIG.replace("shop.duckdb", f"env:{VARIABLE}"))
        opened = open_database(loaded(there), "dev")
        assert opened.value is not None
        engine = opened.value
        before = everything(engine)
        monkeypatch.chdir(there)
        assert simulated() == foreseen
        assert simulated("--sample", "50%")["customers"] > 0
        assert everything(engine) == before
        engine.close()


def test_a_plan_on_a_server_tells_what_would_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database() as address:
        monkeypatch.setenv(VARIABLE, address)
        prepared(tmp_path, CONFIG.replace("shop.duckdb", f"env:{VARIABLE}"))
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "journeys/welcome.journey"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("settle: wait 1d", "settle: wait 90d"), encoding="utf-8")
        result = CliRunner().invoke(cli, ["plan", "--simulate", "2", "--output", "json"])
    assert result.exit_code == 0, result.output
    changed = {j["journey"]: j for j in json.loads(result.stdout)["journeys"]}["welcome"]
    volume = changed["volume"]
    assert volume["messages_before"] >= volume["messages_after"] > 0
    assert volume["basis"] == "simulated, assume typical"
