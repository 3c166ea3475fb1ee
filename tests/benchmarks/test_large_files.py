"""What a check of the largest file takes that is read at all, for some kinds of content."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import PROJECT, Sizes
from tests.benchmarks.large import text
from tests.benchmarks.measure import Finished, note, repeat, run

MEASURED = (
    "segments",
    "a chain of segments",
    "journeys",
    "ifs",
    "exits and ifs",
    "constants",
    "sends",
    "fragments",
    "levels",
    "long sums",
    "misspelt names on a line",
    "the same label",
)


@pytest.mark.parametrize("name", MEASURED)
def test_check_of_a_large_file(
    name: str, benchmark: BenchmarkFixture, tmp_path: Path, sizes: Sizes
) -> None:
    root = tmp_path / "shop"
    shutil.copytree(PROJECT, root)
    written = text(name, sizes.characters)
    (root / "journeys" / "large.journey").write_text(written, encoding="utf-8")
    runs: list[Finished] = []
    arguments = ["-m", "journeylang", "-C", str(root), "check", "--no-cache"]
    repeat(
        benchmark,
        # Of most of them there is something to be told.
        lambda: runs.append(run(arguments, codes=(0, 1))),
        rounds=min(sizes.rounds, 3),
    )
    cpu = statistics.median(done.cpu for done in runs)
    peak = max(done.peak for done in runs)
    note(
        benchmark,
        measured=f"{cpu:.2f} s CPU",
        target="< 5 s CPU",
        detail=f"{len(written):,} characters of {name}, {peak / 2**20:.0f} MiB held",
    )
    benchmark.extra_info |= {"cpu_seconds": [done.cpu for done in runs]}
    assert "checked 3 files" in runs[-1].output
