"""News on PostgreSQL: a tick that asks those with news, against the same tick asking everybody.

`python -m tests.benchmarks.news_postgres --customers 100000 --rounds 3`: CPU time of this process
and of the server's, for each of the journeys of `test_news`, the medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

from journeylang.engines.base import Engine
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.benchmarks.measure import Side
from tests.benchmarks.on_postgres import copied, timed
from tests.benchmarks.test_news import HOUR, JOURNEYS, START, create, project
from tests.engines.databases import open_engine
from tests.engines.server import new_database

INDEXES = (
    *("customers (customer_id)", "customers (updated_at)"),
    *("orders (customer_id, placed_at)", "orders (placed_at)"),
)


class Ticking:
    """A shop of its own, where an hour passes before each tick."""

    def __init__(self, shop: str, journey: str, customers: int, *, incremental: bool) -> None:
        url = new_database(like=shop)
        self.customers = customers
        self.engine: Engine = open_engine("postgres", url)
        session = prepare(self.engine, project(journey), now=START - HOUR, incremental=incremental)
        assert isinstance(session, Session)
        self.session = session
        self.now: datetime = START
        self.side = Side()
        tick(session, self.now)
        self.engine.execute("ANALYZE")

    def round(self) -> None:
        before, self.now = self.now, self.now + HOUR
        many = self.customers // 100
        first = f"CAST({before.toordinal() * 24 + before.hour} AS BIGINT) * {many}"
        self.engine.execute(
            f"""INSERT INTO shop.orders SELECT 1000000000 + {first} + i,
  1 + ({first} + i) * 7919 % {self.customers},
  TIMESTAMP '{before}' + i * (INTERVAL '1 hour' / {many}), 5
FROM generate_series(1, {many}) AS t(i)"""
        )
        timed(self.side, self.tick)

    def tick(self) -> None:
        tick(self.session, self.now)

    def runs(self) -> list[tuple[object, ...]]:
        return self.engine.query(
            "SELECT status, step, entered_at, count(*), sum(customer_id) FROM journey.run"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--rounds", type=int, default=3)
    options = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "news.duckdb"
        create(file, options.customers)
        shop = copied(file, INDEXES)
    for name, journey in JOURNEYS.items():
        ways = [
            Ticking(shop, journey, options.customers, incremental=incremental)
            for incremental in (False, True)
        ]
        for _ in range(options.rounds):
            for way in ways:
                way.round()
        assert ways[0].runs() == ways[1].runs()
        everybody, changed = (statistics.median(way.side.cpu) for way in ways)
        wall = [statistics.median(way.side.wall) for way in ways]
        print(
            f"{name}: everybody {everybody:.2f} s, news {changed:.3f} s of CPU time,"
            f" {changed / everybody:.3f} times; by the clock {wall[0]:.2f} and {wall[1]:.3f} s",
            flush=True,
        )
        for way in ways:
            way.engine.close()


if __name__ == "__main__":
    main()
