"""When a moment in the data is, for somebody who arrives at the wait for it."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta

from journeylang.model.journey import BestHour, TimeOfDay, WaitMoment
from tests.oracle.clock import DAY, MIDNIGHT, begins, next_time, offset, wall
from tests.oracle.facts import Run
from tests.oracle.stage import Stage

# From here on clocks stay as they were.
FAR = datetime.fromisoformat("2050-01-01")


def moment_of(stage: Stage, run: Run, step: WaitMoment) -> datetime | None:
    """The instant that is waited for; None if it is unknown."""
    tz = stage.rules.zone(stage.reader.customers[run.customer])
    if isinstance(step.moment, BestHour):
        begins_at = next_time(tz, run.arrived_at, TimeOfDay(at=time(best_hour(stage, run))))
        soon = begins_at - run.arrived_at <= timedelta(seconds=step.moment.within)
        return begins_at if soon else None
    match stage.value(step.moment, run):
        case time() as shown:
            rule = TimeOfDay(at=shown, weekdays=step.weekdays)
            return next_time(tz, run.arrived_at, rule)
        case datetime() as at:
            return at
        case date() as day:
            wall = datetime.combine(day, MIDNIGHT)
            return begins(tz, wall) if wall < FAR else wall - offset(tz, FAR - DAY)
        case _:
            return None


def best_hour(stage: Stage, run: Run) -> int:
    """At which the customer opens most, or everybody, or 10; of equally frequent ones the first."""
    mine: Counter[int] = Counter()
    everybody: Counter[int] = Counter()
    for opened in stage.reader.opens():
        assert opened.message is not None
        customer = stage.reader.customers.get(opened.message.customer)
        if customer is None or opened.at <= stage.now - 90 * DAY:
            continue
        hour = wall(stage.rules.zone(customer), opened.at).hour
        everybody[hour] += 1
        mine[hour] += opened.message.customer == run.customer
    for found in (+mine, everybody):
        if found:
            return min(found, key=lambda hour: (-found[hour], hour))
    return 10
