"""The hooks, by pre-commit itself: it clones, installs and runs them as for anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.git.sources import git, package, starter

CONFIG = """\
repos:
  - repo: {package}
    rev: {revision}
    hooks:
      - id: journey-fmt
      - id: journey-check
        args: [crm]
"""

pytestmark = pytest.mark.slow


def test_hooks(tmp_path: Path) -> None:
    source = package(tmp_path / "package")
    mine = starter(tmp_path / "mine")
    config = CONFIG.format(
        package=source.as_posix(), revision=git(source, "rev-parse", "HEAD").strip()
    )
    (mine / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    git(mine, "init", "--quiet")
    git(mine, "add", "--all")

    def hooks() -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never"],
            cwd=mine,
            env=environment | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )

    fine = hooks()
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert fine.stdout.count("Passed") == 2

    file = mine / "crm" / "journeys" / "welcome.journey"
    text = file.read_text(encoding="utf-8")
    # Another layout: it is put right, and the commit stopped for a look.
    file.write_text(text.replace("\n  owner", "\n        owner"), encoding="utf-8")
    done = hooks()
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert file.read_text(encoding="utf-8") == text
    # A binding that changes breaks a journey that has not.
    binding = mine / "crm" / "journeys" / "binding.journey"
    bound = binding.read_text(encoding="utf-8")
    assert "event signed_up" in bound
    binding.write_text(bound.replace("event signed_up", "event joined"), encoding="utf-8")
    done = hooks()
    assert done.returncode == 1
    assert "JRN101" in done.stdout
    assert "welcome.journey" in done.stdout
