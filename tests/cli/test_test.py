"""``journey test``: what it prints, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.world import make

TESTS = """
test "nobody is let in without points" for loyal {
  given customer { email: "a@x.example", points: 49 }
  expect no send reward at 2026-03-02T10:00
  expect nothing else
}
test "fifty points are enough" for loyal {
  given customer { email: "a@x.example", points: 50 }
  given consent email_ok
  expect in morning at 2026-03-02T10:00
  expect send reward at 2026-03-03T08:00
}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(tmp_path))
    (tmp_path / "journeys/tests.journey").write_text(TESTS, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["test", *arguments])


def test_one_passes_and_one_fails(root: Path) -> None:
    result = run()
    assert result.exit_code == 1, result.output
    assert "passed  loyal: nobody is let in without points\n" in result.stdout
    _, failed = result.stdout.split("FAILED  loyal: fifty points are enough\n")
    assert "error[JRN861]: `reward` is expected to be sent at 2026-03-03T08:00" in failed
    assert "tests.journey:11:3" in failed
    assert "^ sent by email at 2026-03-03T09:00" in failed
    assert "2026-03-02T10:00  enters, comes to morning" in failed
    assert "1 failed, 1 passed in " in failed
    # Nothing was asked of the environment's database, nor written to it.
    assert not (root / "outbox").exists()


def test_only_those_with_the_words(root: Path) -> None:
    result = run("-k", "without")
    assert result.exit_code == 0, result.output
    assert "fifty" not in result.stdout
    assert "1 passed in " in result.stdout
    none = run("-k", "refund")
    assert (none.exit_code, none.stdout) == (2, "")
    assert "none of 2 tests has `refund`" in none.stderr


def test_what_is_not_reached(root: Path) -> None:
    result = run("--coverage", "--fail-under", "100", "-k", "without")
    assert result.exit_code == 1, result.output
    assert "reached 0 of 13 (0 %)\n" in result.stdout
    assert "journeys/loyal.journey:9  loyal/reward: sent\n" in result.stdout
    assert "less than 100 % of the journeys is reached" in result.stderr


def test_json(root: Path) -> None:
    result = run("--output", "json", "--coverage")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["format_version"], found["passed"], found["failed"]) == (1, 1, 1)
    failed = found["tests"][1]
    assert failed["failures"] == [
        {
            "message": "`reward` is expected to be sent at 2026-03-03T08:00",
            "found": "sent by email at 2026-03-03T09:00",
            "file": "journeys/tests.journey",
            "line": 11,
        }
    ]
    assert failed["timeline"][0] == "2026-03-02T10:00  enters, comes to morning"
    assert found["coverage"]["total"] == 13


def test_junit(root: Path) -> None:
    result = run("--output", "junit")
    assert result.exit_code == 1
    suites = ET.fromstring(result.stdout)  # noqa: S314 -- our own
    assert suites.attrib == {
        "name": "journey test",
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    (failure,) = suites.iter("failure")
    assert failure.text is not None
    assert "sent by email at 2026-03-03T09:00" in failure.text
    case = next(c for c in suites.iter("testcase") if c.find("failure") is not None)
    assert (case.get("name"), case.get("line")) == ("fifty points are enough", "7")


def test_a_project_without_tests(root: Path) -> None:
    (root / "journeys/tests.journey").unlink()
    result = run()
    assert result.exit_code == 0
    assert "no tests; write one" in result.stdout


def test_a_project_with_errors_is_not_tested(root: Path) -> None:
    (root / "journeys/tests.journey").write_text(TESTS.replace("loyal", "loyl"), encoding="utf-8")
    result = run()
    assert result.exit_code == 1
    assert "unknown journey `loyl`" in result.stderr
