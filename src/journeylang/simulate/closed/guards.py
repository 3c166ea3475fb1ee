"""Would a guard have paused the journey? Where none would, none had a part in what happened."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.engines.base import Engine
from journeylang.model.measures import Target
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.pauses import AT_LEAST, FROM_DAY, TIMES
from journeylang.simulate.closed.grid import Grid
from journeylang.sql.pauses import resumed

_DAY = timedelta(days=1)
_DAYS = 15


def usual_is_judged(plan: JourneyPlan, grid: Grid, applied: datetime) -> bool:
    """Whether the guard that every journey has, without one of its own, is looked at."""
    own = any(guard.measure == "entries" for guard in plan.guards)
    return not own and grid.last >= applied + FROM_DAY


def would_pause(engine: Engine, plan: JourneyPlan, grid: Grid, applied: datetime) -> bool:
    """Whether so many have entered that a guard on entries would have paused the journey."""
    own = [guard for guard in plan.guards if guard.measure == "entries"]
    if any(_broken(engine, plan, guard, grid) for guard in own):
        return True
    return usual_is_judged(plan, grid, applied) and _unusual(engine, plan, grid, applied)


def _broken(engine: Engine, plan: JourneyPlan, guard: Target, grid: Grid) -> bool:
    """Entries in the guard's window at each tick: those that have come less those that are out."""
    runs = f"FROM journey.run AS r WHERE r.journey = {plan.journey}"
    runs += f" AND r.entered_at > {resumed(plan.journey)}"
    came = Counter(
        dict(engine.query(f"SELECT {grid.tick('r.entered_at')}, count(*) {runs} GROUP BY 1"))
    )
    out: Counter[datetime] = Counter()
    if guard.over is not None:
        later = f"r.entered_at + {engine.dialect.interval(guard.over)}"
        out.update(dict(engine.query(f"SELECT {grid.tick(later)}, count(*) {runs} GROUP BY 1")))
    inside = 0
    for number in range(grid.count):
        now = grid.start + number * grid.step
        inside += came[now] - out[now]
        if came[now] and not guard.holds(Decimal(inside)):
            return True
    return False


def _unusual(engine: Engine, plan: JourneyPlan, grid: Grid, applied: datetime) -> bool:
    """Against the most that entered in any of the fourteen times 24 hours before."""
    start = engine.dialect.instant(grid.start)
    step = int(grid.step.total_seconds())
    # So many steps from the start on: the entries of (n - 1, n] are seen by the n-th tick.
    nth = f"CAST(ceil(epoch(r.entered_at - {start}) / {step}) AS BIGINT)"
    found = Counter(
        dict(
            engine.query(
                f"SELECT {nth}, count(*) FROM journey.run AS r"
                f" WHERE r.journey = {plan.journey} GROUP BY 1"
            )
        )
    )
    a_day = _DAY // grid.step
    first = min(found, default=0)
    sums = {first - 1: 0}
    for n in range(first, grid.count):
        sums[n] = sums[n - 1] + found[n]

    def until(n: int) -> int:
        return sums.get(n, 0 if n < first else sums[grid.count - 1])

    for n in range(grid.count):
        if not found[n] or grid.start + n * grid.step < applied + FROM_DAY:
            continue
        days = [until(n - k * a_day) - until(n - (k + 1) * a_day) for k in range(_DAYS)]
        if days[0] > max(AT_LEAST, TIMES * max(days[1:])):
            return True
    return False
