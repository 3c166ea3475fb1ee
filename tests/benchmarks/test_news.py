"""A tick that asks those with news, against the same tick that asks everybody.

Between two ticks one customer in a hundred has a new row; others pass an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from journeylang.analysis.check import check_files
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.model.project import Project
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from journeylang.source import Source
from journeylang.syntax.parse import parse
from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import side_by_side

START = datetime(2026, 3, 2, 10)  # noqa: DTZ001 -- instants are UTC without a zone
HOUR = timedelta(hours=1)
EVENTS_EACH = 20

BINDING = """language 1
customers from shop.customers as c {
  key c.customer_id
  changed at c.updated_at
  field score: int
}
event order_placed from shop.orders as o {
  key o.order_id
  customer o.customer_id
  at o.placed_at
  append only
  field total: money(EUR)
}
policy standard { cap any 1 per day }
"""
JOURNEYS = {
    "enter when": """  enter when count(order_placed) >= 2 and last(order_placed) older than 30d
  policy standard
  rest: wait 300d""",
    "exit when": """  enter when customer.score >= 0
  exit when count(order_placed) >= 2 and last(order_placed) older than 60d
  policy standard
  rest: wait 300d""",
    "enter when joins": """  enter when joins lapsed
  policy standard
  rest: wait 300d""",
    "wait until": """  enter when customer.score >= 0
  policy standard
  rest: wait until count(order_placed) >= 2 and last(order_placed) older than 60d up to 300d""",
}
SEGMENT = "segment lapsed = count(order_placed) >= 2 and last(order_placed) older than 30d\n"


def project(journey: str) -> Project:
    text = f'{BINDING}{SEGMENT}journey j {{\n  owner "a@b.example"\n{journey}\n}}\n'
    parsed = parse(Source(path="news.journey", text=text))
    assert parsed.value is not None
    checked = check_files([parsed.value])
    assert checked.value is not None
    assert checked.ok, checked.diagnostics
    return checked.value


def create(path: Path, customers: int) -> None:
    """Orders in the order in which they were placed, evenly over 400 days up to `START`."""
    orders = customers * EVENTS_EACH
    start = f"TIMESTAMP '{START}'"
    with duckdb.connect(path) as connection:
        for statement in (
            "CREATE SCHEMA shop",
            f"""CREATE TABLE shop.customers AS SELECT i AS customer_id,
  CAST(i * 7 % 100 AS INTEGER) AS score,
  {start} - to_seconds(CAST(i * 7919 % (400 * 86400) AS BIGINT)) AS updated_at
FROM range(1, {customers + 1}) AS t(i)""",
            f"""CREATE TABLE shop.orders AS SELECT i AS order_id,
  CAST(1 + hash(i) % {customers} AS BIGINT) AS customer_id,
  {start} - to_microseconds(CAST(({orders} - i) * (400 * 86400000000 // {orders}) AS BIGINT))
    AS placed_at, CAST(1 + i % 20000 / 100.0 AS DECIMAL(18, 4)) AS total
FROM range(1, {orders + 1}) AS t(i)""",
        ):
            connection.execute(statement)


class Ticking:
    """A shop of its own, where an hour passes before each tick."""

    def __init__(self, path: Path, journey: str, customers: int, *, incremental: bool) -> None:
        create(path, customers)
        self.customers = customers
        self.engine = DuckDbEngine.open(str(path))
        session = prepare(self.engine, project(journey), now=START - HOUR, incremental=incremental)
        assert isinstance(session, Session)
        self.session = session
        self.now = START
        tick(session, self.now)

    @contextmanager
    def way(self) -> Iterator[Callable[[], None]]:
        before, self.now = self.now, self.now + HOUR
        many = self.customers // 100
        first = f"CAST({before.toordinal() * 24 + before.hour} AS BIGINT) * {many}"
        self.engine.execute(
            f"""INSERT INTO shop.orders SELECT 1000000000 + {first} + i,
  1 + ({first} + i) * 7919 % {self.customers},
  TIMESTAMP '{before}' + to_microseconds(CAST(i * (3600000000 // {many}) AS BIGINT)), 5
FROM range(1, {many} + 1) AS t(i)"""
        )
        yield self.tick

    def tick(self) -> None:
        tick(self.session, self.now)

    def runs(self) -> list[tuple[object, ...]]:
        """Who is where; every number of it."""
        return self.engine.query(
            "SELECT status, step, entered_at, count(*), sum(customer_id) FROM journey.run"
            " GROUP BY ALL ORDER BY ALL"
        )


@pytest.mark.parametrize("what", list(JOURNEYS))
def test_news(benchmark: BenchmarkFixture, tmp_path: Path, sizes: Sizes, what: str) -> None:
    customers = sizes.many_customers
    everybody, changed = (
        Ticking(tmp_path / f"{name}.duckdb", JOURNEYS[what], customers, incremental=incremental)
        for name, incremental in (("everybody", False), ("changed", True))
    )

    def bare() -> AbstractContextManager[Callable[[], None]]:
        return everybody.way()

    def ours() -> AbstractContextManager[Callable[[], None]]:
        return changed.way()

    side_by_side(benchmark, rounds=sizes.rounds, target=0.1, bare=bare, ours=ours)
    assert changed.runs() == everybody.runs()
    assert len(changed.runs()) > 1
