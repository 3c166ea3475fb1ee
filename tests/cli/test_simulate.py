"""``journey simulate``: what it prints, how it exits, and that nothing is changed by it."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.docs.fences import ROOT
from tests.runtime.world import opened
from tests.schemas.validation import problems
from tests.simulate.world import START, shop

SCHEMA = json.loads((ROOT / "docs/schemas/simulate.json").read_text(encoding="utf-8"))
FROM = ("--from", "2026-03-02T08:00")
SHORT = ("--days", "2", "--step", "6h")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shop(tmp_path, 60)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["simulate", *SHORT, *arguments], env={"COLUMNS": "100"})


def figures(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--output", "json")
    assert result.exit_code in (0, 1), result.output
    found = json.loads(result.stdout)
    assert problems(found, SCHEMA) == []
    assert isinstance(found, dict)
    return found


def files(root: Path) -> dict[str, str]:
    """Every file of a folder, by its content."""
    return {
        str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_twice_is_the_same_and_changes_nothing(root: Path) -> None:
    with opened(root, START) as runtime:
        runtime.tick(START)
    before = files(root)
    first, second = figures(), figures()
    assert files(root) == before
    assert first == second
    assert first["messages"] > 0
    assert first["from"] == "2026-03-02T08:00:00"
    assert figures("--seed", "5")["journeys"] != first["journeys"]
    # Another process has the database: it is told, and nothing happens.
    with opened(root, START):
        pass
    assert files(root).keys() == before.keys()


def test_what_is_told(root: Path) -> None:
    result = run(*FROM)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "2 days from 2026-03-02 08:00 UTC, 60 customers, seed 0; nothing was sent\n"
    )
    assert "assume typical: delivered of email 97%; " in result.stdout
    assert "no_consent" in result.stdout
    assert "ordered" not in {step["step"] for step in figures(*FROM)["journeys"][0]["steps"]}
    found = figures(*FROM)
    assert [j["journey"] for j in found["journeys"]] == ["loyal", "welcome"]
    sent = sum(day["messages"] for day in found["days"])
    assert sent == found["messages"] == sum(p["messages"] for p in found["providers"])
    assert {p["provider"] for p in found["providers"]} == {"file"}


def test_a_journey_alone(root: Path) -> None:
    found = figures("welcome", *FROM)
    assert [j["journey"] for j in found["journeys"]] == ["welcome"]
    assert found["notes"] == ["left out, also where they share caps and budgets: loyal"]
    result = run("welcom", *FROM)
    assert result.exit_code == 2
    assert "unknown journey `welcom`" in result.stderr
    assert "did you mean `welcome`?" in result.stderr


def test_it_goes_on_from_the_latest_tick(root: Path) -> None:
    with opened(root, START) as runtime:
        runtime.tick(START)
    result = run("--from", "2026-03-01")
    assert result.exit_code == 2
    assert "JRN871" in result.stderr
    assert "the journeys have come to 2026-03-02 08:00 UTC already" in result.stderr


def test_targets_decide_the_exit_code(root: Path) -> None:
    path = root / "journeys/welcome.journey"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  policy standard\n", "  policy standard\n  kpi sends >= 1\n"),
        encoding="utf-8",
    )
    result = run(*FROM)
    assert result.exit_code == 0, result.output
    path.write_text(
        text.replace(
            "  policy standard\n",
            "  policy standard\n  kpi sends >= 1000\n  guard entries <= 5 over 1d\n",
        ),
        encoding="utf-8",
    )
    result = run(*FROM)
    assert result.exit_code == 1
    targets = {target["target"]: target for target in figures(*FROM)["targets"]}
    assert targets["kpi sends >= 1000"]["met"] is False
    guard = targets["guard entries <= 5 over 1d"]
    assert guard["met"] is False
    assert guard["at"].startswith("2026-03-0")


def test_a_budget_that_is_too_small(root: Path) -> None:
    path = root / "journeys/binding.journey"
    text = path.read_text(encoding="utf-8")
    text = text.replace("consent: email_ok }", "consent: email_ok, cost: 0.01 EUR }")
    text = text.replace("  cap any", "  budget email 0.05 EUR then skip\n  cap any")
    path.write_text(text, encoding="utf-8")
    found = figures(*FROM)
    assert {t["kind"] for t in found["targets"] if not t["met"]} == {"budget"}
    assert found["cost"] == {"EUR": "0.0500"}
    lost = [
        s["not_sent"].get("budget", 0) for j in found["journeys"] for s in j["steps"] if "sent" in s
    ]
    assert sum(lost) > 0


def test_a_sample_has_intervals(root: Path) -> None:
    found = figures(*FROM, "--sample", "40%")
    entered = found["journeys"][1]["entered"]
    assert entered["low"] < entered["value"] < entered["high"]
    assert 30 <= found["customers"] <= 100
    result = run("--sample", "0%")
    assert result.exit_code == 2
    assert "is no part of the customers" in result.stderr


def test_several_sets_of_assumptions(root: Path) -> None:
    path = root / "journeys/binding.journey"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}assume worst {{ opened 0% }}\n", encoding="utf-8")
    result = run(*FROM)
    assert result.exit_code == 2
    assert "name one: `--assume typical|worst`" in result.stderr
    assert figures(*FROM, "--assume", "worst")["assumed"]["lines"] == ["opened 0%"]
    result = run("--assume", "worts")
    assert result.exit_code == 2
    assert "did you mean `worst`?" in result.stderr


def test_a_page_and_a_comment(root: Path) -> None:
    path = root / "journeys/welcome.journey"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("journey welcome {", 'journey welcome "<b>&" {'), encoding="utf-8")
    page = run(*FROM, "--budget", "0 EUR", "--output", "html")
    assert page.exit_code == 0, page.output
    outline = Outline()
    outline.feed(page.stdout)
    assert outline.open == []
    assert outline.seen["svg"] >= 3
    assert outline.seen["table"] > outline.seen["svg"]
    assert "<b>" not in page.stdout
    assert "prefers-color-scheme: dark" in page.stdout
    # Nothing is fetched: there is no address in it, and no script.
    assert "http:" not in page.stdout
    assert "https:" not in page.stdout
    assert outline.seen["script"] == outline.seen["link"] == outline.seen["img"] == 0
    for course in figures(*FROM, "--budget", "0 EUR")["journeys"]:
        assert f"{course['entered']} runs entered: " in page.stdout
    comment = run(*FROM, "--output", "markdown").stdout
    assert comment.startswith("### Dry run: ")
    assert comment.count("<details>") == comment.count("</details>") >= 3
    assert "| journey | entered | messages |" in comment


class Outline(HTMLParser):
    """Which elements there are, and which are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_behaviour_as_it_was(root: Path) -> None:
    with opened(root, START) as runtime:
        runtime.tick(START)
        runtime.engine.execute(
            """INSERT INTO journey.message BY NAME SELECT 1 AS customer_id, i AS message_id,
  0 AS batch_id, 1 AS run_id, 1 AS journey, 1 AS version, 1 AS step, i AS occurrence,
  'email' AS channel, FALSE AS counted, TIMESTAMP '2026-02-20' AS decided_at,
  TIMESTAMP '2026-02-27' AS expires_at FROM range(1000, 1010) AS r(i);
INSERT INTO journey.message_event BY NAME SELECT 1 AS customer_id, i AS message_id, 'x' AS provider,
  'o' || i AS event_id, 'opened' AS name, TIMESTAMP '2026-02-20 02:00' AS "at"
  FROM range(1000, 1004) AS r(i)"""
        )
    lines = figures("--fit", "30d")["assumed"]["lines"]
    # Four of ten were opened, two hours later; twice the mean is how long it may take.
    assert lines[0] == "opened of email 40% within 4h"
    # 39 orders of 60 customers in 30 days: once at most in the longest time in which few have one.
    assert lines[1:] == ["signed_up 23.3333% per 7d", "ordered 15.1667% per 7d"]
    result = run("--fit", "30d", "--assume", "typical")
    assert result.exit_code == 2
    assert "two answers to one question" in result.stderr


def test_the_load_is_held_against_the_rate(root: Path) -> None:
    path = root / "journey.toml"
    text = path.read_text(encoding="utf-8")
    slow = 'email = { provider = "smtp", rate = "1/h" }'
    path.write_text(text.replace('email = "file"', slow), encoding="utf-8")
    found = figures(*FROM)
    [mail] = [p for p in found["providers"] if p["provider"] == "smtp"]
    assert mail["seconds_at_rate"] >= 3600 * mail["peak"]
    assert [n for n in found["notes"] if n.startswith("smtp: what is decided by 2026-03-0")]


def test_an_experiment_without_a_goal_tells_whom_it_exposes(root: Path) -> None:
    found = {e["experiment"]: e for e in figures(*FROM)["experiments"]}
    assert set(found) == {"holdout", "style"}
    assert {arm["arm"] for arm in found["style"]["arms"]} == {"plain", "bold"}
    assert found["style"]["lifts"] == []
    assert "no power can be told: the journey has no goal" in " ".join(run(*FROM).stdout.split())


def test_the_way_is_chosen_and_told(root: Path) -> None:
    both = figures(*FROM)
    assert both["mode"] == "stepped"
    assert both["stepped_because"] == "several journeys share their customers"
    refused = run(*FROM, "--mode", "closed")
    assert refused.exit_code == 2
    assert "JRN872" in refused.stderr
    assert "because several journeys share their customers" in " ".join(refused.stderr.split())
    alone = figures("welcome", *FROM)
    assert (alone["mode"], alone["idle_ticks"]) == ("closed", None)
    stepped = figures("welcome", *FROM, "--mode", "stepped")
    told = {"mode", "stepped_because", "idle_ticks"}
    assert {k: v for k, v in alone.items() if k not in told} == {
        k: v for k, v in stepped.items() if k not in told
    }
    assert "each life at once" in run("welcome", *FROM).stdout


def test_budgets_are_told_over_time(root: Path) -> None:
    path = root / "journeys/binding.journey"
    text = path.read_text(encoding="utf-8")
    text = text.replace("consent: email_ok }", "consent: email_ok, cost: 0.01 EUR }")
    text = text.replace("  cap any", "  budget email 5 EUR per 30d\n  cap any")
    path.write_text(text, encoding="utf-8")
    found = figures(*FROM)
    [budget] = found["budgets"]
    assert (budget["amount"], budget["currency"], budget["channel"]) == (5, "EUR", "email")
    spent = [day["amount"] for day in budget["spent"]]
    assert spent == sorted(spent)
    assert f"{spent[-1]:.4f}" == found["cost"]["EUR"]
