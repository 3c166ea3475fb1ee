"""A tick that finds nothing to do, while a million runs wait."""

from __future__ import annotations

import statistics
from datetime import timedelta
from pathlib import Path

import duckdb
from pytest_benchmark.fixture import BenchmarkFixture

from journeylang.api import Runtime, load
from journeylang.sql.schema import ACTIVE
from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import Side, note, repeat
from tests.benchmarks.month_run import DATABASE, HOUR, make_shop
from tests.benchmarks.month_shop import START

TICKS = 20


def test_a_tick_with_nothing_due(benchmark: BenchmarkFixture, tmp_path: Path, sizes: Sizes) -> None:
    make_shop(tmp_path, customers=sizes.many_customers, events=0)
    loaded = load(tmp_path / "ours", "dev").outcome.value
    assert loaded is not None
    side = Side()
    with duckdb.connect(tmp_path / "ours" / DATABASE) as connection:
        runtime = Runtime.open(loaded, "dev", now=START - HOUR).value
        assert runtime is not None
        with runtime:
            runtime.tick(START)
            _wait_for_a_year(connection)
            ticks = iter(range(1, TICKS + 1))

            def tick() -> None:
                now = START + timedelta(minutes=next(ticks))
                side.time(lambda: _idle(runtime.tick(now).idle))

            repeat(benchmark, tick, rounds=TICKS)
    cpu = statistics.median(side.cpu) * 1000
    note(
        benchmark,
        measured=f"{cpu:.1f} ms",
        target="< 10 ms",
        detail=f"CPU time, {sizes.many_customers:,} waiting runs, median of {TICKS} ticks;"
        f" {statistics.median(side.wall) * 1000:.1f} ms by the clock",
    )


def _idle(idle: bool) -> None:
    assert idle


def _wait_for_a_year(connection: duckdb.DuckDBPyConnection) -> None:
    """Put every customer into the journey, at its longest wait."""
    connection.execute(
        f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step, arrived_at,
  wake_at, entered_at, status, passes)
SELECT c.customer_id, c.customer_id, s.journey, 1, s.step, $now, $now + INTERVAL 1 YEAR, $now,
  {ACTIVE}, 0
FROM shop.customers AS c JOIN journey.step AS s ON s.path = 'settle'""",
        {"now": START},
    )
    connection.execute("CHECKPOINT")
