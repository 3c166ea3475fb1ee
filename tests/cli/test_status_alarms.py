"""What ``journey status`` raises an alarm for, on both engines, and the guards that it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journeylang.api import open_database
from journeylang.cli.main import cli
from journeylang.runtime.alarms import late
from journeylang.runtime.pauses import paused
from tests.engines.databases import ENGINES
from tests.runtime.world import loaded
from tests.why.people import NOW, shop


@pytest.fixture(params=ENGINES)
def root(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    monkeypatch.setenv("COLUMNS", "120")
    with shop(tmp_path, monkeypatch, request.param) as made:
        yield made


def status(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["status", "--output", "json", *arguments])
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def change(root: Path, statement: str) -> None:
    opened = open_database(loaded(root), "dev")
    assert opened.value is not None
    opened.value.execute(statement)
    opened.value.close()


def test_alarms(root: Path) -> None:
    found = status()
    assert found["alarms"] == []
    assert [(g["guard"], g["figure"], g["judged"], g["holds"]) for g in found["guards"]] == [
        ("guard entries <= 100 over 1d", "1", True, True),
        ("guard bounce_rate < 1% over 7d", "0 of 7 messages", False, True),
        ("guard orders >= 1 over 30d", "1", True, True),
    ]
    assert isinstance(found["lag_seconds"], int)
    assert found["queued_since"] is None, "all is delivered"

    change(
        root,
        "INSERT INTO journey.suppression SELECT customer_id, 'email', NULL,"
        " TIMESTAMP '2026-03-07 15:00', 'hard_bounce' FROM journey.run WHERE status = 0",
    )
    assert status()["suppressed"] == [{"channel": "email", "reason": "hard_bounce", "count": 1}]

    late = "UPDATE journey.run SET wake_at = TIMESTAMP '2026-03-05 12:00' WHERE status = 0"
    change(root, late)
    (alarm,) = status(code=1)["alarms"]
    assert alarm == {
        "kind": "overdue",
        "journey": "welcome",
        "detail": "1 run waits at `welcome/settle` since 2026-03-05 12:00 UTC",
    }
    text = CliRunner().invoke(cli, ["status"]).output
    assert "ALARM: 1 run waits at `welcome/settle` since 2026-03-05 12:00 UTC" in text
    assert max(map(len, text.splitlines())) <= 120

    # Who is paused waits, and is meant to.
    CliRunner().invoke(cli, ["pause", "welcome"])
    assert status()["alarms"] == []
    change(root, "UPDATE journey.pause SET cause = 'guard', detail = 'guard entries <= 1: 9'")
    assert status(code=1)["alarms"] == [
        {
            "kind": "paused",
            "journey": "welcome",
            "detail": "`welcome` is paused by guard: guard entries <= 1: 9",
        }
    ]


def by_the_clock(root: Path, clock: datetime, most: timedelta) -> list[str]:
    opened = open_database(loaded(root), "dev")
    assert opened.value is not None
    try:
        return [a.detail for a in late(opened.value, NOW, clock, most, [*paused(opened.value)])]
    finally:
        opened.value.close()


def test_alarms_by_the_clock(root: Path) -> None:
    soon, hour = NOW + timedelta(minutes=5), timedelta(hours=1)
    assert by_the_clock(root, soon, hour) == []
    assert by_the_clock(root, NOW + 2 * hour, hour) == ["no tick since 2026-03-07 15:00 UTC"]
    change(root, "DELETE FROM journey.receipt WHERE \"at\" = TIMESTAMP '2026-03-07 15:00'")
    assert by_the_clock(root, soon, hour) == []
    assert by_the_clock(root, soon, timedelta(minutes=1)) == [
        "no tick since 2026-03-07 15:00 UTC",
        "messages that may go out wait since 2026-03-07 15:00 UTC",
    ]
    CliRunner().invoke(cli, ["pause", "welcome"])
    assert by_the_clock(root, soon, timedelta(minutes=1)) == ["no tick since 2026-03-07 15:00 UTC"]
