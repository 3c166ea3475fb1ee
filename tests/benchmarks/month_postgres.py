"""The month's hourly ticks on PostgreSQL, by hand and compiled: seconds of client and server.

    python -m tests.benchmarks.month_postgres --customers 100000 --events 2000000 --days 3

Both ways go tick by tick in turn, each in its own database, and every outcome is compared.
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
from tests.benchmarks import bare_month_postgres
from tests.benchmarks.month_run import HOUR, OUTCOMES, PROJECT, TABLES, Month
from tests.benchmarks.month_shop import OPENED, START, create_month
from tests.benchmarks.on_postgres import Connection, connect, copied, timed
from tests.benchmarks.test_on_postgres import MONTH_INDEXES, VARIABLE


def both(root: Path, *, customers: int, events: int, ticks: int) -> tuple[Month, Month]:
    """Both ways, tick by tick in turn, each in its own database: by hand, compiled."""
    create_month(root / "month.duckdb", customers, events)
    bare_url, url = (copied(root / "month.duckdb", MONTH_INDEXES) for _ in range(2))
    shutil.copytree(PROJECT, root / "month")
    config = root / "month" / "journey.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"benchmark.duckdb"', f'"env:{VARIABLE}"'), encoding="utf-8")
    os.environ[VARIABLE] = url
    loaded = load(root / "month", "dev").outcome.value
    assert loaded is not None
    runtime = Runtime.open(loaded, "dev", now=START - HOUR).value
    assert runtime is not None
    months = Month(), Month()
    with runtime, closing(connect(url)) as beside, closing(connect(bare_url)) as bare:
        bare_month_postgres.prepare(bare, START - HOUR)
        for number in range(ticks):
            now = START + number * HOUR
            timed(months[0].side, _bare_tick(bare, now))
            timed(months[1].side, _tick(runtime, now))
            _open_mails(bare, now)
            _open_mails(beside, now)
        for month, connection in zip(months, (bare, beside), strict=True):
            for table in TABLES:
                found = connection.execute(f"SELECT count(*) FROM journey.{table}").fetchone()
                assert found is not None
                month.rows[table] = found[0]
            month.outcomes = [connection.execute(sql).fetchall() for sql in OUTCOMES]
    return months


def _bare_tick(connection: Connection, now: datetime) -> Callable[[], None]:
    return lambda: bare_month_postgres.tick(connection, now, START)


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
        bare, ours = both(
            Path(folder),
            customers=given.customers,
            events=given.events,
            ticks=int(given.days * 24),
        )
    for name, month in (("by hand", bare), ("compiled", ours)):
        print(
            f"{name}: {month.cpu:.1f} s of CPU time, {month.wall:.1f} s by the clock;"
            f" median tick {statistics.median(month.side.cpu) * 1000:.0f} ms of CPU time,"
            f" {statistics.median(month.side.wall) * 1000:.0f} ms by the clock; {month.rows}"
        )
    print(
        f"CPU time {ours.cpu / bare.cpu:.2f} times, by the clock {ours.wall / bare.wall:.2f} times"
    )
    if ours.outcomes != bare.outcomes:
        print("not the same:", bare.outcomes, ours.outcomes, sep="\n")


if __name__ == "__main__":
    main()
