"""A report of one journey, over all that a month has left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import Finished, note, repeat
from tests.benchmarks.report_run import report, rows
from tests.benchmarks.report_shop import create

LARGEST = 2_000_000


@pytest.fixture(scope="module")
def reported(sizes: Sizes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    customers = sizes.many_customers
    return create(tmp_path_factory.mktemp("report"), customers, 5 * customers)


@pytest.mark.parametrize("output", ["text", "html"])
def test_report(benchmark: BenchmarkFixture, reported: Path, sizes: Sizes, output: str) -> None:
    counts = rows(reported)
    done: list[Finished] = []
    more = ("--output", output)
    repeat(benchmark, lambda: done.append(report(reported, *more)), rounds=min(sizes.rounds, 3))
    best = min(done, key=lambda one: one.cpu)
    assert len(best.output.encode()) < LARGEST
    note(
        benchmark,
        measured=f"{best.wall:.1f} s",
        target="< 5 s",
        detail=f"{sizes.many_customers:,} customers, {sum(counts.values()):,} rows,"
        f" {best.cpu:.1f} s of CPU time, {len(best.output.encode()):,} bytes",
    )
    benchmark.extra_info |= {"cpu": best.cpu, "bytes": len(best.output.encode())}
