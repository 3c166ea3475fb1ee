"""Taking people over from one version to the next: new ends of waits, and new steps to rest at.

`carried` first holds everybody whose wait ends otherwise or who rests elsewhere from now on. To
count them nothing is written: a plan asks for the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.classes import dataclass
from journeylang.model.types import TEXT
from journeylang.plan.operations import (
    ActionPark,
    MomentPark,
    OpeningHour,
    Park,
    RacePark,
    SendPark,
    StatePark,
    WaitPark,
)
from journeylang.plan.passes import Passes
from journeylang.sql.compiler import Compiler, zone_join
from journeylang.sql.dialects import Dialect
from journeylang.sql.moments import instant
from journeylang.sql.schema import ACTIVE, EXITED, WHY
from journeylang.sql.scope import Rows

CARRIED = {
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "step": "INTEGER",
    "target": "INTEGER",
    "wake_at": "TIMESTAMP",
    "reason": "VARCHAR",
    "passes": "INTEGER",
}

MOVED = "moved"
"""Why those have left whose step is gone, with nothing to go on to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """Those who rest at the step `source`, and rest at `park` from now on.

    With `again` the end of the wait is worked out from their arrival, and does not lie before now;
    else it stays. At a send they are tried at once. At the `same` step, in whichever version, they
    keep the reason of a hold; `passes` is what becomes of the loops around them.
    """

    source: int
    park: Park
    again: bool
    same: bool
    passes: Passes


def carry(compiler: Compiler, one: Carry) -> str:
    """Puts them into `carried`. {now}"""
    reason = "w.reason" if one.same else compiler.dialect.literal(None, TEXT)
    counted = f"w.passes - w.passes % {one.passes.kept} + {one.passes.added}"
    held, wake, rows = _held(compiler, one)
    return f"""INSERT INTO carried (customer_id, run_id, step, target, wake_at, reason, passes)
WITH {held}
SELECT w.customer_id, w.run_id, {one.source}, {one.park.step}, {wake}, {reason}, {counted}
FROM {rows}"""


def _held(compiler: Compiler, one: Carry) -> tuple[str, str, str]:
    """The rows `held` of those who rest there, when their wait ends from now on, and what of."""
    d, park = compiler.dialect, one.park
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    scope = compiler.scope(Rows(name="held"))
    zone, wake = "", "w.wake_at"
    match park:
        case SendPark() if one.again:
            wake = now
        case MomentPark(moment=moment) if one.again and not isinstance(moment, OpeningHour):
            wake = f"greatest(coalesce({instant(moment, scope)}, {now}), {now})"
        case WaitPark() | RacePark() | StatePark() if one.again:
            if park.seconds is not None:
                end = d.shift("w.arrived_at", str(park.seconds))
            else:
                scope.fields["timezone"] = None
                zone = zone_join(park.rule, 'c."_zone"', "w.arrived_at")
                end = f"coalesce(z.instant, {d.shift('w.arrived_at', 'z.shift')})"
            wake = f"greatest({end}, {now})"
        case ActionPark():
            raise AssertionError("nobody rests at an action")
        case _:
            pass
    joins = scope.joins()
    about = ""
    if scope.fields or joins or zone:
        about = f"\nLEFT JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id"
    held = f"""held AS (SELECT r.*, r.arrived_at AS left_at FROM journey.run AS r
  WHERE r.status = {ACTIVE} AND r.step = {one.source})"""
    return held, wake, f"held AS w{about}{zone}{joins}"


def counted(compiler: Compiler, all_: Sequence[Carry]) -> str:
    """{now} -> (step, later, earlier, at once, unchanged), without writing any of it."""
    now = f"CAST({compiler.dialect.parameter('now')} AS TIMESTAMP)"

    def of(condition: str) -> str:
        return f"count(*) FILTER (WHERE {condition})"

    parts = []
    for one in all_:
        held, wake, rows = _held(compiler, one)
        parts.append(f"""SELECT {one.source}, {of("t.ends > t.wake_at")},
  {of(f"t.ends < t.wake_at AND t.ends > {now}")},
  {of(f"t.ends < t.wake_at AND t.ends <= {now}")},
  {of("t.ends = t.wake_at")}
FROM (WITH {held} SELECT w.wake_at, {wake} AS ends FROM {rows}) AS t""")
    return "\nUNION ALL ".join(parts)


def carried(tick: int, d: Dialect) -> tuple[str, ...]:
    """Statements that write what is in `carried`; a step of another name is a transition. {now}"""
    return (
        f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick, from_step,
  to_step, why)
SELECT r.customer_id, r.run_id, r.journey, CAST({d.parameter("now")} AS TIMESTAMP), {tick}, t.step,
  t.target, {WHY["moved"]}
FROM carried AS t
JOIN journey.run AS r ON r.customer_id = t.customer_id AND r.run_id = t.run_id
WHERE t.target <> t.step""",
        """UPDATE journey.run AS r SET wake_at = t.wake_at, step = t.target, reason = t.reason,
  passes = t.passes
FROM carried AS t
WHERE r.customer_id = t.customer_id AND r.run_id = t.run_id
  AND (r.wake_at <> t.wake_at OR t.target <> t.step)""",
    )


def leave(step: int, tick: int, d: Dialect) -> tuple[str, ...]:
    """Statements by which everybody who rests at a step leaves. {now}"""
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    return (
        f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick, from_step,
  to_step, why)
SELECT r.customer_id, r.run_id, r.journey, {now}, {tick}, r.step, NULL, {WHY["moved"]}
FROM journey.run AS r WHERE r.status = {ACTIVE} AND r.step = {step}""",
        f"""UPDATE journey.run SET status = {EXITED}, reason = '{MOVED}', wake_at = NULL,
  step = NULL, arrived_at = {now}, ended_at = {now}
WHERE status = {ACTIVE} AND step = {step}""",
    )
