"""Who leaves a park by themselves: the wait is over, or what was awaited is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journeylang.model.expressions import BoundEvent, EventSource
from journeylang.plan.operations import JourneyPlan, RacePark, StatePark
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler, insert_head, select
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.news import News, changed_people
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import END, GO


def news_of(source: EventSource) -> str:
    """Under which name the arrival of an event's rows is watched."""
    if isinstance(source, BoundEvent):
        return source.name
    return "sent" if source.name == "sent" else "feedback"


def run_rows(condition: str) -> str:
    return f"SELECT r.* FROM journey.run AS r WHERE r.status = {ACTIVE} AND {condition}"


WAKING = (
    *("round", "customer_id", "run_id", "journey", "edge", "step", "arrived_at", "left_at"),
    *("entered_at", "fate", "status", "reason", "entry", "going", "passes", "fresh"),
)


def wake(
    compiler: Compiler,
    plans: Sequence[JourneyPlan],
    looks: Mapping[int, News | None],
    *,
    left: bool,
) -> str:
    """The statement that puts those who leave a park into `trail`."""
    return f"{insert_head(WAKING)}\n{waking(compiler, plans, looks, left=left)}"


def waking(
    compiler: Compiler,
    plans: Sequence[JourneyPlan],
    looks: Mapping[int, News | None],
    *,
    left: bool,
) -> str:
    """Selects those who leave a park, with the columns `WAKING` of `trail`.

    `looks`: journeys whose conditions are asked, and of whom, if not all. `left`: some have
    left in this tick.
    """
    races = [p for plan in plans for p in plan.parks if isinstance(p, RacePark)]
    asked = [plan for plan in plans if plan.journey in looks]
    states = [
        (p, f"changed_{plan.journey}" if looks[plan.journey] is not None else None)
        for plan in asked
        for p in plan.parks
        if isinstance(p, StatePark)
    ]
    d = compiler.dialect
    hits, join = "", ""
    edge, going = "k.edge", "k.going"
    left_at = "CASE WHEN k.kind = 'send' THEN w.arrived_at ELSE w.wake_at END"
    awake = f"w.wake_at <= {d.parameter('now')}"
    if races or states:
        steps = [(p.step, None) for p in races] + [(p.step, among) for p, among in states]
        changed = [
            changed_people(people, f"changed_{plan.journey}")
            for plan in asked
            if (people := looks[plan.journey]) is not None
        ]
        per_race = ",\n".join([*changed, *(_at_step(step, among) for step, among in steps)])
        found = "\n  UNION ALL ".join(
            [race_hits(compiler, p, f"race_{p.step}", "w.arrived_at", since=True) for p in races]
            + [_state_hits(compiler, p, f"race_{p.step}", few=bool(among)) for p, among in states]
        )
        hits = (
            f"WITH {per_race}, hits AS (\n  {found}\n), won AS (\n  {earliest('hits', races)}\n)\n"
        )
        join = "\nLEFT JOIN won AS h ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
        edge, left_at = "coalesce(h.edge, k.edge)", f"coalesce(h.at, {left_at})"
        met = str(WHY["event"])
        if states:
            met = f"CASE WHEN k.kind = 'state' THEN {WHY['state']} ELSE {met} END"
        going = f"CASE WHEN h.at IS NOT NULL THEN {met} ELSE k.going END"
        awake = f"({awake} OR h.at IS NOT NULL)"
    exited = (
        "\n  AND NOT EXISTS (SELECT 1 FROM trail AS x"
        f" WHERE x.customer_id = w.customer_id AND x.run_id = w.run_id"
        f" AND x.fate = {END} AND x.round = 0)"
        if left
        else ""
    )
    columns = {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": "w.journey",
        "edge": edge,
        "step": "w.step",
        "arrived_at": "w.arrived_at",
        "left_at": left_at,
        "entered_at": "w.entered_at",
        "fate": str(GO),
        "status": str(ACTIVE),
        "reason": "CASE WHEN k.kind = 'send' THEN w.reason END",
        "entry": "w.entry",
        "going": going,
        "passes": "w.passes",
        "fresh": "FALSE",
    }
    journeys = ", ".join(str(plan.journey) for plan in plans)
    return f"""{hits}SELECT {select(columns)}
FROM journey.run AS w
JOIN plan_park AS k ON k.step = w.step{join}
WHERE w.journey IN ({journeys}) AND w.status = {ACTIVE} AND {awake}{exited}"""


def _at_step(step: int, among: str | None) -> str:
    only = f" AND r.customer_id IN (SELECT customer_id FROM {among})" if among else ""
    return f"race_{step} AS ({run_rows(f'r.step = {step}{only}')})"


def _state_hits(compiler: Compiler, park: StatePark, rows: str, *, few: bool) -> str:
    """Those for whom the condition is true now, however late this tick is."""
    now = compiler.dialect.parameter("now")
    of = f"(SELECT DISTINCT customer_id FROM {rows})" if few else ""
    scope = compiler.scope(Rows(name=rows, few=of))
    condition = predicate(park.condition, scope)
    joins = scope.joins()
    # Somebody who is gone waits for the end: nothing about them is true.
    return (
        f"SELECT w.customer_id, w.run_id, {now} AS at, {park.then} AS edge FROM {rows} AS w"
        f" JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id{joins}"
        f" WHERE {condition}"
    )


def race_hits(compiler: Compiler, park: RacePark, rows: str, arrived: str, *, since: bool) -> str:
    """Events that end a race for the rows under `w` (arrived_at, wake_at): edge and instant."""
    d = compiler.dialect
    now = d.parameter("now")
    selects = []
    for branch in park.branches:
        scope = compiler.scope(Rows(name=rows))
        scope.written = not since
        joined, about, asked = awaited(branch.event, branch.where, scope)
        new = [f'e."_at" > {d.parameter("since_" + news_of(branch.event))}'] if since else []
        times = [f'e."_at" > {arrived}', 'e."_at" <= w.wake_at', f'e."_at" <= {now}']
        selects.append(
            f'SELECT w.customer_id, w.run_id, e."_at" AS at, {branch.edge} AS edge'
            f" FROM {joined} WHERE {' AND '.join([*times, *about, *new, *asked])}"
        )
    return "\n  UNION ALL ".join(selects)


def earliest(hits: str, races: Sequence[RacePark]) -> str:
    """The winner of each race: the earliest event, of equal ones the branch written first."""
    if all(len(park.branches) == 1 for park in races):
        # Each has one way to be won, and nobody is in two.
        return (
            'SELECT customer_id, run_id, min("at") AS "at", min(edge) AS edge'
            f" FROM {hits} GROUP BY customer_id, run_id"
        )
    return (
        f'SELECT DISTINCT ON (customer_id, run_id) customer_id, run_id, "at", edge FROM {hits}'
        ' ORDER BY customer_id, run_id, "at", edge'
    )
