"""Erasure: nothing leads back to who was forgotten, and what is counted stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from journeylang.runtime.keys import key_literal, nobody
from journeylang.sql import forget
from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, NOW, address, at, contents, make, opened, sql

WHO = 4_815_162_342
KEY = str(WHO)
CANARIES = (KEY, "canary")

PLAIN = {
    "run": {"reason"},
    "transition": set[str](),
    "message": {"channel", "topic", "action"},
    "receipt": {"state", "provider"},
    "decision": {"reason"},
    # It is hashed anew.
    "message_event": {"provider", "name", "event_id"},
    "exposure": {"arm", "salt"},
    "budget_use": {"budget"},
    "promo_code": {"promo", "code"},
}
"""Texts of rows that stay, which are the program's and tell of nobody."""

PERSONAL = f"""
INSERT INTO journey.profile VALUES ({WHO}, 'size', 'canary', TIMESTAMP '2026-03-01', 1, 1, 1);
INSERT INTO journey.consent_change VALUES ({WHO}, 'email_ok', TIMESTAMP '2026-03-01', TRUE, 'page');
INSERT INTO journey.preference VALUES ({WHO}, 'pace', 'weekly', TIMESTAMP '2026-03-01');
INSERT INTO journey.notice VALUES
  ('n', {WHO}, 'crm', 'canary', TIMESTAMP '2026-03-01', 1, 'open', TIMESTAMP '2026-03-01', NULL);
INSERT INTO journey.suppression VALUES
  ({WHO}, 'email', 'abc', TIMESTAMP '2026-03-01', 'unsubscribe'),
  ({WHO}, 'sms', NULL, TIMESTAMP '2026-03-01', 'stop');
INSERT INTO journey.list_entry VALUES ('a.csv', '{KEY}'), ('b.csv', 'canary@shop.example'),
  ('b.csv', 'other@shop.example');
INSERT INTO journey.message_event
  SELECT customer_id, message_id, 'file', '{KEY}-1', 'replied', TIMESTAMP '2026-03-02 12:00',
    'canary', NULL FROM journey.message WHERE customer_id = {WHO};
UPDATE journey.receipt SET detail = 'canary', provider_id = '{KEY}' WHERE customer_id = {WHO}"""

COUNTED = {
    "run": "journey, entered_at",
    "transition": "journey, from_step, to_step, why",
    "decision": "journey, step, reason",
    "message": "journey, step, channel, cost",
    "exposure": "experiment, arm",
    "message_event": "name",
}


def shop(root: Path, engine: str) -> None:
    """A world in which somebody with a remarkable key has got one message and waits."""
    make(root, engine=engine)
    for table, column in (
        ("crm.customers", "id"),
        ("crm.consents", "customer_id"),
        ("shop.signups", "customer_id"),
    ):
        sql(root, f"UPDATE {table} SET {column} = {WHO} WHERE {column} = 4")
    sql(root, f"UPDATE crm.customers SET email = 'canary@shop.example' WHERE id = {WHO}")
    sql(root, f"UPDATE shop.signups SET source = 'canary' WHERE customer_id = {WHO}")
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.deliver(NOW + HOUR)


def erase(root: Path) -> None:
    sql(root, f"DELETE FROM crm.customers WHERE id = {WHO}")


def run(root: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "160")
    return CliRunner().invoke(cli, ["forget", KEY, *more])


def counted(root: Path) -> list[list[tuple[object, ...]]]:
    """How many rows there are of what figures are made by; nobody's end is no step of theirs."""
    engine = at(root)
    try:
        return [
            engine.query(
                f"SELECT {by}, count(*), count(DISTINCT t.customer_id) FROM journey.{table} AS t"
                f" WHERE {'why <> 13' if table == 'transition' else 'TRUE'}"
                f" GROUP BY {by} ORDER BY {by}"
            )
            for table, by in COUNTED.items()
        ]
    finally:
        engine.close()


def everything(root: Path) -> str:
    engine = at(root)
    try:
        return str(contents(engine, without=("revision", "source", "version")))
    finally:
        engine.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_leads_back_and_the_sums_stay(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, engine)
    sql(tmp_path, PERSONAL)
    runs = [
        n for (n,) in sql(tmp_path, f"SELECT run_id FROM journey.run WHERE customer_id = {WHO}")
    ]
    assert runs
    assert all(canary in everything(tmp_path) for canary in CANARIES)
    before = counted(tmp_path)
    erase(tmp_path)
    found = run(tmp_path, monkeypatch, "--yes", "--address", "Canary@shop.example ")
    assert found.exit_code == 0, found.output
    left = everything(tmp_path)
    assert not [canary for canary in CANARIES if canary in left]
    assert not [number for number in runs if str(number) in left]
    assert counted(tmp_path) == before
    assert sql(tmp_path, "SELECT customer_id, address_hash FROM journey.suppression") == [
        (None, "abc")
    ]
    assert sql(tmp_path, "SELECT value FROM journey.list_entry") == [("other@shop.example",)]
    assert run(tmp_path, monkeypatch, "--yes").output == "nothing was kept of them\n"
    with opened(tmp_path) as runtime:
        runtime.tick(NOW + timedelta(days=4))
        runtime.deliver(NOW + timedelta(days=4))
    assert not [canary for canary in CANARIES if canary in everything(tmp_path)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_waits_is_not_sent(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, engine=engine)
    sql(tmp_path, f"UPDATE crm.customers SET id = {WHO} WHERE id = 4")
    for table in ("crm.consents", "shop.signups"):
        sql(tmp_path, f"UPDATE {table} SET customer_id = {WHO} WHERE customer_id = 4")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    state = "SELECT state, count(*) FROM journey.messages GROUP BY 1 ORDER BY 1"
    [(_, queued)] = sql(tmp_path, state)
    erase(tmp_path)
    assert run(tmp_path, monkeypatch, "--yes").exit_code == 0
    assert sql(tmp_path, state) == [("cancelled", 1), ("queued", queued - 1)]
    with opened(tmp_path) as runtime:
        runtime.deliver(NOW + HOUR)
    assert sql(tmp_path, state) == [("accepted", queued - 1), ("cancelled", 1)]
    statuses = "SELECT status, count(*) FROM journey.runs WHERE customer_id < 0 GROUP BY 1"
    assert sql(tmp_path, statuses) == [("gone", 1)]


def test_who_is_still_a_customer_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, "duckdb")
    before = everything(tmp_path)
    found = run(tmp_path, monkeypatch, "--yes")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "still among the customers" in found.stderr
    assert everything(tmp_path) == before
    assert run(tmp_path, monkeypatch, "--yes", "--known").exit_code == 0


def test_what_is_being_sent_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, engine="postgres")
    sql(tmp_path, f"UPDATE crm.customers SET id = {WHO} WHERE id = 4")
    for table in ("crm.consents", "shop.signups"):
        sql(tmp_path, f"UPDATE {table} SET customer_id = {WHO} WHERE customer_id = 4")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    erase(tmp_path)
    soon = "(clock_timestamp() AT TIME ZONE 'UTC') + INTERVAL '1' MINUTE"
    sql(tmp_path, f"UPDATE journey.batch SET holder = 'other', lease_until = {soon} RETURNING 1")
    before = everything(tmp_path)
    found = run(tmp_path, monkeypatch, "--yes")
    assert found.exit_code == 1
    assert "messages are on their way; again after" in found.stderr
    assert everything(tmp_path) == before


def test_it_is_for_good_and_somebody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, "duckdb")
    erase(tmp_path)
    found = run(tmp_path, monkeypatch)
    assert found.exit_code == 2
    assert "say --yes" in found.stderr
    shown = json.loads(run(tmp_path, monkeypatch, "--yes", "--output", "json").output)
    assert shown["format_version"] == 1
    assert shown["kept"]["message"] == 1
    assert shown["listed"] == 0


def test_where_nothing_ran_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, engine="duckdb")
    found = run(tmp_path, monkeypatch, "--yes")
    assert found.exit_code == 2
    assert "nothing has run in `dev` yet" in found.stderr


def test_each_table_of_people_has_its_way(tmp_path: Path) -> None:
    make(tmp_path, engine="duckdb")
    with opened(tmp_path) as runtime:
        rows = runtime.engine.query(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE schema_name = 'journey' AND table_name IN (SELECT table_name FROM"
            " duckdb_tables() WHERE schema_name = 'journey')"
        )
    assert address(tmp_path)
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(table, {})[column] = kind
    of_people = {name for name, known in columns.items() if "customer_id" in known}
    assert of_people == set(forget.OWN)
    for name, personal in forget.KEPT.items():
        texts = {column for column, kind in columns[name].items() if kind == "VARCHAR"}
        assert texts == {*personal, *PLAIN[name]}, name
    numbered = {name for name in forget.KEPT if "run_id" in columns[name]}
    assert numbered == set(forget.NUMBERED)


@pytest.mark.parametrize(
    "kind", ["SMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT"]
)
def test_a_key_of_nobody_is_one_of_its_type(kind: str) -> None:
    for _ in range(200):
        key = nobody(kind)
        assert key_literal(key, kind) == key
        assert key.startswith("-") != kind.startswith("U")
    assert UUID(nobody("UUID")).version == 4
    assert nobody("VARCHAR") != nobody("VARCHAR")
