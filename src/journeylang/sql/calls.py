"""Calls outside: decided like messages, but by no rule, and put into the same outbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from journeylang.model.types import TEXT
from journeylang.plan.operations import ActionPark, Call, JourneyPlan, Park, Program
from journeylang.plan.passes import weight
from journeylang.sql.actions import acting_rows, per_step
from journeylang.sql.arbitration import BATCH
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows
from journeylang.sql.given import given_value
from journeylang.sql.schema import CALLS
from journeylang.sql.writes import version

EXPIRES = 7 * 86_400
"""Seconds after which a call that has not gone out is no longer made."""


def is_call(park: Park) -> bool:
    """Whether it is a step that calls: the arrival behind it is the tick's."""
    return isinstance(park, ActionPark) and isinstance(park.act, Call)


def calls(compiler: Compiler, plans: Sequence[JourneyPlan], steps: Collection[int]) -> str | None:
    """The statement for those who stand at these steps; None if none of them calls.

    Parameters {now, round, base}. The hash of (run, step, occurrence) names a call outside.
    """
    d = compiler.dialect
    scope = compiler.scope(Rows(name="acting"))
    scope.written = True
    channels, actions, contents, loops = {}, {}, {}, {}
    for park in (p for plan in plans for p in plan.parks if p.step in steps):
        if not isinstance(park, ActionPark) or not isinstance(park.act, Call):
            continue
        call = park.act
        channels[park.step] = text(CALLS + call.service)
        actions[park.step] = text(call.action)
        contents[park.step] = (
            d.json_object((name, given_value(value, scope)) for name, value in call.values)
            if call.values
            else d.literal(None, TEXT)
        )
        if call.depth:
            loops[park.step] = d.whole_quotient("w.passes", str(weight(call.depth)))
    if not channels:
        return None
    occurrence = f"coalesce({per_step(loops)}, 1)" if loops else "1"
    number = f"{d.parameter('base')} + row_number() OVER () - 1"
    now = d.parameter("now")
    of = version(Program(journeys=tuple(plans), rules=()), "m.step")
    base = compiler.base(*scope.fields)
    return f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, content, action)
{acting_rows(compiler, channels)}, called AS (
  SELECT w.customer_id, w.run_id, w.journey, w.step, {occurrence} AS occurrence,
    {per_step(channels)} AS channel, {per_step(contents)} AS content,
    {per_step(actions)} AS action, {number} AS message_id
  FROM acting AS w
  JOIN {base} AS c ON c.customer_id = w.customer_id{scope.joins()}
)
SELECT m.customer_id, m.message_id, {d.whole_quotient("m.message_id", str(BATCH))}, m.run_id,
  m.journey, {of}, m.step, m.occurrence, m.channel, FALSE, {now},
  {now} + {d.interval(EXPIRES)}, m.content, m.action
FROM called AS m JOIN plan_version AS v ON v.journey = m.journey"""
