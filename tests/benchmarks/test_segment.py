"""A segment's compiled query against the query that one would write by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
from pytest_benchmark.fixture import BenchmarkFixture

from journeylang.api import load
from journeylang.plan.numbering import number
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import DUCKDB
from journeylang.sql.script import segment_query
from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import side_by_side

NOW = datetime(2026, 3, 2, 10)  # noqa: DTZ001 -- instants are UTC without a zone

BY_HAND = """SELECT c.customer_id FROM shop.customers AS c
WHERE c.tier = 'gold' AND EXISTS (SELECT 1 FROM shop.orders AS o
  WHERE o.customer_id = c.customer_id AND o.total >= 100 AND o.placed_at <= $now)"""

# One evaluation takes some milliseconds: too short to be timed alone.
REPEATED = 10


def test_segment_of_gold_with_a_large_purchase(
    benchmark: BenchmarkFixture, shop: Path, sizes: Sizes
) -> None:
    loaded = load(shop, "dev").outcome.value
    assert loaded is not None
    project = loaded.project
    compiler = Compiler(project=project, dialect=DUCKDB, steps=number(project).steps)
    compiled = segment_query(compiler, "golden")
    found: dict[str, list[tuple[int]]] = {}

    with duckdb.connect(shop / "benchmark.duckdb") as connection:

        def way(sql: str) -> Callable[[], None]:
            def work() -> None:
                for _ in range(REPEATED):
                    found[sql] = connection.execute(sql, {"now": NOW}).fetchall()

            return work

        @contextmanager
        def bare() -> Iterator[Callable[[], None]]:
            yield way(BY_HAND)

        @contextmanager
        def ours() -> Iterator[Callable[[], None]]:
            yield way(compiled)

        side_by_side(benchmark, rounds=3 * sizes.rounds, target=1.2, bare=bare, ours=ours)
    assert sorted(found[compiled]) == sorted(found[BY_HAND])
    assert found[compiled]
