"""What an adaptive experiment learns from, and which arm it gives to whom.

An arm is for ever: whoever has an exposure keeps it. Everybody else gets the arm whose
range of the day their bucket lies in (`journey.weight`, one row per day and arm).
"""

from __future__ import annotations

from journeylang.plan.operations import Learning, Split
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, Scope


def outcomes(compiler: Compiler, learning: Learning) -> str:
    """{now} -> (arm, customers, of them converted), of all whose window has passed."""
    d, goal = compiler.dialect, learning.goal
    assert goal.within is not None, "checked: a goal to learn from has a window"
    scope = compiler.scope(Rows(name="exposed"))
    joined, about, asked = awaited(goal.event, goal.where, scope)
    window = d.interval(goal.within)
    conditions = ['e."_at" > w.exposed_at', f'e."_at" <= w.exposed_at + {window}', *about, *asked]
    return f"""WITH exposed AS (
  SELECT x.customer_id, x.run_id, x.arm, x."at" AS exposed_at, r.entered_at, r.entry
  FROM journey.exposure AS x
  JOIN journey.run AS r ON r.customer_id = x.customer_id AND r.run_id = x.run_id
  WHERE x.experiment = {learning.step} AND x.salt = {text(learning.salt)}
    AND x."at" + {window} <= {d.parameter("now")}
), converted AS (
  SELECT DISTINCT w.customer_id
  FROM {joined}
  WHERE {" AND ".join(conditions)}
)
SELECT w.arm, count(*), count(k.customer_id)
FROM exposed AS w LEFT JOIN converted AS k ON k.customer_id = w.customer_id
GROUP BY w.arm"""


def arm(split: Split, scope: Scope) -> str:
    """The arm of a row; the joins that it needs are left with the scope."""
    d, alias = scope.dialect, f"{scope.rows.alias}.customer_id"
    x, y, salt = f"x{split.step}", f"y{split.step}", text(split.salt)
    bucket = d.bucket(split.salt, alias)
    scope.further[split.step] = (
        f"\nLEFT JOIN journey.exposure AS {x} ON {x}.customer_id = {alias}"
        f" AND {x}.experiment = {split.step} AND {x}.salt = {salt}"
        f"\nLEFT JOIN journey.weight AS {y} ON {y}.experiment = {split.step}"
        f" AND {y}.salt = {salt} AND {y}.day = CAST({d.parameter('now')} AS DATE)"
        f" AND {bucket} >= {y}.low AND {bucket} < {y}.high"
    )
    return f"coalesce({x}.arm, {y}.arm)"
