"""The programmes are complete: checked, tested, rehearsed, and each with its page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang import resources
from journeylang.cli.main import cli
from tests.docs.programmes import SOURCE, names
from tests.examples.outfitter import warehouse

PROGRAMMES = names()


def journey(root: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["-C", str(root), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outfitter") / "project"
    shutil.copytree(SOURCE, root)
    return root


def test_there_is_one_for_each_programme() -> None:
    assert len(PROGRAMMES) == 17
    assert (resources.journeys() / "programmes" / "journey.toml").is_file()


def test_nothing_is_found(project: Path) -> None:
    assert "checked 21 files: nothing found" in journey(project, "check")
    assert "21 as they should be" in journey(project, "fmt", "--check")


@pytest.mark.slow
def test_the_tests_reach_everything(project: Path) -> None:
    told = json.loads(journey(project, "test", "--fail-under", "100", "--output", "json"))
    assert {one["journey"] for one in told["tests"]} == set(PROGRAMMES)
    assert all(one["passed"] for one in told["tests"])


@pytest.mark.slow
def test_all_of_them_in_a_dry_run(project: Path) -> None:
    """As assumed, a month: each programme has somebody in it."""
    warehouse(project / "outfitter.duckdb")
    told = json.loads(
        journey(
            project,
            *("simulate", "--from", "2026-03-02T00:00", "--days", "33", "--step", "1d"),
            *("--output", "json"),
        )
    )
    empty = {one["journey"] for one in told["journeys"] if not one["entered"]}
    # Nobody has been written to for half a year yet, and few write reviews.
    assert empty <= {"sunset", "referral"}
