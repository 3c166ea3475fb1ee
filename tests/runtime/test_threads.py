"""More people at once than DuckDB keeps in one group of rows, on more than one thread."""

from __future__ import annotations

from pathlib import Path

from journeylang.api import Runtime
from tests.runtime.world import HOUR, NOW, loaded, make, sql

PEOPLE = 130_000


def test_everybody_enters_and_moves(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    ids = f"FROM range(2, {PEOPLE + 1}) AS r(i)"
    sql(
        tmp_path,
        f"INSERT INTO crm.customers SELECT i, 'UTC', 'p' || i || '@shop.example', NULL, 10 {ids};"
        f" INSERT INTO crm.consents SELECT i, TIMESTAMP '2026-01-01', 'in' {ids};"
        f" INSERT INTO shop.signups SELECT i, i, TIMESTAMP '{NOW}', 'web' {ids}",
    )
    opened = Runtime.open(loaded(tmp_path), "dev", now=NOW - HOUR, wait=0)
    assert opened.value is not None
    with opened.value as runtime:
        runtime.engine.execute("SET threads = 2")
        assert runtime.tick(NOW + HOUR).entered == PEOPLE
        rows = "SELECT count(*), count(DISTINCT run_id) FROM journey.run"
        assert runtime.engine.query(rows) == [(PEOPLE, PEOPLE)]
        on = "SELECT count(*) FROM journey.runs WHERE step = 'settle'"
        assert runtime.engine.query(on)[0][0] > 100_000
