"""The month's hourly ticks on PostgreSQL: seconds of the client and the server, and rows.

    python -m tests.benchmarks.month_postgres --customers 100000 --events 2000000 --days 3

There is no way by hand beside it; what `month_run` prints of the same sizes on DuckDB tells whether
the rows are the same.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from journeylang.api import Runtime, load
from tests.benchmarks.measure import Side
from tests.benchmarks.month_run import HOUR, PROJECT, TABLES
from tests.benchmarks.month_shop import OPENED, START, create_month
from tests.benchmarks.on_postgres import Connection, connect, copied, timed
from tests.benchmarks.test_on_postgres import MONTH_INDEXES, VARIABLE


def run(root: Path, *, customers: int, events: int, ticks: int) -> tuple[Side, dict[str, int]]:
    """One side's ticks, and how many rows there are behind them."""
    create_month(root / "month.duckdb", customers, events)
    url = copied(root / "month.duckdb", MONTH_INDEXES)
    shutil.copytree(PROJECT, root / "month")
    config = root / "month" / "journey.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"benchmark.duckdb"', f'"env:{VARIABLE}"'), encoding="utf-8")
    os.environ[VARIABLE] = url
    loaded = load(root / "month", "dev").outcome.value
    assert loaded is not None
    runtime = Runtime.open(loaded, "dev", now=START - HOUR).value
    assert runtime is not None
    side = Side()
    with runtime, closing(connect(url)) as beside:
        for number in range(ticks):
            now = START + number * HOUR
            timed(side, _tick(runtime, now))
            _open_mails(beside, now)
        counts = {}
        for table in TABLES:
            found = beside.execute(f"SELECT count(*) FROM journey.{table}").fetchone()
            assert found is not None
            counts[table] = found[0]
    return side, counts


def _tick(runtime: Runtime, now: datetime) -> Callable[[], None]:
    def work() -> None:
        runtime.tick(now)

    return work


def _open_mails(connection: Connection, now: datetime) -> None:
    """As `month_shop.open_mails`."""
    scattered = "(m.customer_id * 2654435761 %% 4294967296)"
    connection.execute(
        f"""INSERT INTO journey.message_event (customer_id, message_id, provider, event_id,
  name, "at")
SELECT m.customer_id, m.message_id, 'benchmark', 'opened' || m.message_id, 'opened',
  m.decided_at + (600 + {scattered} %% 259200) * INTERVAL '1 second'
FROM journey.message AS m JOIN journey.step AS s ON s.step = m.step
WHERE m.decided_at = %(now)s AND s.path LIKE 'subject/%%'
  AND {scattered} / 7 %% 100 < {OPENED}""",
        {"now": now},
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--days", type=float, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        side, counts = run(
            Path(folder),
            customers=given.customers,
            events=given.events,
            ticks=int(given.days * 24),
        )
    print(
        f"{sum(side.cpu):.1f} s of CPU time, {sum(side.wall):.1f} s by the clock;"
        f" median tick {statistics.median(side.cpu) * 1000:.0f} ms of CPU time,"
        f" {statistics.median(side.wall) * 1000:.0f} ms by the clock; {counts}"
    )


if __name__ == "__main__":
    main()
