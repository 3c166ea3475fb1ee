"""On PostgreSQL: a journey against the same by hand and against a program's loop; an idle tick."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from journeylang.api import LoadedProject, Runtime, load
from journeylang.sql.schema import ACTIVE
from tests.benchmarks import bare_journey_postgres, loop_journey
from tests.benchmarks.conftest import PROJECT, Sizes
from tests.benchmarks.measure import Side, note, repeat
from tests.benchmarks.month_run import HOUR
from tests.benchmarks.month_run import PROJECT as MONTH
from tests.benchmarks.month_shop import START as MONTH_START
from tests.benchmarks.month_shop import create_month
from tests.benchmarks.on_postgres import Connection, connect, copied, timed
from tests.benchmarks.test_journey import APPLIED, START, TABLES, tick

INDEXES = ("customers (customer_id)", "consents (customer_id)", "signups (signed_up_at)")
MONTH_INDEXES = (
    *("customers (customer_id)", "consents (customer_id)"),
    *("visits (visited_at)", "orders (placed_at)", "orders (customer_id)"),
)
VARIABLE = "BENCHMARK_DATABASE"
TICKS = 20


def project(origin: Path, root: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> LoadedProject:
    """The project of a folder, with its database on the server."""
    shutil.copytree(origin, root)
    config = root / "journey.toml"
    text = config.read_text(encoding="utf-8").replace('"benchmark.duckdb"', f'"env:{VARIABLE}"')
    config.write_text(text, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, url)
    loaded = load(root, "dev").outcome.value
    assert loaded is not None
    return loaded


def test_enter_gate_split_send_wait_send_end(
    benchmark: BenchmarkFixture,
    shop: Path,
    tmp_path: Path,
    sizes: Sizes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = copied(shop / "benchmark.duckdb", INDEXES)
    loaded = project(PROJECT, tmp_path / "shop", url, monkeypatch)
    sides = {name: Side() for name in ("ours", "by hand", "loop")}
    written: dict[str, dict[str, int]] = {}

    def ours() -> None:
        with _empty(url) as connection:
            runtime = Runtime.open(loaded, "dev", now=APPLIED).value
            assert runtime is not None
            with runtime:
                timed(sides["ours"], lambda: tick(runtime))
            written["ours"] = _rows(connection)

    def other(name: str, run: Callable[[Connection], None]) -> None:
        with _empty(url) as connection:
            bare_journey_postgres.prepare(connection, APPLIED)
            timed(sides[name], lambda: run(connection))
            written[name] = _rows(connection)

    def round_() -> None:
        other("by hand", lambda c: bare_journey_postgres.run(c, START))
        ours()

    repeat(benchmark, round_, rounds=min(sizes.rounds, 3))
    other("loop", lambda c: loop_journey.run(c, START))
    assert written["ours"] == written["by hand"] == written["loop"]
    assert written["ours"]["run"] == sizes.customers
    cpu = {name: statistics.median(side.cpu) for name, side in sides.items()}
    wall = {name: statistics.median(side.wall) for name, side in sides.items()}
    note(
        benchmark,
        measured=f"{cpu['ours'] / cpu['by hand']:.2f} times",
        target="<= 1.5 times",
        detail=f"CPU time {cpu['ours']:.2f} s against {cpu['by hand']:.2f} s by hand and"
        f" {cpu['loop']:.2f} s in a loop, {cpu['loop'] / cpu['ours']:.1f} times as much"
        f" (by the clock {wall['ours']:.2f}, {wall['by hand']:.2f} and {wall['loop']:.2f} s)",
    )
    benchmark.extra_info |= {"cpu_seconds": cpu, "seconds": wall}


def test_a_tick_with_nothing_due(
    benchmark: BenchmarkFixture, tmp_path: Path, sizes: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_month(tmp_path / "month.duckdb", sizes.many_customers, 0)
    url = copied(tmp_path / "month.duckdb", MONTH_INDEXES)
    loaded = project(MONTH, tmp_path / "month", url, monkeypatch)
    side = Side()
    runtime = Runtime.open(loaded, "dev", now=MONTH_START - HOUR).value
    assert runtime is not None
    with runtime, closing(connect(url)) as connection:
        runtime.tick(MONTH_START)
        connection.execute(
            f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step, arrived_at,
  wake_at, entered_at, status, passes)
SELECT c.customer_id, c.customer_id, s.journey, 1, s.step, %(now)s,
  %(now)s + INTERVAL '1 year', %(now)s, {ACTIVE}, 0
FROM shop.customers AS c JOIN journey.step AS s ON s.path = 'settle'""",
            {"now": MONTH_START},
        )
        connection.execute("VACUUM ANALYZE journey.run")
        # It asks once more who is gone, as the server may have counted later than it was asked.
        runtime.tick(MONTH_START + timedelta(minutes=1))
        ticks = iter(range(2, TICKS + 2))

        def idle() -> None:
            now = MONTH_START + timedelta(minutes=next(ticks))
            timed(side, lambda: _idle(runtime.tick(now).idle))

        repeat(benchmark, idle, rounds=TICKS)
    note(
        benchmark,
        measured=f"{statistics.median(side.wall) * 1000:.1f} ms",
        target="< 5 ms",
        detail=f"by the clock, {sizes.many_customers:,} waiting runs, median of {TICKS} ticks;"
        f" the fastest {min(side.wall) * 1000:.1f} ms;"
        f" CPU time {statistics.mean(side.cpu) * 1000:.1f} ms on average",
    )


def _idle(idle: bool) -> None:
    assert idle


@contextmanager
def _empty(url: str) -> Iterator[Connection]:
    """A connection to a database in which nothing has run yet."""
    with closing(connect(url)) as connection:
        connection.execute("DROP SCHEMA IF EXISTS journey CASCADE")
        connection.execute("VACUUM")
        yield connection


def _rows(connection: Connection) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        found = connection.execute(f"SELECT count(*) FROM journey.{table}").fetchone()
        assert found is not None
        counts[table] = found[0]
    return counts
