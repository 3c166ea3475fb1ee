"""The most memory that a process holds which takes a million customers through the journey."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import PROJECT, Sizes
from tests.benchmarks.measure import Finished, note, repeat, run
from tests.benchmarks.population import Population, create

TICKS = [
    *("-m", "journeylang", "run", "--no-deliver"),
    *("--from", "2026-03-02T09:00", "--to", "2026-03-04T10:00", "--step", "1h"),
]


@pytest.fixture
def large_shop(tmp_path: Path, sizes: Sizes) -> Path:
    root = tmp_path / "large"
    shutil.copytree(PROJECT, root)
    create(root / "benchmark.duckdb", Population(customers=sizes.many_customers))
    return root


def test_memory_of_ticks(benchmark: BenchmarkFixture, large_shop: Path, sizes: Sizes) -> None:
    runs: list[Finished] = []

    def ticks() -> None:
        runs.append(run([*TICKS[:2], "-C", str(large_shop), *TICKS[2:]]))

    repeat(benchmark, ticks, rounds=1)
    (done,) = runs
    note(
        benchmark,
        measured=f"{done.peak / 2**30:.2f} GiB",
        target="< 1.5 GiB",
        detail=f"{sizes.many_customers:,} customers, 50 ticks, {done.wall:.1f} s",
    )
    benchmark.extra_info |= {"peak_bytes": done.peak}
    assert f"{sizes.many_customers:,} entered" in done.output
