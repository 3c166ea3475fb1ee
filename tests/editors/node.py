"""The extension with the packages of its lock, built once per user, lock and sources."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import platformdirs
import pytest

from tests.editors.textmate import EXTENSION

QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def run(command: list[str], folder: Path, given: str = "") -> str:
    """What a command prints. Fails with what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        input=given,
        env={k: v for k, v in os.environ.items() if k != "CI"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@cache
def packages() -> Path:
    """A folder with the `node_modules` of the lock.

    Without npm tests are skipped, in CI they fail.
    """
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            if os.environ.get("CI"):
                pytest.fail(f"there is no {tool}")
            pytest.skip(f"there is no {tool}")
    lock = (EXTENSION / "package-lock.json").read_bytes()
    folder = platformdirs.user_cache_path("journeylang-tests", appauthor=False)
    folder /= f"vscode-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(EXTENSION / name, part)
            run(["npm", "ci", *QUIET], part)
            part.rename(folder)
    return folder


def extension(folder: Path) -> Path:
    """The extension's sources in a new folder, with its packages beside them."""
    left_out = shutil.ignore_patterns("node_modules", "dist", "*.vsix")
    made = folder / "vscode"
    shutil.copytree(EXTENSION, made, ignore=left_out)
    (made / "node_modules").symlink_to(packages() / "node_modules")
    return made
