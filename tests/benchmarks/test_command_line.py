"""How long the command keeps somebody waiting: CPU time of a check, wall time of the help."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import PROJECT, Sizes
from tests.benchmarks.measure import Finished, note, repeat, run

TEN_LINES = """\
journey j{number} "One of many" {{
  owner "benchmarks@shop.example"
  enter on order_placed where total > {number} EUR
  reenter after 30d
  exit when exists(order_placed since entry) as bought
  policy standard
  settle: wait 2d
  if customer.score > 50 {{ exit as high }}
  note: send email "j1/plain"
}}
"""


@pytest.fixture
def many_files(tmp_path: Path, sizes: Sizes) -> Path:
    """A project of as many files of ten lines, besides the binding and the one template."""
    root = tmp_path / "many"
    for path in ("journey.toml", "journeys/binding.journey", "templates/j1/plain.email.html"):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((PROJECT / path).read_bytes())
    for number in range(sizes.files):
        file = root / "journeys" / f"j{number}.journey"
        file.write_text(TEN_LINES.format(number=number), encoding="utf-8")
    return root


def test_check_of_a_thousand_files(
    benchmark: BenchmarkFixture, many_files: Path, sizes: Sizes
) -> None:
    runs: list[Finished] = []

    def check() -> None:
        runs.append(run(["-m", "journeylang", "-C", str(many_files), "check", "--no-cache"]))

    # The first fills the grammar's cache.
    check()
    runs.clear()
    repeat(benchmark, check, rounds=min(sizes.rounds, 5))
    cpu = statistics.median(done.cpu for done in runs)
    wall = statistics.median(done.wall for done in runs)
    note(
        benchmark,
        measured=f"{cpu:.2f} s CPU",
        target="< 4 s CPU",
        detail=f"{sizes.files + 1:,} files, {wall:.2f} s by the clock",
    )
    benchmark.extra_info |= {"cpu_seconds": [done.cpu for done in runs]}
    assert f"{sizes.files + 1:,} files: nothing found" in runs[-1].output


def test_check_of_a_thousand_files_again(
    benchmark: BenchmarkFixture, many_files: Path, sizes: Sizes
) -> None:
    """Nothing has changed since the last time."""
    runs: list[Finished] = []

    def check() -> None:
        runs.append(run(["-m", "journeylang", "-C", str(many_files), "check"]))

    check()
    runs.clear()
    repeat(benchmark, check, rounds=min(sizes.rounds, 5))
    cpu = statistics.median(done.cpu for done in runs)
    wall = statistics.median(done.wall for done in runs)
    note(
        benchmark,
        measured=f"{cpu:.2f} s CPU",
        target="< 1 s CPU",
        detail=f"{sizes.files + 1:,} files, {wall:.2f} s by the clock",
    )
    benchmark.extra_info |= {"cpu_seconds": [done.cpu for done in runs]}
    assert f"{sizes.files + 1:,} files: nothing found" in runs[-1].output


def test_help(benchmark: BenchmarkFixture, sizes: Sizes) -> None:
    runs: list[Finished] = []
    repeat(
        benchmark,
        lambda: runs.append(run(["-m", "journeylang", "--help"])),
        rounds=3 * sizes.rounds,
    )
    wall = statistics.median(done.wall for done in runs)
    cpu = statistics.median(done.cpu for done in runs)
    note(
        benchmark,
        measured=f"{wall:.3f} s",
        target="< 0.3 s",
        detail=f"CPU time {cpu:.3f} s",
    )
    assert "Usage: " in runs[-1].output
