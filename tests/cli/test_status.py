"""``journey status``: where everybody is, what waits, what is doubtful."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.world import HOUR, NOW, make, opened, sql
from tests.schemas.validation import problems


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


@pytest.fixture
def ran(root: Path) -> Path:
    """Some messages delivered, some that wait, one of which nobody knows."""
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.deliver(NOW + HOUR)
        runtime.tick(NOW + 24 * HOUR)
        runtime.engine.execute(
            "INSERT INTO journey.receipt SELECT customer_id, message_id, 1, 'submitting',"
            f" TIMESTAMP '{NOW + 24 * HOUR}', NULL, NULL, NULL, FALSE FROM journey.message"
            " ORDER BY message_id DESC LIMIT 1"
        )
        runtime.engine.execute(
            "INSERT INTO journey.receipt SELECT customer_id, message_id, 1, 'unknown',"
            f" TIMESTAMP '{NOW + 24 * HOUR}', NULL, NULL, 'no answer', FALSE FROM journey.message"
            " ORDER BY message_id DESC LIMIT 1"
        )
    return root


SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/schemas/status.json").read_text(encoding="utf-8")
)


def status(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["status", *arguments])


def found() -> dict[str, Any]:
    result = status("--output", "json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.output)
    assert problems(answer, SCHEMA) == []
    return answer


def test_nothing_has_run(root: Path) -> None:
    result = status()
    assert (result.exit_code, result.output) == (
        0,
        "nothing has run in `dev` yet: `journey run dev`\n",
    )
    assert found() == {
        "format_version": 1,
        "now": None,
        "ticks": 0,
        "lag_seconds": None,
        "queued_since": None,
        "alarms": [],
        "paused": [],
        "paused_channels": [],
        "guards": [],
        "runs": [],
        "messages": [],
        "calls": [],
        "non_sends": [],
        "suppressed": [],
        "doubtful": [],
    }
    schemas = sql(root, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'journey'")
    assert schemas == [(0,)], "asking changes nothing"


def test_json(ran: Path) -> None:
    answer = found()
    assert answer["format_version"] == 1
    assert (answer["now"], answer["ticks"]) == ("2026-03-03T10:00:00", 2)
    people = {(r["journey"], r["step"], r["status"]): r["runs"] for r in answer["runs"]}
    there = sql(ran, "SELECT count(*) FROM journey.run")[0][0]
    assert sum(people.values()) == there
    assert people["welcome", "settle", "active"] == 18
    settled = next(r for r in answer["runs"] if r["step"] == "settle")
    assert settled["next_wake"] == "2026-03-03T11:00:00"
    assert settled["overdue"] == 0
    states = {r["state"]: r["messages"] for r in answer["messages"] if r["channel"] == "email"}
    assert states["unknown"] == 1
    assert states["queued"] > 0
    assert states["accepted"] > 0
    (doubt,) = answer["doubtful"]
    assert doubt["since"] == "2026-03-03T10:00:00"
    assert doubt["detail"] == "no answer"
    assert len(doubt["message"]) == 32
    assert "@" not in json.dumps(answer), "no personal data"


def test_text(ran: Path) -> None:
    result = status()
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0] == "2 ticks, the last at 2026-03-03 10:00 UTC"
    assert "welcome settle 18 2026-03-03 11:00" in lines
    assert "email unknown 1" in lines
    assert any(line.startswith("in doubt journey step channel since why") for line in lines)
    assert any(line.endswith("email 2026-03-03 10:00 no answer") for line in lines)


def test_tables_without_rows_are_not_shown(root: Path) -> None:
    with opened(root, NOW - HOUR):
        pass
    lines = status().output.split("\n")
    assert lines[0] == "0 ticks, the last at 2026-03-02 09:00 UTC"
    assert not any(lines[1:])


def test_no_database(root: Path) -> None:
    (root / "shop.duckdb").unlink()
    result = status()
    assert result.exit_code == 2
    assert "error[JRN801]" in result.stderr
    assert status("prod").exit_code == 1


WELL_KNOWN = """journey loyal {
  owner "crm@shop.example"
  enter on signed_up
  exit when count(ordered since entry) >= 2 as regular
  policy standard

  settle: wait 90d
}
"""


def test_verify_tells_whom_a_look_at_the_news_would_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rows of a table that is `append only` come a week late."""
    monkeypatch.chdir(make(tmp_path, {"loyal": WELL_KNOWN}))
    monkeypatch.setenv("COLUMNS", "160")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + 24 * 7 * HOUR)
        before = runtime.engine.query("SELECT * FROM journey.watermark")
    result = status("--verify")
    assert result.exit_code == 0, result.output
    assert "nobody" in result.output
    with opened(tmp_path, NOW) as runtime:
        who = runtime.engine.query("SELECT min(customer_id) FROM journey.run WHERE status = 0")[0][
            0
        ]
        for key in (9001, 9002):
            runtime.engine.execute(
                f"INSERT INTO shop.orders VALUES ({key}, {who}, TIMESTAMP '{NOW + 2 * HOUR}', 1)"
            )
    result = status("--verify", "--output", "json")
    assert result.exit_code == 1
    (verified,) = json.loads(result.output)["verified"]
    assert verified == {"journey": "loyal", "asks": "exits", "missed": 1, "customers": [str(who)]}
    with opened(tmp_path, NOW) as runtime:
        assert runtime.engine.query("SELECT * FROM journey.watermark") == before
        assert not runtime.engine.query("SELECT 1 FROM journey.run WHERE status <> 0")


PATIENT = """journey patient {
  owner "crm@shop.example"
  enter on signed_up
  policy standard

  settle: wait until count(ordered since entry) >= 2 up to 90d
}
"""


def test_verify_asks_waits_until_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path, {"patient": PATIENT}))
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + 24 * 7 * HOUR)
        who = runtime.engine.query("SELECT min(customer_id) FROM journey.run WHERE status = 0")
        for key in (9001, 9002):
            runtime.engine.execute(
                f"INSERT INTO shop.orders VALUES ({key}, {who[0][0]},"
                f" TIMESTAMP '{NOW + 2 * HOUR}', 1)"
            )
    result = status("--verify", "--output", "json")
    assert result.exit_code == 1, result.output
    (verified,) = json.loads(result.output)["verified"]
    assert (verified["asks"], verified["missed"]) == ("waits until a state", 1)
