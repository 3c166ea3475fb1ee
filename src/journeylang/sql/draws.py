"""The arms of experiments that learn.

An arm is for ever: whoever has an exposure keeps it. Everybody else gets the arm whose range
of the day their bucket lies in (`journey.weight`, one row per day and arm).
"""

from __future__ import annotations

from journeylang.sql.dialects import text
from journeylang.sql.scope import Scope


def arm(step: int, salt: str, scope: Scope) -> str:
    """The arm of a row; the joins that it needs are left with the scope."""
    d = scope.dialect
    who = f"{scope.customer if scope.rows.name is None else scope.rows.alias}.customer_id"
    drawn = [of for of in scope.further if isinstance(of, tuple) and of[0] == step]
    drawn += [(step, salt)] if (step, salt) not in drawn else []
    # An earlier version may draw by another salt beside.
    number = drawn.index((step, salt))
    x, y = (f"{name}{step}{f'_{number}' if number else ''}" for name in "xy")
    bucket = d.bucket(salt, who)
    scope.further[step, salt] = (
        f"\nLEFT JOIN journey.exposure AS {x} ON {x}.customer_id = {who}"
        f" AND {x}.experiment = {step} AND {x}.salt = {text(salt)}"
        f"\nLEFT JOIN journey.weight AS {y} ON {y}.experiment = {step}"
        f" AND {y}.salt = {text(salt)} AND {y}.day = CAST({d.parameter('now')} AS DATE)"
        f" AND {bucket} >= {y}.low AND {bucket} < {y}.high"
    )
    return f"coalesce({x}.arm, {y}.arm)"
