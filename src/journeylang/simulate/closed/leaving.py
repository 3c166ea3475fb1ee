"""When runs leave by an exit: for conditions that stay true once they are."""

from __future__ import annotations

from datetime import datetime

from journeylang.classes import dataclass
from journeylang.model.expressions import Aggregate, All, Either, Expression, SegmentTest
from journeylang.plan.operations import JourneyPlan
from journeylang.simulate.closed.grid import Grid
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, Scope, predicate

_ALWAYS = "TIMESTAMP '1970-01-01'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Of rows under `w`: the tick with which they leave (NULL: never), and by which exit.

    `joins` stand behind the FROM of the rows.
    """

    tick: str = "CAST(NULL AS TIMESTAMP)"
    reason: str = "CAST(NULL AS VARCHAR)"
    joins: str = ""


def leaving(
    compiler: Compiler, plan: JourneyPlan, grid: Grid, rows: str, since: datetime
) -> Leaving:
    """For the runs in the table `rows`, all of which have entered behind `since`."""
    if not plan.exits:
        return Leaving()
    scope = compiler.scope(Rows(name=rows))
    events: list[str] = []
    ticks = [grid.tick(_when(x.condition, scope, events, compiler, since)) for x in plan.exits]
    tick = ticks[0] if len(ticks) == 1 else f"least({', '.join(ticks)})"
    whens = " ".join(
        f"WHEN {mine} <= {tick} THEN {text(x.reason)}"
        for mine, x in zip(ticks, plan.exits, strict=True)
    )
    people = ""
    if scope.fields:
        people = f"\nLEFT JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id"
    return Leaving(
        tick=tick,
        reason=f"CASE {whens} END",
        joins="".join((people, scope.joins(), *events)),
    )


def _when(
    node: Expression, scope: Scope, events: list[str], compiler: Compiler, since: datetime
) -> str:
    """The instant from which on it is true; NULL: never."""
    match node:
        case SegmentTest():
            condition = compiler.project.segments[node.name].condition
            return _when(condition, scope, events, compiler, since)
        case All():
            parts = [_when(part, scope, events, compiler, since) for part in node.parts]
            known = " AND ".join(f"{part} IS NOT NULL" for part in parts)
            return f"(CASE WHEN {known} THEN greatest({', '.join(parts)}) END)"
        case Either():
            parts = [_when(part, scope, events, compiler, since) for part in node.parts]
            return f"least({', '.join(parts)})"
        case Aggregate():
            return _first(node, scope, events, compiler, since)
        case _:
            return f"(CASE WHEN {predicate(node, scope)} THEN {_ALWAYS} END)"


def _first(
    node: Aggregate, scope: Scope, events: list[str], compiler: Compiler, since: datetime
) -> str:
    """The first row of an event behind the entry."""
    inner = compiler.scope(Rows(name=scope.rows.name))
    joined, about, asked = awaited(node.event, node.where, inner)
    times = [f'e."_at" > {compiler.dialect.instant(since)}', 'e."_at" > w.entered_at']
    alias = f"out_{len(events)}"
    events.append(
        f'\nLEFT JOIN (SELECT w.customer_id, w.run_id, min(e."_at") AS at FROM {joined}'
        f" WHERE {' AND '.join([*times, *about, *asked])} GROUP BY w.customer_id, w.run_id)"
        f" AS {alias} ON {alias}.customer_id = w.customer_id AND {alias}.run_id = w.run_id"
    )
    return f"{alias}.at"
