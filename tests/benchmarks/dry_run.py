"""How long a dry run takes: one journey without coupling, or five with caps and a budget.

    python -m tests.benchmarks.dry_run --customers 1000000 one
    python -m tests.benchmarks.dry_run --customers 1000000 five

runs `journey simulate` in a process of its own, and prints what it used.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.dry_shop import FIVE, START, create_dry
from tests.benchmarks.measure import Finished, run

PROJECT = Path(__file__).parent / "dry"
ONE = ("welcome",)


def dry_run(root: Path, journeys: tuple[str, ...], *more: str) -> Finished:
    """`journey simulate` of some journeys of the shop in a folder, from its start on."""
    arguments = ["-m", "journeylang", "-C", str(root), "simulate", *journeys]
    return run([*arguments, "--from", f"{START:%Y-%m-%d}", "--output", "json", *more])


def shop(root: Path, customers: int) -> Path:
    """The project and its database, in a new folder."""
    shutil.copytree(PROJECT, root)
    create_dry(root / "benchmark.duckdb", customers)
    return root


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["one", "five"])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = shop(Path(folder) / "shop", asked.customers)
        journeys = ONE if asked.which == "one" else FIVE
        done = dry_run(root, journeys, "--days", str(asked.days))
    found = json.loads(done.output)
    print(
        f"{asked.which}: {asked.customers:,} customers, {asked.days} days,"
        f" {found['messages']:,} messages: {done.cpu:.2f} s of CPU time, {done.wall:.1f} s by the"
        f" clock, at most {done.peak / 2**20:,.0f} MiB held"
    )


if __name__ == "__main__":
    main()
