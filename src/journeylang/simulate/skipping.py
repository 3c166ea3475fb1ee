"""Hours in which nothing can happen, so that no tick has to look.

A tick that found nothing to do has seen all there was up to then. Where every condition rests on
rows alone (none on the clock, a ranking, a schedule, or a day's draw), nothing happens before
the next run wakes or the next row comes: the ticks in between would find nothing either. Nor
does it matter to a later tick that they were left out, for rows that would have been new to them
there are none.
"""

from __future__ import annotations

from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding
from journeylang.model.entry import EnterByStart, EnterOn
from journeylang.model.expressions import BoundEvent
from journeylang.plan.incremental import Incremental
from journeylang.plan.operations import JourneyPlan, StatePark
from journeylang.runtime.program import Ready
from journeylang.source import Span
from journeylang.sql.relations import event
from journeylang.sql.schema import ACTIVE


def may_skip(ready: Ready) -> bool:
    """Whether every journey of the program rests on rows alone."""
    return all(_rests_on_rows(plan, ready) for plan in ready.program.journeys)


def _rests_on_rows(plan: JourneyPlan, ready: Ready) -> bool:
    if not isinstance(plan.entry, EnterOn | EnterByStart):
        return False
    if plan.learning or any(guard.measure != "entries" for guard in plan.guards):
        return False
    if any(isinstance(park, StatePark) for park in plan.parks):
        return False
    if not plan.exits:
        return True
    look = ready.look(plan.journey, "exits")
    return isinstance(look, Incremental) and not look.edges and not look.instants


def next_due(engine: Engine, binding: Binding, now: datetime) -> datetime | None:
    """When the next run wakes, the next row comes, or a start takes effect; None: never."""
    d = engine.dialect
    rows = [
        f'SELECT min(e."_at") AS due FROM {event(binding, _source(name), (), d)} AS e'
        ' WHERE e."_at" > $now'
        for name, bound in binding.events.items()
        if bound.redeems is None
    ]
    parts = [
        *rows,
        f"SELECT min(r.wake_at) FROM journey.run AS r WHERE r.status = {ACTIVE}",
        'SELECT max(p."at") FROM journey.pending_entry AS p WHERE p."at" >= $now',
    ]
    [[due]] = engine.query(
        f"SELECT min(x.due) FROM ({' UNION ALL '.join(parts)}) AS x (due)", {"now": now}
    )
    return due if isinstance(due, datetime) else None


def _source(name: str) -> BoundEvent:
    return BoundEvent(name=name, span=Span("", 0, 0))
