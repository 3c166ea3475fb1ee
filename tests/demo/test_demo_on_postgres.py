"""`journey demo --database`: the same shop and the same days, in a PostgreSQL database."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.demo import command
from journeylang.engines.postgres import PostgresEngine
from tests.engines.server import database as a_database
from tests.engines.server import new_database

SMALL = ("--customers", "300", "--days", "4", "--step", "12h")

pytestmark = pytest.mark.slow


def demo(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(command, list(arguments), env=environ)


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with closing(PostgresEngine.open(url)) as engine:
        return engine.query(sql)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Result]:
    root, url = tmp_path_factory.mktemp("demo") / "coffee", new_database()
    result = demo(str(root), *SMALL, "--database", "env:SHOP", SHOP=url)
    assert result.exit_code == 0, result.output
    return root, url, result


def told(result: Result) -> list[str]:
    """Without where and how fast: how many are called back in time is a matter of seconds."""
    timed = re.compile(r"^(All of it took|Delivered|database|journeys|messages  |  journey -C)")
    return [line for line in result.output.splitlines() if not timed.match(line)]


def test_it_tells_what_it_tells_on_duckdb(made: tuple[Path, str, Result], tmp_path: Path) -> None:
    other = demo(str(tmp_path / "coffee"), *SMALL)
    assert other.exit_code == 0, other.output
    assert told(made[2]) == told(other)
    assert re.search(r"^database +env:SHOP$", made[2].output, re.MULTILINE)


def test_the_project_names_the_database(made: tuple[Path, str, Result]) -> None:
    root, url, result = made
    settings = tomllib.loads((root / "journey.toml").read_text())
    assert settings["env"]["dev"]["database"] == "env:SHOP"
    assert not list(root.glob("*.duckdb"))
    decided = re.search(r"([\d,]+) messages decided", result.output)
    assert decided is not None
    number = int(decided[1].replace(",", ""))
    assert number > 0
    assert rows(url, "SELECT count(*) FROM journey.messages") == [(number,)]
    assert rows(url, "SELECT count(*) FROM crm.customers") == [(300,)]


@pytest.fixture
def url() -> Iterator[str]:
    with a_database() as url:
        yield url


def test_a_demo_that_is_there_is_made_anew_on_demand(url: str, tmp_path: Path) -> None:
    tiny = ("--customers", "50", "--days", "1", "--step", "12h", "--no-deliver")
    given = (*tiny, "--database", url)
    first = demo(str(tmp_path / "a"), *given)
    assert first.exit_code == 0, first.output
    again = demo(str(tmp_path / "b"), *given)
    assert again.exit_code == 1
    assert "--force" in again.output
    assert not (tmp_path / "b").exists()
    forced = demo(str(tmp_path / "a"), *given, "--force")
    assert forced.exit_code == 0, forced.output
    assert told(forced) == told(first)


@pytest.mark.parametrize("schema", ["crm", "shop", "journey"])
def test_what_others_have_made_stays(url: str, tmp_path: Path, schema: str) -> None:
    rows(url, f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.mine (a INT); SELECT 1")
    refused = demo(str(tmp_path / "x"), *SMALL, "--database", url, "--force")
    assert refused.exit_code == 1
    assert f"`{schema}`" in refused.output
    assert "name an empty database" in refused.output
    assert rows(url, f"SELECT count(*) FROM {schema}.mine") == [(0,)]
    assert not (tmp_path / "x").exists()


def test_addresses_that_are_none(tmp_path: Path) -> None:
    root = str(tmp_path / "x")
    secret = demo(root, "--database", "postgresql://me:hunter2@localhost/x")
    assert secret.exit_code == 2
    assert "hunter2" not in secret.output
    assert "env:DATABASE_URL" in secret.output
    assert demo(root, "--database", "shop.duckdb").exit_code == 2
    missing = demo(root, "--database", "env:NOT_THERE_AT_ALL")
    assert missing.exit_code == 2
    assert "NOT_THERE_AT_ALL" in missing.output
    gone = demo(root, "--database", "postgresql://nobody@/x?host=/nowhere")
    assert gone.exit_code == 1
    assert "can't be opened" in gone.output
    assert not (tmp_path / "x").exists()
