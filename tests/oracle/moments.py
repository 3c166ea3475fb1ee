"""When a moment in the data is, for somebody who arrives at the wait for it."""

from __future__ import annotations

from datetime import date, datetime, time

from journeylang.model.journey import TimeOfDay, WaitMoment
from tests.oracle.clock import DAY, MIDNIGHT, begins, next_time, offset
from tests.oracle.facts import Run
from tests.oracle.stage import Stage

# From here on clocks stay as they were.
FAR = datetime.fromisoformat("2050-01-01")


def moment_of(stage: Stage, run: Run, step: WaitMoment) -> datetime | None:
    """The instant that is waited for; None if it is unknown."""
    tz = stage.rules.zone(stage.reader.customers[run.customer])
    match stage.value(step.moment, run):
        case time() as at:
            rule = TimeOfDay(at=at, weekdays=step.weekdays)
            return next_time(tz, run.arrived_at, rule)
        case datetime() as at:
            return at
        case date() as day:
            wall = datetime.combine(day, MIDNIGHT)
            return begins(tz, wall) if wall < FAR else wall - offset(tz, FAR - DAY)
        case _:
            return None
