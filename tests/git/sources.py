"""The package as a repository of its own, as those get it who name one: committed, nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PARTS = (
    *("src", "grammar", "journeys", "providers", ".ci"),
    *("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "action.yml"),
)


def git(folder: Path, *arguments: str) -> str:
    """Git's output; nobody's own settings, and no editor."""
    environment = os.environ | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@acme.example",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@acme.example",
    }
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    ).stdout


def committed(folder: Path) -> Path:
    """A new repository in `folder` of all that is there."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All of it")
    return folder


def package(folder: Path) -> Path:
    """The package's repository, made in `folder`."""
    folder.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return committed(folder)


def starter(folder: Path) -> Path:
    """A project as `journey init` makes it, in the folder `crm` of a repository."""
    from click.testing import CliRunner

    from journeylang.cli.main import cli

    folder.mkdir()
    done = CliRunner().invoke(cli, ["init", str(folder / "crm")])
    assert done.exit_code == 0, done.output
    return folder
