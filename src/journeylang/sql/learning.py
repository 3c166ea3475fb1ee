"""What is learnt from, and which channel that gives to whom.

The shares of a day are `journey.weight`, one row per day and arm. A send's best channel is
drawn anew each day.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.plan.operations import Learning
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.expressions import Rows


def outcomes(compiler: Compiler, learning: Learning) -> str:
    """{now} -> (arm, how many, of them converted), of all whose window has passed.

    An exposure is judged once per customer, a message by itself.
    """
    d, goal = compiler.dialect, learning.goal
    assert goal.within is not None, "checked: a goal to learn from has a window"
    scope = compiler.scope(Rows(name="begun"))
    # Runs are asked, each once: one may have had several messages.
    joined, about, asked = awaited(goal.event, goal.where, scope)
    conditions = ['e."_at" > w.first_at', *about, *asked]
    window = d.interval(goal.within)
    return f"""WITH judged AS (
  SELECT j.*, r.entered_at, r.entry
  FROM {_exposures(learning) if learning.judged == "exposures" else _messages(learning)} AS j
  JOIN journey.run AS r ON r.customer_id = j.customer_id AND r.run_id = j.run_id
  WHERE j.judged_at + {window} <= {d.parameter("now")}
), begun AS (
  SELECT customer_id, run_id, entered_at, entry, min(judged_at) AS first_at
  FROM judged GROUP BY customer_id, run_id, entered_at, entry
), reached AS (
  SELECT w.customer_id, w.run_id, e."_at" AS reached_at
  FROM {joined}
  WHERE {" AND ".join(conditions)}
)
SELECT j.arm, count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM reached AS k
  WHERE k.customer_id = j.customer_id AND k.run_id = j.run_id
    AND k.reached_at > j.judged_at AND k.reached_at <= j.judged_at + {window}))
FROM judged AS j GROUP BY j.arm"""


def _exposures(learning: Learning) -> str:
    return f"""(SELECT x.customer_id, x.run_id, x.arm, x."at" AS judged_at
    FROM journey.exposure AS x
    WHERE x.experiment = {learning.experiment} AND x.salt = {text(learning.salt)})"""


def _messages(learning: Learning) -> str:
    return f"""(SELECT m.customer_id, m.run_id, m.channel AS arm, m.decided_at AS judged_at
    FROM journey.message AS m
    WHERE m.step = {learning.step} AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b
      WHERE b.given_back AND b.message_id = m.message_id AND b.customer_id = m.customer_id))"""


def best_channel(d: Dialect, steps: Sequence[int]) -> str:
    """The join of rows `i` at these sends with the channel that the day gives them, `y.arm`."""
    day = f"CAST({d.parameter('now')} AS DATE)"
    bucket = f"({d.hash60('y.salt', d.as_text(day), d.as_text('i.customer_id'))} % 10000)"
    return (
        f"\n  LEFT JOIN journey.weight AS y ON y.experiment = i.step AND y.day = {day}"
        f" AND i.step IN ({', '.join(map(str, steps))}) AND {bucket} >= y.low AND {bucket} < y.high"
    )
