"""A month of hourly ticks against the same by hand: here a few days of few customers.

All of it, which takes some minutes, runs by command: see docs/benchmarks.md.
"""

from __future__ import annotations

from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import note, repeat
from tests.benchmarks.month_run import Month, both, make_shop

# Per customer, as in the full size.
EVENTS = 20


def test_a_month_of_hourly_ticks(benchmark: BenchmarkFixture, tmp_path: Path, sizes: Sizes) -> None:
    make_shop(tmp_path, customers=sizes.customers, events=EVENTS * sizes.customers)
    months: list[Month] = []
    repeat(benchmark, lambda: months.extend(both(tmp_path, sizes.hours)), rounds=1)
    bare, ours = months
    note(
        benchmark,
        measured=f"{ours.cpu / bare.cpu:.2f} times",
        target="<= 1.3 times",
        detail=f"{sizes.hours} ticks, CPU time {ours.cpu:.1f} s against {bare.cpu:.1f} s by hand;"
        f" the file grew {ours.growth / max(bare.growth, 1):.2f} times as much",
    )
    assert ours.rows == bare.rows
    assert ours.outcomes == bare.outcomes
    assert ours.rows["message"] > 0
