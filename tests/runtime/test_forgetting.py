"""Erasure: nothing leads back to who was forgotten, and what is counted stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from journeylang.engines.base import ConflictError
from journeylang.engines.postgres import PostgresEngine
from journeylang.runtime.forgetting import Forgotten, NotYet
from journeylang.runtime.forgetting import forget as erased
from journeylang.runtime.keys import key_literal, nobody
from journeylang.serve.records import Said, to_line
from journeylang.sql import forget
from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, NOW, address, at, contents, loaded, make, opened, sql

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
    sql(root, f"DELETE FROM crm.customers WHERE id = '{WHO}'")


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


# Names, texts and sums of the project's own, and of the runtime; by table.
OF_NOBODY = {
    "batch": {"holder"},
    "channel_pause": {"channel", "cause", "detail"},
    "list": {"path", "digest"},
    "list_entry": {"list"},
    "lock": {"name", "holder"},
    "meta": {"name", "value"},
    "migration": {"name"},
    "pause": {"cause", "detail"},
    "prospect": {"prospects", "consent", "source"},
    "revision": {"digest", "files", "versions"},
    "set_aside": {"source", "reason"},
    "source": {"digest", "content"},
    "step": {"path", "kind"},
    "suppression": {"channel", "reason"},
    "tracking_sum": {"channel", "name"},
    "version": {"name", "fingerprint", "plan"},
    "watermark": {"name"},
    "weight": {"salt", "arm"},
}

# Texts that tell of people, each of which has a way to go.
OF_PEOPLE = {
    **{name: {"value"} for name in forget.LISTS},
    "set_aside": {"key"},
    # It stays, with no key beside it.
    "suppression": {"address_hash"},
    "unclaimed": {"provider", "event_id", "line"},
}


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
    known = {name: {*personal, *PLAIN[name]} for name, personal in forget.KEPT.items()}
    for name in {*OF_NOBODY, *OF_PEOPLE}:
        known[name] = OF_NOBODY.get(name, set()) | OF_PEOPLE.get(name, set())
    for name in columns.keys() - set(forget.DELETED):
        texts = {column for column, kind in columns[name].items() if kind == "VARCHAR"}
        assert texts == known.get(name, set()), name
    numbered = {name for name in forget.KEPT if "run_id" in columns[name]}
    assert numbered == set(forget.NUMBERED)


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        ("duckdb", "VARCHAR"),
        ("duckdb", "DECIMAL(18,0)"),
        ("postgres", "numeric"),
        ("postgres", "numeric(20,0)"),
        ("postgres", "character(10)"),
        ("postgres", "character varying(10)"),
    ],
)
def test_keys_of_other_types(
    tmp_path: Path, engine: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, engine=engine)
    _keyed(tmp_path, kind, f"CAST({{}} + {WHO - 4} AS {kind})")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.deliver(NOW + HOUR)
    erase(tmp_path)
    found = run(tmp_path, monkeypatch, "--yes")
    assert found.exit_code == 0, found.output
    assert "message 1" in found.output
    assert KEY not in everything(tmp_path)
    with opened(tmp_path) as runtime:
        runtime.tick(NOW + timedelta(days=4))
        runtime.deliver(NOW + timedelta(days=4))
    assert KEY not in everything(tmp_path)


@pytest.mark.parametrize(
    ("engine", "kind", "made", "example"),
    [
        ("duckdb", "DATE", "DATE '2026-01-01' + CAST({} AS INTEGER)", "2026-01-05"),
        ("duckdb", "TIMESTAMP", "TIMESTAMP '2026-01-01' + to_days({})", "2026-01-05 00:00:00"),
        ("duckdb", "DOUBLE", "CAST({} + 0.1 AS DOUBLE)", "4.1"),
        ("duckdb", "UTINYINT", "CAST({} AS UTINYINT)", "4"),
        ("duckdb", "BLOB", "encode('k' || {})", "k4"),
        ("postgres", "DATE", "DATE '2026-01-01' + CAST({} AS INTEGER)", "2026-01-05"),
        ("postgres", "DOUBLE PRECISION", "CAST({} + 0.1 AS DOUBLE PRECISION)", "4.1"),
    ],
)
def test_whatever_a_key_is_its_customer_moves(
    tmp_path: Path,
    engine: str,
    kind: str,
    made: str,
    example: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(tmp_path, engine=engine)
    _keyed(tmp_path, kind, made)
    with opened(tmp_path, NOW - HOUR) as runtime:
        assert runtime.tick(NOW + HOUR).sent
        assert runtime.deliver(NOW + HOUR).accepted
        assert runtime.tick(NOW + timedelta(days=4)).moved
        assert {p.code.id for p in runtime.problems} == {"JRN807"}
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(cli, ["why", example])
    assert found.exit_code == 0, found.output
    assert "welcome" in found.output
    assert "JRN829" in CliRunner().invoke(cli, ["why", "nobody's"]).stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_of_dates_there_is_no_key_of_nobody(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, engine=engine)
    _keyed(tmp_path, "DATE", "DATE '2026-01-01' + CAST({} AS INTEGER)")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    before = everything(tmp_path)
    monkeypatch.chdir(tmp_path)
    for key in ("2026-01-05", "no date"):
        found = CliRunner().invoke(cli, ["forget", key, "--yes", "--known"])
        assert (found.exit_code, found.stdout) == (1, "")
        assert "keys are of type date, and none" in found.stderr.lower()
    assert everything(tmp_path) == before


def _keyed(root: Path, kind: str, made: str) -> None:
    """The world with another type of keys; `made` makes one from a number."""
    for table, column in (
        ("crm.customers", "id"),
        ("crm.consents", "customer_id"),
        ("shop.signups", "customer_id"),
        ("shop.orders", "customer_id"),
    ):
        sql(
            root,
            f"ALTER TABLE {table} ALTER {column} TYPE {kind} USING {made.format(column)}; SELECT 1",
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_key_of_nobody_is_no_customers(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, engine)
    sql(tmp_path, f"UPDATE crm.customers SET id = -7 WHERE id = {WHO}")
    drawn = iter(["5", "5", "-7", "-8"])
    monkeypatch.setattr("journeylang.runtime.forgetting.nobody", lambda _: next(drawn))
    assert run(tmp_path, monkeypatch, "--yes").exit_code == 0
    assert sql(tmp_path, "SELECT customer_id FROM journey.run WHERE customer_id < 0") == [(-8,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_said_of_their_messages_goes_too(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, engine)
    sql(tmp_path, f"UPDATE journey.receipt SET provider_id = 'p-1' WHERE customer_id = {WHO}")
    for event, message in (("theirs", "p-1"), ("others", "p-12")):
        said = Said(name="opened", message=message, provider="file", event_id=event, at=NOW)
        sql(
            tmp_path,
            "INSERT INTO journey.unclaimed VALUES"
            f" ('file', '{event}', TIMESTAMP '{NOW}', '{to_line(said).decode()}')",
        )
    erase(tmp_path)
    assert run(tmp_path, monkeypatch, "--yes").exit_code == 0
    assert sql(tmp_path, "SELECT event_id FROM journey.unclaimed") == [("others",)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_key_that_was_set_aside_goes_too(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, engine)
    sql(
        tmp_path,
        "INSERT INTO journey.set_aside VALUES"
        f" ('customers', '{KEY}', 'twice', 2, FALSE), ('customers', '7', 'twice', 2, FALSE)",
    )
    erase(tmp_path)
    assert run(tmp_path, monkeypatch, "--yes").exit_code == 0
    assert sql(tmp_path, "SELECT key FROM journey.set_aside") == [("7",)]


def test_who_had_their_messages_does_not_go_on(tmp_path: Path) -> None:
    """A worker whose lease has run out sees what was there before."""
    _queued(tmp_path)
    tokens = sql(tmp_path, "SELECT batch_id, token FROM journey.batch ORDER BY 1")
    worker, engine = at(tmp_path), at(tmp_path)
    try:
        with worker.transaction():
            worker.query("SELECT 1 FROM journey.batch")
            found = erased(engine, loaded(tmp_path).project, KEY, now=NOW + HOUR)
            assert isinstance(found, Forgotten)
            with pytest.raises(ConflictError):
                worker.query("SELECT b.token FROM journey.batch AS b FOR SHARE OF b")
    finally:
        worker.close()
        engine.close()
    assert sql(tmp_path, "SELECT batch_id, token - 1 FROM journey.batch ORDER BY 1") == tokens


@pytest.mark.parametrize("lasts", [True, False])
def test_a_lease_that_is_renewed_meanwhile_is_waited_for(tmp_path: Path, lasts: bool) -> None:
    """Whoever renews it wins; whoever only gives it back is not waited for."""
    _queued(tmp_path)
    until = NOW + HOUR * (2 if lasts else 1)
    renewed: list[str] = []

    def renew(statement: str) -> None:
        if statement.startswith("UPDATE journey.batch") and not renewed:
            renewed.append(statement)
            sql(tmp_path, f"UPDATE journey.batch SET lease_until = TIMESTAMP '{until}' RETURNING 1")

    engine = PostgresEngine.open(address(tmp_path), before=renew)
    try:
        found = erased(engine, loaded(tmp_path).project, KEY, now=NOW + HOUR)
    finally:
        engine.close()
    assert renewed
    assert found == NotYet(sending_until=until) if lasts else isinstance(found, Forgotten)


def _queued(root: Path) -> None:
    """A world on PostgreSQL in which a message of theirs waits, and they are erased."""
    make(root, engine="postgres")
    sql(root, f"UPDATE crm.customers SET id = {WHO} WHERE id = 4")
    for table in ("crm.consents", "shop.signups"):
        sql(root, f"UPDATE {table} SET customer_id = {WHO} WHERE customer_id = 4")
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    erase(root)


@pytest.mark.parametrize(
    "kind", ["SMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT"]
)
def test_a_key_of_nobody_is_one_of_its_type(kind: str) -> None:
    for _ in range(200):
        key = nobody(kind)
        assert key is not None
        assert key_literal(key, kind) == key
        assert key.startswith("-") != kind.startswith("U")
    assert UUID(nobody("UUID") or "").version == 4
    assert nobody("VARCHAR") != nobody("VARCHAR")


@pytest.mark.parametrize(
    ("kind", "most"),
    [("numeric", 18), ("numeric(3,0)", 3), ("DECIMAL(5, 2)", 3), ("DECIMAL(1)", 1)],
)
def test_a_key_of_nobody_has_not_more_digits_than_its_type(kind: str, most: int) -> None:
    for _ in range(200):
        key = nobody(kind)
        assert key is not None
        assert key_literal(key, kind) == key
        assert -(10**most) < int(key) < 0


def test_a_key_of_nobody_fits_its_column() -> None:
    for kind in ("character(10)", "varchar(10)", "CHARACTER VARYING(10)"):
        assert len(nobody(kind) or "") == 10
        assert nobody(kind) != nobody(kind)
    kinds = ("date", "timestamp without time zone", "double precision", "bytea", "numeric(2,2)")
    assert [nobody(kind) for kind in kinds] == [None] * len(kinds)


def test_what_is_no_number_is_no_key_that_is_one() -> None:
    given = ("5", "-5.00", "5e3", "x", "", "5'", "NaN")
    keys = [key_literal(key, "numeric(20,0)") for key in given]
    assert keys == ["5", "-5.00", None, None, None, None, None]
