"""Taking people over from one version to the next: new ends of waits, and new steps to rest at.

`carried` first holds everybody whose wait ends otherwise or who rests elsewhere from now on, so
that they can be counted before anything is written.
"""

from __future__ import annotations

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


def carry(
    compiler: Compiler, source: int, park: Park, *, again: bool, same: bool, passes: Passes
) -> str:
    """Puts those who rest at the step `source` into `carried`: they rest at `park` from now on.

    {now}. With `again` the end of the wait is worked out from their arrival, and does not lie
    before now; else it stays. At a send they are tried at once. At the `same` step, in whichever
    version, they keep the reason of a hold; `passes` is what becomes of the loops around them.
    """
    d = compiler.dialect
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    scope = compiler.scope(Rows(name="held"))
    zone, wake = "", "w.wake_at"
    match park:
        case SendPark() if again:
            wake = now
        case MomentPark(moment=moment) if again and not isinstance(moment, OpeningHour):
            wake = f"greatest(coalesce({instant(moment, scope)}, {now}), {now})"
        case WaitPark() | RacePark() | StatePark() if again:
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
    reason = "w.reason" if same else d.literal(None, TEXT)
    counted = f"w.passes - w.passes % {passes.kept} + {passes.added}"
    return f"""INSERT INTO carried (customer_id, run_id, step, target, wake_at, reason, passes)
WITH held AS (SELECT r.*, r.arrived_at AS left_at FROM journey.run AS r
  WHERE r.status = {ACTIVE} AND r.step = {source})
SELECT w.customer_id, w.run_id, {source}, {park.step}, {wake}, {reason}, {counted}
FROM held AS w{about}{zone}{joins}"""


def counted(d: Dialect) -> str:
    """{now} -> (step, later, earlier, at once, unchanged) of those in `carried`."""
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"

    def of(condition: str) -> str:
        return f"count(*) FILTER (WHERE {condition})"

    once = f"t.wake_at < r.wake_at AND t.wake_at <= {now}"
    return f"""SELECT t.step, {of("t.wake_at > r.wake_at")},
  {of(f"t.wake_at < r.wake_at AND t.wake_at > {now}")}, {of(once)},
  {of("t.wake_at = r.wake_at")}
FROM carried AS t
JOIN journey.run AS r ON r.customer_id = t.customer_id AND r.run_id = t.run_id
GROUP BY t.step"""


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
