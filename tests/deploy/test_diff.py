"""What changed in meaning: since what is applied, and since a revision of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.test_apply import begun
from tests.runtime.world import JOURNEYS, WELCOME, write


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *arguments])


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    begun(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(root: Path) -> None:
    write(root, {**JOURNEYS, "welcome": WELCOME.replace("settle: wait 1d", "settle: wait 2d")})


def test_since_the_last_apply(root: Path) -> None:
    result = diff("--exit-code")
    assert (result.exit_code, result.stdout) == (0, "No changes: it means the same.\n")
    edit(root)
    result = diff()
    assert result.exit_code == 0
    assert "~ welcome " in result.stdout
    assert "~ settle  wait 1d -> 2d" in result.stdout
    assert "waiting" not in result.stdout
    assert diff("--exit-code").exit_code == 1


def test_since_a_revision(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "journeys", "templates", "journey.toml")
    git(root, "commit", "-qm", "first")
    edit(root)
    assert "wait 1d -> 2d" in diff("HEAD").stdout
    git(root, "add", "journeys")
    git(root, "commit", "-qm", "second")
    assert diff("HEAD", "--exit-code").exit_code == 0
    assert "wait 1d -> 2d" in diff("HEAD~1").stdout
    result = diff("nowhere")
    assert result.exit_code == 2
    assert "error[JRN508]" in result.stderr
    assert diff("--", "--output=x").exit_code == 2


def test_without_version_control(root: Path) -> None:
    result = diff("HEAD")
    assert result.exit_code == 2
    assert "error[JRN508]" in result.stderr
