"""Sizes, the shop's project, and the table at the end.

With `--benchmark-disable` everything is small and runs once: a look whether it still works.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.population import Population, create

PROJECT = Path(__file__).parent / "shop"
LINES = pytest.StashKey[list[tuple[str, str, str, str]]]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much there is to do, and how often it is done."""

    customers: int
    purchases: int
    many_customers: int
    files: int
    characters: int
    rounds: int
    hours: int


FULL = Sizes(
    customers=100_000,
    purchases=1_000_000,
    many_customers=1_000_000,
    files=1_000,
    characters=1024 * 1024,
    rounds=7,
    hours=72,
)
SMOKE = Sizes(
    customers=2_000,
    purchases=20_000,
    many_customers=5_000,
    files=20,
    characters=16 * 1024,
    rounds=1,
    hours=30,
)


@pytest.fixture(scope="session")
def sizes(request: pytest.FixtureRequest) -> Sizes:
    return SMOKE if request.config.getoption("benchmark_disable") else FULL


@pytest.fixture(scope="session")
def shop(sizes: Sizes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's project with its database `benchmark.duckdb`."""
    root = tmp_path_factory.mktemp("benchmark") / "shop"
    shutil.copytree(PROJECT, root)
    create(
        root / "benchmark.duckdb",
        Population(customers=sizes.customers, purchases=sizes.purchases),
    )
    return root


@pytest.fixture(autouse=True)
def in_table(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Iterator[None]:
    yield
    info = benchmark.extra_info
    if "measured" in info:
        lines = request.config.stash.setdefault(LINES, [])
        lines.append((request.node.name, info["measured"], info["target"], info["detail"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = terminalreporter.config.stash.get(LINES, [])
    if not lines:
        return
    small = terminalreporter.config.getoption("benchmark_disable")
    terminalreporter.section("journeylang" + (" (small sizes, one round)" if small else ""))
    for name, measured, target, detail in lines:
        terminalreporter.write_line(f"{name:<44} {measured:>14}   {target:<14} {detail}")
