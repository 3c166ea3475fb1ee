"""A month of hourly ticks, by hand and compiled, on one shop: seconds, rows and the file's growth.

    python -m tests.benchmarks.month_run --customers 1000000 --events 20000000 --days 30

writes the shop into a temporary folder, runs both ways side by side, and prints what they took.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from journeylang.api import Runtime, load
from tests.benchmarks import bare_month
from tests.benchmarks.measure import Side
from tests.benchmarks.month_shop import START, create_month, open_mails

PROJECT = Path(__file__).parent / "month"
DATABASE = "benchmark.duckdb"
HOUR = timedelta(hours=1)
TABLES = ("run", "message", "transition", "exposure", "decision")
# The runtime's own reasons and times of each table, whatever the numbers of steps and messages.
OUTCOMES = (
    "SELECT status, coalesce(reason, ''), count(*) FROM journey.run GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT channel, decided_at, count(*) FROM journey.message GROUP BY 1, 2 ORDER BY 2, 1",
    'SELECT why, count(*), min("at"), max("at") FROM journey.transition GROUP BY 1 ORDER BY 1',
    "SELECT reason, count(*) FROM journey.decision GROUP BY 1 ORDER BY 1",
)


@dataclass(slots=True)
class Month:
    """One way's ticks: seconds of each, what it left behind, and by how much the file grew."""

    side: Side = field(default_factory=Side)
    rows: dict[str, int] = field(default_factory=dict)
    outcomes: list[list[tuple[object, ...]]] = field(default_factory=list)
    growth: int = 0

    @property
    def wall(self) -> float:
        return sum(self.side.wall)

    @property
    def cpu(self) -> float:
        return sum(self.side.cpu)


def make_shop(root: Path, *, customers: int, events: int) -> None:
    """The project, twice, each with its own file: one for either way."""
    create_month(root / "written.duckdb", customers, events)
    for way in ("bare", "ours"):
        shutil.copytree(PROJECT, root / way)
        shutil.copy(root / "written.duckdb", root / way / DATABASE)


def both(root: Path, ticks: int) -> tuple[Month, Month]:
    """Both ways, tick by tick in turn: by hand, compiled."""
    applied = START - HOUR
    months = Month(), Month()
    sizes = [_size(root / way / DATABASE) for way in ("bare", "ours")]
    loaded = load(root / "ours", "dev").outcome.value
    assert loaded is not None
    runtime = Runtime.open(loaded, "dev", now=applied).value
    assert runtime is not None
    with (
        runtime,
        duckdb.connect(root / "ours" / DATABASE) as beside,
        duckdb.connect(root / "bare" / DATABASE) as bare,
    ):
        bare_month.prepare(bare, applied)
        for number in range(ticks):
            now = START + number * HOUR
            months[0].side.time(_bare_tick(bare, now))
            months[1].side.time(_our_tick(runtime, now))
            open_mails(bare, now)
            open_mails(beside, now)
        for month, connection in zip(months, (bare, beside), strict=True):
            connection.execute("CHECKPOINT")
            month.rows = {t: _rows(connection, t) for t in TABLES}
            month.outcomes = [connection.execute(sql).fetchall() for sql in OUTCOMES]
    for month, way, size in zip(months, ("bare", "ours"), sizes, strict=True):
        month.growth = _size(root / way / DATABASE) - size
    return months


def _bare_tick(connection: duckdb.DuckDBPyConnection, now: datetime) -> Callable[[], None]:
    return lambda: bare_month.tick(connection, now, START)


def _our_tick(runtime: Runtime, now: datetime) -> Callable[[], None]:
    def work() -> None:
        runtime.tick(now)

    return work


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM journey.{table}").fetchone()
    assert row is not None
    return int(row[0])


def _size(file: Path) -> int:
    return file.stat().st_size


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--days", type=float, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        make_shop(Path(folder), customers=given.customers, events=given.events)
        print(f"shop written in {time.perf_counter() - began:.0f} s")
        bare, ours = both(Path(folder), int(given.days * 24))
    for name, month in (("by hand", bare), ("compiled", ours)):
        print(
            f"{name}: {month.cpu:.1f} s of CPU time, {month.wall:.1f} s by the clock;"
            f" median tick {sorted(month.side.cpu)[len(month.side.cpu) // 2] * 1000:.0f} ms;"
            f" file + {month.growth / 2**20:.0f} MiB; {month.rows}"
        )
    print(f"CPU time {ours.cpu / bare.cpu:.2f} times, growth {ours.growth / bare.growth:.2f} times")
    if ours.outcomes != bare.outcomes:
        print("not the same:", bare.outcomes, ours.outcomes, sep="\n")


if __name__ == "__main__":
    main()
