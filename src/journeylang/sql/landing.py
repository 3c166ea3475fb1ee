"""Those of whom arbitration has decided, where they come to: read from `decided` as it stands.

Behind most sends is a wait or the end, the same for everybody. What is written of them need
then not pass through `trail` first, which for a mass send is as much work as the deciding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from journeylang.plan.operations import Program
from journeylang.sql.compiler import zone_join
from journeylang.sql.dialects import Dialect
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import HELD, REST, SENT, landings


def wake(
    d: Dialect, program: Program, steps: Collection[int], held: str, otherwise: str
) -> tuple[str, str]:
    """When those of `judged AS i` at these steps go on, and the joins that tell it.

    `otherwise`: who waits there (`held`).
    """
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    rows = (row for plan in program.journeys for row in landings(plan))
    ahead = {(row[5], row[6]) for row in rows if row[0] in steps}
    seconds, rule, joins = "l.seconds", "l.rule", "\nJOIN plan_landing AS l ON l.step = i.step"
    if len(ahead) == 1:
        # The same for all: nothing needs to be looked up.
        [(of, by)] = ahead
        seconds, rule, joins = str(of or "NULL"), str(by), ""
    at = d.shift(now, f"CAST({seconds} AS BIGINT)")
    if any(by is not None for _, by in ahead):
        at = f"coalesce({at}, z.instant, {d.shift(now, 'z.shift')})"
        joins += zone_join(rule, "i.zone", d.parameter("now"))
    return f"CASE WHEN {held} THEN {otherwise} ELSE {at} END", joins


def landed(d: Dialect, columns: Sequence[str]) -> str:
    """Columns of `trail` for those decided of in the round {landed}; parameters {now, landed}."""
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    held = f"s.outcome = {HELD}"
    written = {
        "from_step": "s.step",
        "step": f"CASE WHEN {held} THEN s.step ELSE l.to_step END",
        "arrived_at": f"CASE WHEN {held} THEN s.arrived_at ELSE {now} END",
        "left_at": "s.wake_at",
        "fate": f"CASE WHEN {held} THEN {REST} ELSE l.fate END",
        "status": f"CASE WHEN {held} THEN {ACTIVE} ELSE l.status END",
        "reason": f"CASE WHEN {held} THEN s.reason ELSE l.reason END",
        "why": (
            f"CASE WHEN {held} THEN {WHY['held']} WHEN s.outcome = {SENT} THEN {WHY['sent']}"
            f" ELSE {WHY['skipped']} END"
        ),
        "passes": (
            f"CASE WHEN {held} THEN s.passes ELSE s.passes - s.passes % l.kept + l.added END"
        ),
    }
    listed = ", ".join(f"{written.get(name, f's.{name}')} AS {name}" for name in columns)
    return f"""SELECT {listed}
FROM decided AS s JOIN plan_landing AS l ON l.step = s.step
WHERE s.phase = {d.parameter("landed")}"""
