"""Breaks the program in one place after the other, and sees that tests turn red.

    python -m tests.mutation [--only caps] [--engine duckdb]

Exits with 1 where a mutant survives, or where its text is no longer in its file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
PARTS = ("src", "tests", "grammar", "providers", "journeys", "pyproject.toml", "README.md")


LONGEST = 600
"""Seconds that the tests of a mutant may take."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file or text has this in it")
    parser.add_argument("--engine", default="duckdb", help="tests with this in their name")
    given = parser.parse_args()
    chosen = [m for m in MUTANTS if given.only in f"{m.file} {m.whole}"]
    lost = 0
    with tempfile.TemporaryDirectory(prefix="journey-mutants-") as folder:
        place = Path(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, place / part)
        for number, mutant in enumerate(chosen, 1):
            begun = time.monotonic()
            how = _told(mutant, place, given.engine)
            lost += how != "killed"
            seconds = time.monotonic() - begun
            line = (
                f"{number:3}/{len(chosen)} {how:9} {seconds:4.0f} s  {mutant.file}: {mutant.whole}"
            )
            print(line, flush=True)
    print(f"{len(chosen) - lost} of {len(chosen)} killed")
    return 1 if lost else 0


def _told(mutant: Mutant, place: Path, engine: str) -> str:
    file = place / "src" / "journeylang" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.whole) != 1:
        return "not there"
    file.write_text(text.replace(mutant.whole, mutant.broken), encoding="utf-8")
    try:
        tests = [test for test in mutant.tests if (place / test).exists()]
        return "survived" if _green(place, tests, engine) else "killed"
    finally:
        file.write_text(text, encoding="utf-8")


def _green(place: Path, tests: list[str], engine: str) -> bool:
    asked = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "-k", engine]
    # Tests of one engine alone have no engine in their names.
    alone = [test for test in tests if "agreement" not in test]
    try:
        result = subprocess.run(
            [sys.executable, "-m", "pytest", *(asked if not alone else asked[:-2]), *tests],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(place / "src")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        # Nobody would wait for that: it is noticed.
        return False
    if result.returncode not in (0, 1):
        # An import that fails, or nothing to run: no test has noticed anything.
        return True
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
