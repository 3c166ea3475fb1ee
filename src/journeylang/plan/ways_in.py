"""A way into a journey in few words, for a drawing."""

from __future__ import annotations

from datetime import time
from typing import assert_never

from journeylang.model.entry import (
    EnterBySchedule,
    EnterByStart,
    EnterJoins,
    EnterOn,
    EnterWhen,
    Entry,
    Monthly,
    Once,
    Schedule,
    Weekly,
    Yearly,
)
from journeylang.model.expressions import BoundEvent, CustomerValue, EventSource, SegmentTest

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def way_in(entry: Entry) -> str:
    """`enter on signed_up`; conditions are left out."""
    match entry:
        case EnterOn():
            return f"enter on {event_words(entry.event)}"
        case EnterWhen():
            return "enter when"
        case EnterJoins(inside=inside):
            named = f" {inside.name}" if isinstance(inside, SegmentTest) else ""
            return f"enter when joins{named}"
        case EnterByStart():
            return "enter by start"
        case EnterBySchedule():
            clock = " local" if entry.local else ""
            return f"enter {_schedule(entry.schedule)}{clock}"
        case _:
            assert_never(entry)


def event_words(event: EventSource) -> str:
    """`order_placed`, `opened of welcome/hello`."""
    if isinstance(event, BoundEvent):
        return event.name
    step = f"{event.journey}/{event.path}" if event.journey and event.path else None
    of = step or event.channel
    return f"{event.name} of {of}" if of else event.name


def _schedule(schedule: Schedule) -> str:
    match schedule:
        case Once():
            return f"at {schedule.at.isoformat(sep=' ', timespec='minutes')}"
        case Weekly():
            return f"every {days(schedule.weekdays)} at {clock(schedule.at)}"
        case Monthly():
            listed = ", ".join(str(day) for day in schedule.days)
            return f"every month on {listed} at {clock(schedule.at)}"
        case Yearly():
            date = schedule.date
            of = f" on {date.name}" if isinstance(date, CustomerValue) else ""
            moved = _shift(schedule.months, "mo") + _shift(schedule.days, "d")
            return f"every year{of}{moved} at {clock(schedule.at)}"
        case _:
            assert_never(schedule)


def _shift(number: int, unit: str) -> str:
    """` - 7d`; nothing for none."""
    if not number:
        return ""
    return f" {'-' if number < 0 else '+'} {abs(number)}{unit}"


def days(weekdays: tuple[int, ...]) -> str:
    """`day`, `weekdays`, `weekends`, or the names."""
    known = {(1, 2, 3, 4, 5): "weekdays", (6, 7): "weekends", (1, 2, 3, 4, 5, 6, 7): "day"}
    return known.get(weekdays) or ", ".join(DAYS[n - 1] for n in weekdays)


def clock(at: time) -> str:
    """`09:00`."""
    return at.isoformat(timespec="minutes")
