"""What `journey doctor` finds in a project, and what it leaves alone."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.api import doctor as doctoring
from journeylang.cli.main import cli
from tests.engines.databases import ENGINES
from tests.runtime.world import CONFIG, HOUR, NOW, make, opened, sql, write


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *arguments])


def told(result: Result, health: str) -> list[str]:
    found = json.loads(result.output)["findings"]
    return [f"{one['text']} | {one['help']}" for one in found if one["health"] == health]


@pytest.mark.parametrize("engine", ENGINES)
def test_all_is_there(root: Path, engine: str) -> None:
    make(root, engine=engine)
    found = doctor("dev", "--output", "json")
    assert found.exit_code == 0, found.output
    assert told(found, "wrong") == []
    fine = "\n".join(told(found, "fine"))
    assert "project `shop`, 2 journeys" in fine
    assert "channels: email by file, sms by file" in fine
    assert "nothing was applied yet" in "\n".join(told(found, "note"))
    assert sql(root, "SELECT count(*) FROM crm.customers") == [(20,)]
    with opened(root, NOW - HOUR):
        pass
    found = doctor("--output", "json")
    assert "the binding is true of its tables" in "\n".join(told(found, "fine"))
    assert "applied" not in "\n".join(told(found, "note"))


def test_indexes_that_a_tick_would_like(root: Path) -> None:
    make(root, engine="postgres")
    lacking = told(doctor("--output", "json"), "hint")
    orders = 'CREATE INDEX CONCURRENTLY ON "shop"."orders" ("customer_id", "at")'
    assert f"`shop.orders` has no index that begins with customer_id | {orders}" in lacking
    for line in lacking:
        sql(root, f"{line.partition(' | ')[2].replace(' CONCURRENTLY', '')}; SELECT 1")
    assert told(doctor("--output", "json"), "hint") == []
    sql(root, "CREATE INDEX part ON crm.consents (status) WHERE status = 'in'; SELECT 1")
    sql(root, "CREATE VIEW crm.people AS SELECT * FROM crm.customers; SELECT 1")
    assert told(doctor("--output", "json"), "hint") == []


def test_an_index_of_an_expression_begins_with_no_column(root: Path) -> None:
    make(root, engine="postgres")
    sql(root, "CREATE INDEX ON shop.orders ((customer_id + 1), customer_id, at); SELECT 1")
    assert "`shop.orders` has no index that begins with customer_id" in "".join(
        told(doctor("--output", "json"), "hint")
    )


def test_the_index_of_a_table_in_parts_can_be_made_as_it_is_told(root: Path) -> None:
    make(root, engine="postgres")
    sql(root, "ALTER TABLE shop.orders RENAME TO old_orders; SELECT 1")
    sql(
        root,
        "CREATE TABLE shop.orders (LIKE shop.old_orders) PARTITION BY RANGE (at);"
        " CREATE TABLE shop.early PARTITION OF shop.orders FOR VALUES FROM (MINVALUE)"
        " TO ('2026-01-01'); CREATE TABLE shop.late PARTITION OF shop.orders DEFAULT; SELECT 1",
    )
    statements = [
        line.partition(" | ")[2]
        for line in told(doctor("--output", "json"), "hint")
        if "`shop.orders`" in line
    ]
    assert statements
    for statement in statements:
        assert "CONCURRENTLY" not in statement
        sql(root, f"{statement}; SELECT 1")
    assert "`shop.orders`" not in "".join(told(doctor("--output", "json"), "hint"))


def test_what_is_wrong_is_told_with_a_way_out(root: Path) -> None:
    make(root, engine="duckdb")
    postmark = (
        'email = { provider = "postmark", from = "a@shop.example", server_token = "env:NO_TOKEN" }'
    )
    config = CONFIG.replace('email = "file"', postmark).replace(', sms = "file"', "")
    write(root, config=config + '\n[env.prod]\ndatabase = "env:NO_SUCH_DATABASE"\n')
    sql(root, "ALTER TABLE shop.orders DROP COLUMN total")
    found = doctor("--output", "json")
    assert found.exit_code == 1
    wrong = "\n".join(told(found, "wrong"))
    assert "channel `email`" in wrong
    assert "set the variable in the environment of this process" in wrong
    assert "total" in wrong
    assert "NO_SUCH_DATABASE" in wrong
    assert "channels without a provider here: sms" in "\n".join(told(found, "note"))
    (root / "journeys" / "loyal.journey").write_text("journey {", encoding="utf-8")
    assert doctor().exit_code == 1


def test_without_a_project(root: Path) -> None:
    found = doctor()
    assert found.exit_code == 1
    assert "no journey.toml here or above" in found.output
    assert found.output.startswith("fine   journeylang ")


def test_an_environment_that_is_not_there(root: Path) -> None:
    make(root, engine="duckdb")
    found = doctor("prd")
    assert found.exit_code == 1
    assert "no environment `prd`" in found.output


def test_a_package_that_is_not_installed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a checkout on the path: there is no distribution to ask."""

    def none(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctoring, "requires", none)
    assert doctor().output.startswith("fine   journeylang ")
