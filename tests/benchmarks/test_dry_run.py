"""A dry run of thirty days: by whole lives, and tick by tick."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Sizes
from tests.benchmarks.dry_run import ONE, dry_run, shop
from tests.benchmarks.dry_shop import FIVE
from tests.benchmarks.measure import Finished, note, repeat


@pytest.mark.parametrize(
    ("journeys", "mode", "target"),
    [(ONE, "closed", "< 3 s"), (FIVE, "stepped", "< 60 s, 3 GiB")],
    ids=["one", "five"],
)
def test_dry_run(
    benchmark: BenchmarkFixture,
    tmp_path: Path,
    sizes: Sizes,
    journeys: tuple[str, ...],
    mode: str,
    target: str,
) -> None:
    root = shop(tmp_path / "shop", sizes.many_customers)
    # Ticks of few people cost as much as those of many.
    small = ("--days", "2") if mode == "stepped" and sizes.rounds == 1 else ()
    runs: list[Finished] = []
    repeat(benchmark, lambda: runs.append(dry_run(root, journeys, *small)), rounds=1)
    (done,) = runs
    found = json.loads(done.output)
    assert found["mode"] == mode
    assert found["messages"] > 0
    note(
        benchmark,
        measured=f"{done.wall:.1f} s",
        target=target,
        detail=f"{sizes.many_customers:,} customers, {found['messages']:,} messages,"
        f" {done.cpu:.1f} s of CPU time, {done.peak / 2**30:.2f} GiB held",
    )
    benchmark.extra_info |= {"cpu": done.cpu, "peak_bytes": done.peak}
