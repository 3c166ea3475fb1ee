"""Rows whose keys are wrong: a few are set aside and counted, and everybody else moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journeylang.api import Runtime
from journeylang.cli.main import cli
from journeylang.engines.base import Engine
from journeylang.runtime.aside import MOST
from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, NOW, loaded, make, opened, sql

pytestmark = pytest.mark.parametrize("engine", ENGINES)

# Customers 3 and 5 twice, 5 with points enough to be loyal; sign-up 2 twice; nobody's rows.
WRONG = """
INSERT INTO crm.customers SELECT * FROM crm.customers WHERE id IN (3, 5);
INSERT INTO crm.customers (points) VALUES (90);
INSERT INTO shop.signups SELECT * FROM shop.signups WHERE id = 2;
INSERT INTO shop.signups (customer_id, "at") SELECT customer_id, "at" FROM shop.signups WHERE id = 4
"""
TOLD = {
    "key `id` of `crm.customers` is null in 1 row; none of those counts",
    "key `id` of `crm.customers` is not unique: 4 rows share one; none of those counts",
    "key `id` of `shop.signups` is null in 1 row; none of those counts",
    "key `id` of `shop.signups` is not unique: 2 rows share one; none of those counts",
}


def messages(runtime: Runtime) -> set[str]:
    return {d.message for d in runtime.problems if d.code.id in ("JRN805", "JRN806")}


def inside(engine: Engine, journey: str) -> set[Any]:
    found = engine.query(f"SELECT customer_id FROM journey.runs WHERE journey = '{journey}'")
    assert len(found) == len(set(found))
    return {who for (who,) in found}


def without(*numbers: int, of: range = range(1, 21)) -> set[int]:
    return set(of) - set(numbers)


def test_everybody_else_moves(tmp_path: Path, engine: str) -> None:
    root = make(tmp_path, engine=engine)
    sql(root, WRONG)
    with opened(root, NOW - HOUR) as runtime:
        assert messages(runtime) == TOLD
        assert not any(d.is_error for d in runtime.problems)
        assert all(d.span is not None and d.help for d in runtime.problems)
        assert runtime.standing == set()
        runtime.tick(NOW + HOUR)
        assert inside(runtime.engine, "welcome") == without(2, 3, 5)
        assert inside(runtime.engine, "loyal") == {10, 15, 20}
        sent = runtime.deliver(NOW + HOUR)
        assert sent.accepted == runtime.engine.query("SELECT count(*) FROM journey.message")[0][0]
        assert sorted(
            runtime.engine.query("SELECT source, key, reason, rows, stops FROM journey.set_aside"),
            key=str,
        ) == [
            ("customers", "3", "key not unique", 2, False),
            ("customers", "5", "key not unique", 2, False),
            ("customers", None, "no key", 1, False),
            ("event signed_up", "2", "key not unique", 2, False),
            ("event signed_up", None, "no key", 1, False),
        ]
    # Not counted again, they are still known.
    again = Runtime.open(loaded(root), "dev", now=NOW + HOUR, wait=0, examine_keys=False)
    assert again.value is not None
    with again.value as runtime:
        assert messages(runtime) == TOLD
        runtime.tick(NOW + 2 * HOUR)
        assert inside(runtime.engine, "welcome") == without(2, 3, 5)


def test_the_exit_code_and_the_count_of_a_run(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path, engine=engine)
    sql(root, WRONG)
    monkeypatch.chdir(root)
    result = CliRunner().invoke(cli, ["run", "--now", f"{NOW + HOUR:%Y-%m-%dT%H:%M}"])
    assert result.exit_code == 0, result.output
    assert "warning[JRN805]: key `id` of `crm.customers` is not unique: 4 rows" in result.output


def test_what_was_mended_counts_from_then_on(tmp_path: Path, engine: str) -> None:
    root = make(tmp_path, engine=engine)
    sql(root, WRONG)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    sql(root, "DELETE FROM crm.customers WHERE id IN (3, 5) OR id IS NULL")
    sql(root, "INSERT INTO crm.customers (id, points) VALUES (3, 0), (5, 70)")
    sql(root, "DELETE FROM shop.signups WHERE id IN (2) OR id IS NULL")
    with opened(root, NOW + HOUR) as runtime:
        assert messages(runtime) == set()
        runtime.tick(NOW + 2 * HOUR)
        assert inside(runtime.engine, "loyal") == {5, 10, 15, 20}
        assert inside(runtime.engine, "welcome") >= without(2)
        assert runtime.engine.query("SELECT * FROM journey.set_aside") == []


def test_who_is_in_and_becomes_two_rows_leaves(tmp_path: Path, engine: str) -> None:
    """Nothing goes to somebody of whom there are two; their neighbours notice nothing."""
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        # Decided, and not let out yet.
        waits = {w for (w,) in runtime.engine.query("SELECT customer_id FROM journey.messages")}
    assert {4, 6} <= waits
    sql(root, "INSERT INTO crm.customers SELECT * FROM crm.customers WHERE id = 4")
    with opened(root, NOW + HOUR) as runtime:
        runtime.deliver(NOW + HOUR)
        states = dict(
            runtime.engine.query("SELECT customer_id, state FROM journey.messages"),
        )
        assert states[4] == "cancelled"
        assert states[6] == "accepted"
        runtime.tick(NOW + 26 * HOUR)
        runtime.tick(NOW + 26 * HOUR + 3 * 24 * HOUR)
        found = dict(
            runtime.engine.query(
                "SELECT customer_id, status FROM journey.runs WHERE journey = 'welcome'"
            )
        )
        assert found[4] == "gone"
        assert found[6] != "gone"


@pytest.mark.parametrize("table", ["crm.customers", "shop.signups"])
def test_rows_without_a_key_that_come_between_two_ticks(
    tmp_path: Path, engine: str, table: str
) -> None:
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW)
        if table == "crm.customers":
            runtime.engine.execute("INSERT INTO crm.customers (points) VALUES (90)")
        else:
            runtime.engine.execute(
                'INSERT INTO shop.signups (customer_id, "at")'
                f" SELECT 1, TIMESTAMP '{NOW + HOUR / 2}'"
            )
        runtime.tick(NOW + HOUR)
        assert runtime.standing == set()
        assert inside(runtime.engine, "welcome") == without()
        assert inside(runtime.engine, "loyal") == {5, 10, 15, 20}


def test_a_second_row_that_comes_between_two_ticks(tmp_path: Path, engine: str) -> None:
    """Keys of the runtime's own tables tell."""
    if engine == "duckdb":
        pytest.skip("there a tick's tables have no keys: the next count tells")
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW)
        runtime.engine.execute("INSERT INTO crm.customers SELECT * FROM crm.customers WHERE id = 6")
        runtime.tick(NOW + HOUR)
        assert runtime.standing == set()
        assert inside(runtime.engine, "welcome") == without(6)


@pytest.mark.parametrize("table", ["crm.customers", "shop.signups"])
def test_too_many_are_no_slips(tmp_path: Path, engine: str, table: str) -> None:
    root = make(tmp_path, engine=engine)
    many = f"FROM generate_series(1, {MOST // 20 + 1})"
    sql(root, f"INSERT INTO {table} SELECT t.* FROM (SELECT 1 AS n {many}) AS s, {table} AS t")
    outcome = Runtime.open(loaded(root), "dev", now=NOW - HOUR, wait=0)
    [told] = [d for d in outcome.diagnostics if d.is_error]
    assert told.code.id == "JRN805"
    assert "too many to be slips" in told.message
    if table == "crm.customers":
        assert outcome.value is None
        return
    assert outcome.value is not None
    with outcome.value as runtime:
        assert runtime.standing == {"welcome"}
    # Nor are they at the next tick of a run that goes on.
    again = Runtime.open(loaded(root), "dev", now=NOW - HOUR, wait=0, examine_keys=False)
    assert again.value is not None
    with again.value as runtime:
        assert runtime.standing == {"welcome"}
        assert [d.message for d in runtime.problems] == [told.message]
