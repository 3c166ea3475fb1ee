"""Plans in files, applies, what `run` executes, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.test_apply import everything
from tests.runtime.world import (
    BINDING,
    CONFIG,
    HOUR,
    JOURNEYS,
    NOW,
    TEMPLATES,
    WELCOME,
    make,
    sql,
    write,
)

PROD = CONFIG.replace("[env.dev]", "[env.prod]")
CHANGED = {**JOURNEYS, "welcome": WELCOME.replace("settle: wait 1d", "settle: wait 2d")}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make(tmp_path)
    write(tmp_path, config=PROD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verb(*arguments: str, hours: int = 1) -> Result:
    at = ["--now", str(NOW + hours * HOUR)] if arguments[0] in ("plan", "apply", "run") else []
    return CliRunner().invoke(cli, [*arguments, *at])


def done(*arguments: str, hours: int = 1) -> str:
    result = verb(*arguments, hours=hours)
    assert result.exit_code == 0, result.output + result.stderr
    return result.stdout


def refused(result: Result, code: str, exit_code: int = 1) -> None:
    assert result.exit_code == exit_code, result.output
    assert f"error[{code}]" in result.stderr


def begun(root: Path) -> None:
    """Applied before anybody signed up, and ticked once."""
    done("apply", "prod", hours=-1)
    done("run", "prod")


def versions(root: Path) -> list[tuple[str, int]]:
    return sql(root, "SELECT name, max(version) FROM journey.version GROUP BY name ORDER BY 1")


def test_nothing_runs_before_it_is_applied(root: Path) -> None:
    refused(verb("run", "prod"), "JRN506", 2)
    assert "runs revision 1" in done("apply", "prod", hours=-1)
    assert "entered" in done("run", "prod")


def test_what_runs_is_what_was_applied(root: Path) -> None:
    begun(root)
    ends = "SELECT DISTINCT wake_at - arrived_at FROM journey.runs WHERE step = 'settle'"
    was = sql(root, ends)
    write(root, CHANGED, config=PROD)
    result = verb("run", "prod", hours=2)
    assert result.exit_code == 0
    assert "warning[JRN507]" in result.stderr
    assert versions(root) == [("loyal", 1), ("welcome", 1)]
    assert sql(root, ends) == was
    done("apply", "prod", hours=2)
    assert versions(root) == [("loyal", 1), ("welcome", 2)]
    assert sql(root, ends) != was
    assert "JRN507" not in verb("run", "prod", hours=3).stderr


def test_templates_are_those_that_were_applied(root: Path) -> None:
    begun(root)
    write(root, templates={**TEMPLATES, "welcome/thanks.email.txt": "Other\n"}, config=PROD)
    sql(root, f"INSERT INTO shop.orders VALUES (1, 1, TIMESTAMP '{NOW + 26 * HOUR}', 5)")
    verb("run", "prod", hours=50)
    sent = "".join(p.read_text("utf-8") for p in (root / "outbox").rglob("*") if p.is_file())
    assert "Other" not in sent


def test_a_saved_plan_is_what_is_applied(root: Path) -> None:
    begun(root)
    write(root, CHANGED, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    # Whatever the files say by then.
    write(root, {**JOURNEYS, "welcome": WELCOME.replace("wait 1d", "wait 9d")}, config=PROD)
    done("apply", "plan.json", hours=2)
    found = sql(root, "SELECT plan FROM journey.version ORDER BY version DESC LIMIT 1")[0][0]
    (settle,) = [p for p in json.loads(found)["parks"] if p["path"] == "settle"]
    assert settle["until"]["days"] == 2


def test_a_plan_of_nothing_that_ran_yet(root: Path) -> None:
    done("plan", "prod", "-o", "plan.json")
    done("apply", "prod", "plan.json")
    assert versions(root) == [("loyal", 1), ("welcome", 1)]


def test_a_plan_from_which_the_database_has_moved_on(root: Path) -> None:
    begun(root)
    write(root, CHANGED, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    done("apply", "prod")
    before = everything(root)
    refused(verb("apply", "prod", "plan.json"), "JRN505")
    assert everything(root) == before


def test_more_people_at_a_step_are_no_reason(root: Path) -> None:
    begun(root)
    write(root, CHANGED, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    sql(root, "DELETE FROM journey.run WHERE customer_id = 1")
    done("apply", "prod", "plan.json")


def test_people_where_the_plan_saw_nobody(root: Path) -> None:
    done("apply", "prod", hours=-1)
    gone = WELCOME.replace("settle: wait 1d", "calm: wait 1d")
    write(root, {**JOURNEYS, "welcome": gone + "moved in welcome: settle -> calm\n"}, config=PROD)
    done("plan", "prod", "--out", "plan.json", hours=0)
    done("run", "prod")
    refused(verb("apply", "prod", "plan.json"), "JRN505")


def test_a_plan_that_was_edited(root: Path) -> None:
    begun(root)
    write(root, CHANGED, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    text = (root / "plan.json").read_text("utf-8")
    (root / "plan.json").write_text(text.replace("wait 2d", "wait 3d"), "utf-8")
    refused(verb("apply", "prod", "plan.json"), "JRN503")


def test_a_plan_for_another_database(root: Path) -> None:
    begun(root)
    write(root, CHANGED, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    sql(root, "UPDATE journey.meta SET value = 'another' WHERE name = 'identity'")
    refused(verb("apply", "prod", "plan.json"), "JRN504")
    # It is told before anything is said of what the binding does not find there.
    sql(root, "ALTER TABLE shop.orders RENAME TO elsewhere")
    refused(verb("apply", "prod", "plan.json"), "JRN504")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format_version": 9}', "\ud800", "[" * 99999])
def test_a_file_that_is_no_plan(root: Path, text: str) -> None:
    (root / "plan.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    refused(verb("apply", "prod", "plan.json"), "JRN502")


def test_a_file_that_is_not_there(root: Path) -> None:
    refused(verb("apply", "prod", "nowhere.json"), "JRN502")


def test_an_apply_that_would_strand_people(root: Path) -> None:
    begun(root)
    before = everything(root)
    write(root, {**JOURNEYS, "welcome": WELCOME.replace("settle:", "calm:")}, config=PROD)
    refused(verb("apply", "prod"), "JRN501")
    assert verb("plan", "prod", "--out", "plan.json").exit_code == 1
    assert not (root / "plan.json").exists()
    assert everything(root) == before


def test_back_to_what_was(root: Path) -> None:
    begun(root)
    ends = "SELECT run_id, wake_at FROM journey.runs WHERE step = 'settle' ORDER BY 1"
    was = sql(root, ends)
    write(root, CHANGED, config=PROD)
    done("apply", "prod", hours=1)
    assert sql(root, ends) != was
    assert "wait 2d -> 1d" in done("plan", "prod", "--revision", "1", hours=1)
    assert "runs revision 3" in done("apply", "prod", "--revision", "1", hours=1)
    assert sql(root, ends) == was
    listed = json.loads(done("versions", "prod", "--output", "json"))["revisions"]
    assert [r["revision"] for r in listed] == [3, 2, 1]
    assert [r["changed"] for r in listed] == [["welcome"], ["welcome"], ["loyal", "welcome"]]
    assert listed[0]["digest"] == listed[2]["digest"]
    assert "welcome v3" in done("versions", "prod")
    refused(verb("apply", "prod", "--revision", "9"), "JRN508", 2)


def test_nothing_of_where_the_database_is_stays_in_it(root: Path) -> None:
    begun(root)
    kept = sql(root, "SELECT string_agg(content, '') FROM journey.source")[0][0]
    assert "shop.duckdb" not in kept
    assert "customers from crm.customers" in kept


def test_parameters_are_part_of_what_is_applied(root: Path) -> None:
    asking = {"loyal": JOURNEYS["loyal"].replace("loyal {", "loyal(gap: int) {")}
    asking["loyal"] = asking["loyal"].replace(">= 50", ">= gap")
    config = PROD + "\n[env.prod.parameters]\ngap = 50\n"
    write(root, asking, config=config)
    done("apply", "prod", hours=-1)
    write(root, asking, config=config.replace("50", "5"))
    result = verb("run", "prod")
    assert "JRN507" in result.stderr
    assert sql(root, "SELECT count(*) FROM journey.run") == [(4,)]
    assert "when customer.points >= gap (other values)" in done("plan", "prod")


def test_lists_of_people_are_told_apart(root: Path) -> None:
    (root / "lists").mkdir()
    (root / "lists/fair.csv").write_text("customer_id\n1\n2\n", "utf-8")
    listed = BINDING + 'segment fair = in list "lists/fair.csv"\n'
    asking = {
        "loyal": JOURNEYS["loyal"].replace("customer.points >= 50", "customer in segment fair")
    }
    write(root, asking, binding=listed, config=PROD)
    done("plan", "prod", "--out", "plan.json")
    (root / "lists/fair.csv").write_text("customer_id\n1\n2\n3\n", "utf-8")
    refused(verb("apply", "prod", "plan.json"), "JRN505")
    done("apply", "prod", hours=-1)
    kept = sql(root, "SELECT content FROM journey.source WHERE content LIKE 'customer_id%'")
    assert kept == [("customer_id\n",)], "the head line alone"
    write(root, {"loyal": asking["loyal"].replace("09:00", "10:00")}, binding=listed, config=PROD)
    assert verb("run", "prod").exit_code == 0
    assert sql(root, "SELECT count(*) FROM journey.run") == [(3,)]
