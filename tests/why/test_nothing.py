"""``journey why`` where nothing has run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from tests.runtime.world import make, sql


def test_nothing_has_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path))
    result = CliRunner().invoke(cli, ["why", "1"])
    assert result.exit_code == 0
    assert result.output == "nothing has run in `dev` yet: `journey run dev`\n"
    there = sql(tmp_path, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'journey'")
    assert there == [(0,)], "asking changes nothing"
