"""Those of whom arbitration has decided, where they come to: read from `decided` as it stands.

Behind most sends is a wait or the end, the same for everybody. What is written of them need
then not pass through `trail` first, which for a mass send is as much work as the deciding.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.plan.landing import landing
from journeylang.plan.operations import Program, SendPark
from journeylang.sql.compiler import zone_join
from journeylang.sql.dialects import Dialect
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import END, HELD, REST, SENT, local_waits


def landing_sends(program: Program) -> dict[int, bool]:
    """The sends whose decided need no row of `trail`: whether that takes their zone."""
    found = {}
    for plan in program.journeys:
        parks = {park.step: park for park in plan.parks}
        for send in (p for p in plan.parks if isinstance(p, SendPark)):
            leaf = landing(plan, send)
            if leaf is not None:
                park = None if leaf.step is None else parks[leaf.step]
                found[send.step] = getattr(park, "rule", None) is not None
    return found


def landed(d: Dialect, program: Program, columns: Sequence[str]) -> str:
    """Columns of `trail` for those decided of in the round {landed}; parameters {now, landed}."""
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    held = f"s.outcome = {HELD}"
    wake, zone = d.shift(now, "l.seconds"), ""
    if local_waits(program):
        wake = f"coalesce({wake}, z.instant, {d.shift(now, 'z.shift')})"
        zone = zone_join("l.rule", "s.zone", d.parameter("now"))
    written = {
        "from_step": "s.step",
        "step": f"CASE WHEN {held} THEN s.step ELSE l.step END",
        "arrived_at": f"CASE WHEN {held} THEN s.arrived_at ELSE {now} END",
        "left_at": f"CASE WHEN {held} THEN s.wake_at ELSE {wake} END",
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
    if "left_at" not in columns:
        zone = ""
    return f"""SELECT {listed}
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
  LEFT JOIN plan_leaf AS l ON l.journey = s.journey AND l.leaf = p.leaf AND s.outcome <> {HELD}{zone}
WHERE s.phase = {d.parameter("landed")}"""
