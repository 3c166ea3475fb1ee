"""What tests, plans and `why` take: a hundred tests, and a million people on their way.

    python -m tests.benchmarks.before_sending tests
    python -m tests.benchmarks.before_sending plan --customers 1000000 --engine postgres

Each verb is a process of its own; to its CPU time that of the PostgreSQL server is added.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from journeylang.resources import journeys
from tests.benchmarks.measure import run
from tests.benchmarks.on_postgres import server_seconds
from tests.engines.databases import ENGINES
from tests.runtime.world import CONFIG, HOUR, NOW, WELCOME, make, write

BY_HAND = CONFIG.replace("[env.dev]", "[env.dev]\nauto_apply = false")
ALL = WELCOME.replace('  holdout 10% salt "welcome-2026"\n', "")
_TEST = re.compile(r'^test ".*?^}\n', re.DOTALL | re.MULTILINE)
_INSTANT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d")


def spread(root: Path, times: int) -> Path:
    """The demo's project, with each of its tests so many times, on weeks that no two share."""
    shutil.copytree(journeys() / "templates", root / "templates")
    shutil.copy(journeys() / "journey.toml", root)
    (root / "journeys").mkdir()
    week = 0
    for file in sorted(journeys().glob("*.journey")):
        text = file.read_text("utf-8")
        for test in _TEST.findall(text):
            for number in range(2, times + 1):
                week += 1
                text += "\n" + _later(test, week).replace('test "', f'test "{number} ', 1)
        (root / "journeys" / file.name).write_text(text, "utf-8")
    return root


def _later(test: str, weeks: int) -> str:
    def moved(found: re.Match[str]) -> str:
        return f"{datetime.fromisoformat(found[0]) + timedelta(weeks=weeks):%Y-%m-%dT%H:%M}"

    return _INSTANT.sub(moved, test)


def on_the_way(root: Path, customers: int, engine: str) -> Path:
    """A shop in whose one journey everybody is on the way, and a wait in it that is now longer."""
    files = {"welcome": ALL}
    make(root, files, number=customers, engine=engine)
    write(root, files, config=BY_HAND)
    verb(root, "apply", "dev", "--now", str(NOW - HOUR))
    verb(root, "run", "dev", "--no-deliver", "--now", str(NOW + HOUR))
    longer = ALL.replace("settle: wait 1d", "settle: wait 2d")
    return write(root, {"welcome": longer}, config=BY_HAND)


def verb(root: Path, *arguments: str, server: bool = False) -> str:
    """Run `journey` in a folder; its last line, and what it used."""
    before = server_seconds() if server else 0.0
    done = run(["-m", "journeylang", "-C", str(root), *arguments])
    spent = done.cpu + (server_seconds() - before if server else 0.0)
    last = done.output.strip().splitlines()[-1]
    return f"{arguments[0]}: {spent:.2f} s of CPU time, {done.wall:.1f} s by the clock ({last})"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["tests", "plan"])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--engine", choices=ENGINES, default="duckdb")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        if asked.which == "tests":
            print(verb(spread(root, asked.times), "test"))
            return
        on_the_way(root, asked.customers, asked.engine)
        there = asked.engine == "postgres"
        for _ in range(3):
            print(verb(root, "plan", "dev", "--now", str(NOW + HOUR), server=there))
        print(verb(root, "why", "77", "welcome", server=there))


if __name__ == "__main__":
    main()
