"""Those of whom arbitration has decided, where they come to: read from `decided` as it stands.

Behind most sends is a wait or the end, the same for everybody. What is written of them need
then not pass through `trail` first, which for a mass send is as much work as the deciding.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.plan.operations import Program
from journeylang.sql.compiler import zone_join
from journeylang.sql.dialects import Dialect
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import END, HELD, REST, SENT, landing_sends


def wake(d: Dialect, program: Program, held: str, otherwise: str) -> tuple[str, str]:
    """When those of `judged AS i` go on, and the joins that tell it behind `plan_send AS s`.

    `otherwise`: who waits there (`held`).
    """
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    joins = "\nLEFT JOIN plan_leaf AS l ON l.journey = i.journey AND l.leaf = s.leaf"
    at = d.shift(now, "l.seconds")
    if any(landing_sends(program).values()):
        at = f"coalesce({at}, z.instant, {d.shift(now, 'z.shift')})"
        joins += zone_join("l.rule", "i.zone", d.parameter("now"))
    return f"CASE WHEN {held} THEN {otherwise} ELSE {at} END", joins


def landed(d: Dialect, columns: Sequence[str]) -> str:
    """Columns of `trail` for those decided of in the round {landed}; parameters {now, landed}."""
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    held = f"s.outcome = {HELD}"
    written = {
        "from_step": "s.step",
        "step": f"CASE WHEN {held} THEN s.step ELSE l.step END",
        "arrived_at": f"CASE WHEN {held} THEN s.arrived_at ELSE {now} END",
        "left_at": "s.wake_at",
        "fate": f"CASE WHEN l.kind = 'end' THEN {END} ELSE {REST} END",
        "status": f"coalesce(l.status, {ACTIVE})",
        "reason": f"CASE WHEN {held} THEN s.reason ELSE l.reason END",
        "why": (
            f"CASE WHEN {held} THEN {WHY['held']} WHEN s.outcome = {SENT} THEN {WHY['sent']}"
            f" ELSE {WHY['skipped']} END"
        ),
        "passes": "coalesce(s.passes - s.passes % l.kept + l.added, s.passes)",
    }
    listed = ", ".join(f"{written.get(name, f's.{name}')} AS {name}" for name in columns)
    return f"""SELECT {listed}
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
  LEFT JOIN plan_leaf AS l ON l.journey = s.journey AND l.leaf = p.leaf AND s.outcome <> {HELD}
WHERE s.phase = {d.parameter("landed")}"""
