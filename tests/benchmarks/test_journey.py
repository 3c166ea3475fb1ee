"""A journey against the same journey by hand, on the same file, in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from pytest_benchmark.fixture import BenchmarkFixture

from journeylang.api import Runtime, load
from tests.benchmarks import bare_journey
from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import side_by_side

START = datetime(2026, 3, 2, 10)  # noqa: DTZ001 -- instants are UTC without a zone
APPLIED = START - timedelta(hours=1)
TABLES = ("run", "message", "batch", "transition", "exposure", "decision", "tick")


def test_enter_gate_split_send_wait_send_end(
    benchmark: BenchmarkFixture, shop: Path, sizes: Sizes
) -> None:
    database = shop / "benchmark.duckdb"
    loaded = load(shop, "dev").outcome.value
    assert loaded is not None
    written: dict[str, dict[str, int]] = {}

    @contextmanager
    def bare() -> Iterator[Callable[[], None]]:
        with fresh(database) as connection:
            bare_journey.prepare(connection, APPLIED)
            connection.execute("CHECKPOINT")
            yield lambda: bare_journey.run(connection, START)
            written["bare"] = rows(connection)

    @contextmanager
    def ours() -> Iterator[Callable[[], None]]:
        with fresh(database) as connection:
            runtime = Runtime.open(loaded, "dev", now=APPLIED).value
            assert runtime is not None
            connection.execute("CHECKPOINT")
            with runtime:
                yield lambda: tick(runtime)
            written["ours"] = rows(connection)

    side_by_side(benchmark, rounds=sizes.rounds, target=1.5, bare=bare, ours=ours)
    assert written["ours"] == written["bare"]
    assert written["ours"]["run"] == sizes.customers


def tick(runtime: Runtime) -> None:
    """The journey's three ticks, a day apart."""
    for day in range(3):
        runtime.tick(START + timedelta(days=day))


@contextmanager
def fresh(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the shop's file, where nothing has run yet."""
    with duckdb.connect(database) as connection:
        connection.execute("DROP SCHEMA IF EXISTS journey CASCADE")
        connection.execute("CHECKPOINT")
        yield connection


def rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows each table of the runtime holds."""
    found = {}
    for table in TABLES:
        row = connection.execute(f"SELECT count(*) FROM journey.{table}").fetchone()
        assert row is not None
        found[table] = row[0]
    return found
