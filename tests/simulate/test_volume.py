"""`journey plan` can tell by dry runs what a change does to what is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from tests.runtime.world import opened
from tests.simulate.world import START, shop


def test_a_plan_tells_what_would_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(tmp_path, 60)
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path, START) as runtime:
        runtime.tick(START)
    path = tmp_path / "journeys/welcome.journey"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("settle: wait 1d", "settle: wait 90d"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["plan", "--simulate", "2", "--output", "json"])
    assert result.exit_code == 0, result.output
    changed = {j["journey"]: j for j in json.loads(result.stdout)["journeys"]}["welcome"]
    volume = changed["volume"]
    assert volume["days"] == 2
    assert volume["messages_before"] >= volume["messages_after"] > 0
    assert volume["basis"] == "simulated, assume typical"
