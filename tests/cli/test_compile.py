"""``journey compile``: what is shown is what runs, and it is the same every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from journeylang.engines.base import Parameters
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.sql.script import laid_out
from tests.runtime.world import HOUR, JOURNEYS, NOW, Contents, contents, make, opened, orders, write

SEGMENTS = """segment rich "Spends much" = sum(ordered.total within 90d) >= 100 EUR
segment new = exists(signed_up within 7d) and not (customer in segment rich)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write(tmp_path, {**JOURNEYS, "segments": SEGMENTS}))
    return tmp_path


def emit(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["compile", *arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("what", ["sql", "plan", "ast"])
def test_the_same_text_whatever_the_hashes(root: Path, what: str) -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-m", "journeylang", "compile", "--emit", what],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert len(texts.pop()) > 1000


def test_sql_is_sql(root: Path) -> None:
    emit("--emit", "sql", "-o", "build")
    files = {path.name: path.read_text() for path in (root / "build").iterdir()}
    assert files.keys() == {
        "loyal.sql",
        "project.segments.sql",
        "project.shared.sql",
        "welcome.sql",
    }
    for text in files.values():
        assert all(sqlglot.parse(text, read="duckdb"))
    assert "-- segment rich" in files["project.segments.sql"]
    assert emit("--emit", "sql").output == "\n".join(files[name] for name in sorted_as_shown(files))


def sorted_as_shown(files: dict[str, str]) -> list[str]:
    return [
        "project.segments.sql",
        *sorted(files.keys() - {"project.segments.sql", "project.shared.sql"}),
        "project.shared.sql",
    ]


def test_plan_and_tree_are_json(root: Path) -> None:
    emit("--emit", "plan", "-o", "build/plan")
    plan = json.loads((root / "build/plan/welcome.plan.json").read_text())
    assert plan["format_version"] == 1
    assert plan["name"] == "welcome"
    emit("--emit", "ast", "-o", "build/ast")
    tree = json.loads((root / "build/ast/welcome.ast.json").read_text())
    assert (tree["format_version"], tree["file"]) == (1, "journeys/welcome.journey")


def test_trees_of_files_of_one_name(root: Path) -> None:
    (root / "journeys/more").mkdir()
    (root / "journeys/segments.journey").rename(root / "journeys/more/welcome.journey")
    emit("--emit", "ast", "-o", "build")
    trees = {p.relative_to(root / "build").as_posix() for p in (root / "build").rglob("*.json")}
    assert {"welcome.ast.json", "more/welcome.ast.json"} <= trees
    assert "rich" in (root / "build/more/welcome.ast.json").read_text()


def test_a_folder_that_cannot_be_written(root: Path) -> None:
    (root / "taken").write_text("a file")
    result = CliRunner().invoke(cli, ["compile", "-o", "taken/sql"])
    assert result.exit_code == 2
    assert "taken/sql" in result.stderr
    assert "internal" not in result.output


def world(root: Path) -> Contents:
    make(root)
    with opened(root, NOW - HOUR) as runtime:
        for n in (0, 1, 2, 24, 30, 50):
            if n == 30:
                runtime.engine.execute(orders(20, NOW + 29 * HOUR))
            runtime.tick(NOW + n * HOUR)
        return contents(runtime.engine)


def test_the_text_shown_means_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement is replaced by its text as `compile` lays it out."""
    meant = world(tmp_path / "meant")
    real = DuckDbEngine._run
    changed = 0

    def shown(self: DuckDbEngine, statement: str, parameters: Parameters | None) -> object:
        nonlocal changed
        text = laid_out(statement)
        changed += text != statement
        return real(self, text, parameters)

    monkeypatch.setattr(DuckDbEngine, "_run", shown)
    assert world(tmp_path / "shown") == meant
    assert changed > 100
