"""How the cost of the journey's ticks grows with the customers.

    python -m tests.benchmarks.linear_run 100000 1000000 5000000

takes so many customers through the journey, each size in a process of its own, and prints what
it used.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.conftest import PROJECT
from tests.benchmarks.measure import run
from tests.benchmarks.population import Population, create

# About a tick a day: nothing, the entries, nothing, and the end of the wait.
TICKS = [
    *("-m", "journeylang", "run", "--no-deliver"),
    *("--from", "2026-03-02T09:00", "--to", "2026-03-05T12:00", "--step", "25h"),
]


def main() -> None:
    """See the module."""
    sizes = [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]
    # What a process costs that finds one customer.
    idle = _cpu(1)[0]
    for size in sizes:
        cpu, peak = _cpu(size)
        print(
            f"{size:>9,} customers: {cpu - idle:6.2f} s of CPU time,"
            f" {(cpu - idle) / size * 1e6:5.2f} µs each; at most {peak / 2**20:,.0f} MiB held",
            flush=True,
        )


def _cpu(customers: int) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        shutil.copytree(PROJECT, root)
        create(root / "benchmark.duckdb", Population(customers=customers))
        done = run([*TICKS[:2], "-C", str(root), *TICKS[2:]])
        assert f"{customers:,} entered" in done.output, done.output
        return done.cpu, done.peak


if __name__ == "__main__":
    main()
