"""Statements of delivery that few deliveries need: understood by every engine."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from journeylang.delivery.ramp import Ramp, room
from journeylang.delivery.statements import Statements
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from tests.engines.databases import open_engine
from tests.runtime.world import NOW, SCHEMAS, TABLES, loaded, write


@pytest.mark.parametrize("name", ["duckdb", "postgres"])
def test_warmth_aged_doubts_and_suppression(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    with closing(open_engine(name)) as engine:
        for statement in f"{SCHEMAS};{TABLES}".split(";"):
            engine.execute(statement)
        session = prepare(engine, loaded(tmp_path).project, now=NOW)
        assert isinstance(session, Session), session
        sql = Statements(
            project=loaded(tmp_path).project,
            program=session.ready.program,
            dialect=engine.dialect,
            exclusive=engine.dialect.name == "duckdb",
        )
        days = [datetime.fromisoformat(f"2026-03-0{n}T12:00") for n in (1, 1, 2, 3)]
        for n, at in enumerate(days):
            engine.execute(
                "INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,"
                " version, step, occurrence, channel, counted, decided_at, expires_at) VALUES"
                f" (1, {n}, 1, {n}, 1, 1, 1, 1, 'email', TRUE, TIMESTAMP '{at}', TIMESTAMP '{at}')"
            )
            state = "submitting" if n == 0 else "accepted"
            engine.execute(
                'INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",'
                f" given_back) VALUES (1, {n}, 1, '{state}', TIMESTAMP '{at}', FALSE)"
            )
        # Two days went before, and one message went out today.
        assert room(engine, sql, "email", Ramp(first=4, percent=50), days[-1]) == 9 - 1
        assert room(engine, sql, "sms", Ramp(first=4, percent=50), days[-1]) == 4
        given = {"now": NOW, "batches": [1]}
        aged = sql.doubt(["email"], aged=True)
        assert engine.execute(aged, given | {"before": days[0]}) == 0
        assert engine.execute(aged, given | {"before": days[-1]}) == 1
        gone = {"now": NOW, "ids": [0, 1], "hashes": ["x", "y"]}
        engine.execute(sql.suppress, gone | {"reasons": ["hard_bounce", "unsubscribe"]})
        reasons = engine.query("SELECT reason FROM journey.suppression ORDER BY reason")
        assert reasons == [("hard_bounce",), ("unsubscribe",)]
