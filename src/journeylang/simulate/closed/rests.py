"""Waits and races: until they are over, somebody leaves, or the dry run ends."""

from __future__ import annotations

from journeylang.plan.operations import RacePark, WaitPark
from journeylang.simulate.closed.leaving import leaving
from journeylang.simulate.closed.stage import Stage
from journeylang.simulate.closed.ways import branches
from journeylang.sql.compiler import zone_join
from journeylang.sql.schema import WHY
from journeylang.sql.wakes import earliest, race_hits


def rest(stage: Stage, park: WaitPark | RacePark, here: str | None) -> None:
    """Those at a wait or a race: until it is over, they leave, or the dry run ends."""
    d = stage.compiler.dialect
    waiting, kind = stage.seen(f"waiting_{park.step}"), "VIEW"
    zone = ""
    wake = d.shift("w.arrived_at", str(park.seconds)) if park.seconds is not None else ""
    if park.rule is not None:
        zone = zone_join(park.rule, "w.zone", "w.arrived_at")
        wake = f"coalesce(z.instant, {d.shift('w.arrived_at', 'z.shift')})"
    own = ", ".join(f"w.{c}" for c in stage.own)
    came = []
    if here is not None:
        asked = f"{own}, w.arrived_at, w.now, w.last_reason, {wake} AS wake_at"
        came.append(f"SELECT {asked} FROM {here} AS w{zone}")
    if stage.goes_on:
        came.append(stage.underway.resting(park.step, own))
    rows = waiting
    if park.rule is not None and isinstance(park, WaitPark) and here is not None and len(came) == 1:
        # Who leaves by an exit is found without the zones' rules, so that they are asked once.
        rows = here
    elif park.rule is not None:
        waiting, kind = stage.table(f"waiting_{park.step}"), "TABLE"
        rows = waiting
    stage.do(f"CREATE OR REPLACE {kind} {waiting} AS {' UNION ALL '.join(came)}")
    hit = "CAST(NULL AS TIMESTAMP)"
    edge, why, joins = str(park.edge), str(WHY["due"]), ""
    if isinstance(park, RacePark):
        found = race_hits(stage.compiler, park, waiting, "w.arrived_at", since=False)
        hits = earliest(f"({found}) AS hits", [park])
        joins = (
            f"\nLEFT JOIN ({hits}) AS h ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
        )
        hit, edge = "h.at", f"coalesce(h.edge, {park.edge})"
        why = f"CASE WHEN h.at IS NULL THEN {WHY['timeout']} ELSE {WHY['event']} END"
    out = leaving(stage.compiler, stage.plan, stage.grid, rows, stage.since)
    left = stage.table(f"left_{park.step}")
    # An event at the deadline comes before it.
    stage.do(
        f"""CREATE OR REPLACE TABLE {left} AS
SELECT k.*, CASE WHEN k.out_at <= k.due THEN k.out_at ELSE k.due END AS now
FROM (SELECT {own}, w.arrived_at, w.wake_at, coalesce({hit}, w.wake_at) AS left_at,
    greatest(w.now, {stage.grid.tick(f"coalesce({hit}, w.wake_at)")}) AS due, {edge} AS edge,
    {why} AS why, {park.step} AS from_step, {out.tick} AS out_at, {out.reason} AS out_by
  FROM {waiting} AS w{joins}{out.joins}) AS k""",
        now=stage.grid.last,
    )
    stage.stay(left, park.step)
    last = d.instant(stage.grid.last)
    for edge_ in stage.edges(park.edge, *branches(park)):
        which = f"w.edge = {edge_.edge} AND w.due <= {last}"
        which += " AND NOT coalesce(w.out_at <= w.due, FALSE)"
        stage.advance(edge_, left, which)
