"""``journey report``: what it prints, in each form, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.docs.fences import ROOT
from tests.report import shop
from tests.runtime.world import WELCOME, sql, write
from tests.runtime.world import make as small
from tests.schemas.validation import problems

pytestmark = pytest.mark.slow

SCHEMA = json.loads((ROOT / "docs/schemas/report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop.make(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def root(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", *arguments])


def test_text_has_a_heading_per_table_and_no_customer(root: Path) -> None:
    shown = report()
    assert shown.exit_code == 0, shown.output
    for heading in (
        "welcome  Say hello",
        "  entries",
        "  steps",
        "  messages by channel",
        "  not sent, by reason",
        "  caused by the journey: ordered within 2d, of customers",
        "  style: may it be judged",
        "  targets",
    ):
        assert f"\n{heading}\n" in shown.output
    assert "@" not in shown.output


def test_json_is_as_its_schema_says(root: Path) -> None:
    shown = report("welcome", "--output", "json", "--by", "many", "--every", "day")
    document = json.loads(shown.output)
    assert problems(document, SCHEMA) == []
    across = ("--channels", "--offers", "--base", "--customers", "--hypotheses")
    assert problems(json.loads(report("--output", "json", *across).output), SCHEMA) == []
    names = [table["name"] for table in document["parts"][0]["tables"]]
    assert len(names) == len(set(names))
    assert {"goal:1", "caused:1", "experiment:style:1:shares", "by:many", "over_time"} <= set(names)
    for table in document["parts"][0]["tables"]:
        for row in table["rows"]:
            assert list(row) == [column["name"] for column in table["columns"]]


def test_csv_has_one_figure_per_line_and_the_same_ones(root: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(report("welcome", "--output", "csv").output)))
    (reached,) = [
        line["value"]
        for line in lines
        if (line["table"], line["row"], line["figure"]) == ("goal:1", "in the journey", "reached")
    ]
    tables = json.loads(report("welcome", "--output", "json").output)["parts"][0]["tables"]
    (goal,) = [table for table in tables if table["name"] == "goal:1"]
    assert reached == str(goal["rows"][0]["reached"])
    assert {line["journey"] for line in lines} == {"welcome"}


def test_markdown_has_tables(root: Path) -> None:
    shown = report("--output", "markdown").output
    assert "## welcome: Say hello" in shown
    for table in re.findall(r"(?:^\|.*\|\n)+", shown, re.MULTILINE):
        assert len({re.sub(r"\\\|", "", line).count("|") for line in table.splitlines()}) == 1


def test_a_database_in_which_nothing_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small(tmp_path))
    shown = report()
    assert shown.exit_code > 0
    assert "nothing has run in `dev` yet: `journey run dev`" in shown.output


def test_a_journey_that_has_not_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shop.make(tmp_path)
    monkeypatch.chdir(root)
    again = WELCOME.replace("journey welcome", "journey second").replace("-2026", "-2027")
    write(root, {"welcome": shop.WELCOME, "second": again}, binding=shop.BOUND)
    shown = report()
    assert shown.exit_code == 0
    assert "`second` is not in the report: as it is written now it was not applied to `dev`" in (
        shown.output
    )


def test_a_table_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shop.make(tmp_path)
    monkeypatch.chdir(root)
    sql(root, "DROP TABLE shop.orders")
    shown = report()
    assert shown.exit_code == 2
    assert "the database refused a statement of the report" in shown.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("welcom",), "no journey `welcom`; did you mean `welcome`?"),
        (("--by", "manny"), "no segment and no field of the customers `manny`; did you mean"),
        (("--by", "email"), "`email` is personal data (`pii`), which stands in no report"),
        (("--control", "x"), "--control is of --drawn"),
        (("--drawn", "colour"), "no segment and no field of the customers `colour`"),
    ],
)
def test_what_is_refused(root: Path, arguments: tuple[str, ...], told: str) -> None:
    shown = report(*arguments)
    assert shown.exit_code == 2
    assert told in shown.output


def test_the_page_is_opened_in_a_browser(root: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n', encoding="utf-8")
    browser.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "journeylang", "report", "--open"],
        cwd=root,
        env={**os.environ, "BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert (tmp_path / "opened").read_text(encoding="utf-8") == path.as_uri()
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
