"""Values that are none of what the binding says are unknown, and somebody is told how many."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.test_soundness import place
from tests.runtime.world import HOUR, NOW, make, opened, sql


def test_rows_are_counted_by_column(tmp_path: Path) -> None:
    make(tmp_path)
    sql(tmp_path, "ALTER TABLE crm.customers ALTER points TYPE VARCHAR")
    sql(tmp_path, "UPDATE crm.customers SET points = 'many' WHERE id IN (5, 10)")
    sql(tmp_path, 'ALTER TABLE shop.signups ALTER "at" TYPE VARCHAR')
    sql(tmp_path, """UPDATE shop.signups SET "at" = '31.02.2026' WHERE id = 3""")
    with opened(tmp_path, NOW - HOUR) as runtime:
        assert runtime.standing == set()
        told = [(d.code.id, d.is_error, d.message) for d in runtime.problems]
        assert told == [
            ("JRN821", False, "`points` of `crm.customers` can't be read as int? in 2 rows"),
            ("JRN821", False, "`at` of `shop.signups` can't be read as instant in 1 rows"),
        ]
        assert place(runtime.problems[1], tmp_path) == ("JRN821", "s.at")
        runtime.tick(NOW + HOUR)
        entered = "SELECT customer_id FROM journey.runs WHERE journey = '{}' ORDER BY 1"
        loyal = runtime.engine.query(entered.format("loyal"))
        assert loyal == [(15,), (20,)], "without 5 and 10, of whom nobody knows the points"
        welcome = [n for (n,) in runtime.engine.query(entered.format("welcome"))]
        assert welcome == [n for n in range(1, 21) if n != 3]


def test_sound_tables_are_not_looked_at(tmp_path: Path) -> None:
    make(tmp_path)
    seen: list[str] = []
    with opened(tmp_path, NOW - HOUR, seen.append) as runtime:
        assert runtime.problems == []
        # But for money, of which the database's column may hold more.
        assert len([s for s in seen if "FILTER (WHERE t." in s]) <= 2
