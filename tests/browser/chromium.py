"""Where the tests' browser is: one on the path, or else that of npm, unpacked once per user."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import platformdirs

HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# The package unpacks into the folder of temporary files, and says where the program lies then.
_UNPACK = """
import chromium from "@sparticuz/chromium";
chromium.setGraphicsMode = false;
console.log(await chromium.executablePath());
"""


class NoBrowserError(Exception):
    """There is none, and none can be had; the message says why."""


@cache
def executable() -> Path:
    """The program. Processes that ask at once unpack it once."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    lock = (HERE / "package-lock.json").read_bytes()
    folder = platformdirs.user_cache_path("journeylang-tests", appauthor=False)
    folder /= f"browser-{hashlib.sha256(lock).hexdigest()[:12]}"
    program = folder / "chromium"
    if program.exists():
        return program
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            raise NoBrowserError(f"there is no browser, and no {tool} to get one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not program.exists():
            _install(folder)
    return program


def _install(folder: Path) -> None:
    """Beside, and put into its place when it is whole."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, part)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _run(["npm", "ci", *quiet], part)
    (part / "unpack.mjs").write_text(_UNPACK, encoding="utf-8")
    _run(["node", "unpack.mjs"], part)
    (part / "chromium").chmod(0o755)
    shutil.rmtree(part / "node_modules")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NoBrowserError(f"`{' '.join(command)}` failed: {' '.join(last)}")
