"""``journey pause`` and ``journey resume``, and what ``status`` and ``run`` say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.world import HOUR, NOW, make, opened, sql


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def journey(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_paused_journey_is_shown_and_sends_nothing(root: Path) -> None:
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    queued = "SELECT count(*) FROM journey.messages WHERE journey = 'welcome' AND state = 'queued'"
    waiting = sql(root, queued)[0][0]
    assert waiting > 0
    result = journey("pause", "welcome", "--because", "the link is wrong")
    assert (result.exit_code, result.output) == (0, "`welcome` is paused\n")
    assert journey("pause", "welcome").output == "`welcome` was paused already\n"
    lines = [" ".join(line.split()) for line in journey("status").output.splitlines()]
    assert "welcome 2026-03-02 11:00 person the link is wrong" in lines
    (paused,) = json.loads(journey("status", "--output", "json").output)["paused"]
    assert (paused["journey"], paused["cause"]) == ("welcome", "person")
    with opened(root) as runtime:
        runtime.tick(NOW + 2 * HOUR)
        runtime.deliver(NOW + 2 * HOUR)
    assert sql(root, queued)[0][0] == waiting
    assert journey("resume", "welcome").output == "`welcome` goes on with the next tick\n"
    assert journey("resume", "welcome").output == "`welcome` is not paused\n"
    with opened(root) as runtime:
        runtime.deliver(NOW + 3 * HOUR)
    assert sql(root, queued) == [(0,)]


def test_a_journey_that_never_ran_cannot_be_paused(root: Path) -> None:
    with opened(root, NOW - HOUR):
        pass
    result = journey("pause", "welcme")
    assert result.exit_code == 2
    assert "no journey `welcme` has run in `dev`; did you mean `welcome`?" in result.stderr


def test_far_more_entries_than_usual_pause_the_journey(root: Path) -> None:
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        later = NOW + 20 * 24 * HOUR
        runtime.tick(later)
        runtime.engine.execute(
            f"INSERT INTO shop.signups SELECT 1000 + i, 1000 + i, TIMESTAMP '{later}', 'web'"
            " FROM range(1, 1002) AS r(i)"
        )
        runtime.engine.execute(
            "INSERT INTO crm.customers SELECT 1000 + i, 'UTC', NULL, NULL, 0"
            " FROM range(1, 1002) AS r(i)"
        )
        welcomed = "SELECT count(*) FROM journey.runs WHERE journey = 'welcome'"
        before = runtime.engine.query(welcomed)
        assert [name for name, _ in runtime.tick(later + HOUR).paused] == ["welcome"]
        after = runtime.engine.query(welcomed)
        assert before == after
        assert [p.code.id for p in runtime.problems if p.code.id == "JRN820"] == ["JRN820"]
        said = runtime.problems[-1].message
        assert "`welcome` is paused: 1,001 entries in 24 hours, the most before were 0" in said
    refused = "SELECT count(*) FROM journey.non_sends WHERE reason = 'guard'"
    assert sql(root, refused) == [(1001,)]
