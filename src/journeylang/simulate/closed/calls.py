"""Calls outside: everybody who comes to one is passed on by the tick that brings them."""

from __future__ import annotations

from journeylang.plan.operations import ActionPark, Call
from journeylang.simulate.closed.sends import Sends
from journeylang.sql.arbitration import BATCH
from journeylang.sql.calls import EXPIRES
from journeylang.sql.dialects import text
from journeylang.sql.schema import CALLS, WHY


def call(sends: Sends, park: ActionPark, act: Call, here: str) -> None:
    """Those at a call, none of whom rests there. What is handed over goes to nobody."""
    stage = sends.stage
    own = ", ".join(f"w.{c}" for c in stage.own)
    called = stage.table(f"called_{park.step}")
    stage.do(f"""CREATE OR REPLACE TABLE {called} AS
SELECT {own}, w.now, w.now AS left_at, {park.step} AS from_step, {WHY["done"]} AS why
FROM {here} AS w""")
    [[rows]] = stage.ask(f"SELECT count(*) FROM {called}")
    number = sends.numbers(rows)
    expires = stage.compiler.dialect.shift("w.now", str(EXPIRES))
    stage.do(f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, action)
SELECT w.customer_id, {number}, {number} // {BATCH}, w.run_id, {stage.plan.journey},
  {stage.traces.version}, {park.step}, 1, {text(CALLS + act.service)}, FALSE, w.now, {expires},
  {text(act.action)} FROM {called} AS w""")
    (edge,) = stage.edges(park.edge)
    stage.advance(edge, called, "TRUE")
