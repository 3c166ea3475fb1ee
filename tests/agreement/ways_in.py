"""Generated ways in besides events: conditions, schedules; and when a journey runs."""

from __future__ import annotations

from datetime import date, timedelta

from tests.agreement.expressions import FIELDS, Expressions, Names

# Of the days on which histories begin.
DAYS = ("2026-03-02", "2026-03-28", "2026-10-24", "2026-02-14", "2026-01-31")
TIMES = ("00:00", "02:15", "02:30", "09:00", "09:00", "23:45")


def way_in(draw: Expressions, outside: Names) -> str:
    """`enter when`, `joins`, `at`, `every`, or on what happens to a message."""
    every = draw.pick(("", "", " every 1h", " every 6h", " every 1d"))
    match draw.pick(("when", "when", "schedule", "schedule", "joins", "message")):
        case "when":
            return f"enter when {draw.condition(outside)}{every}"
        case "joins" if outside.segments:
            return f"enter when joins {draw.pick(outside.segments)}{every}"
        case "message":
            name = draw.pick(("opened", "clicked", "called", "sent", "sent"))
            of = draw.pick(("", " of email", *(f" of {step}" for step in outside.others)))
            where = f" where {draw.where(outside, name)}" if draw.chance(2) else ""
            return f"enter on {name}{of}{where}"
        case _:
            return schedule(draw, outside)


BY_START = (
    "enter by start with { r: text?, n: number?, i: int?, m: money(EUR)?, d: date?, b: bool? }"
)


def start(draw: Expressions, label: str, names: Names) -> str:
    """A `start` of the journey `j2`, with some of the values that it takes."""
    fields = [f for f in FIELDS["started"].items() if draw.chance(4)]
    # The rest of what is true and false is written as conditions are.
    values = (
        f"{name}: {draw.condition(names, 1) if kind == 'bool' else draw.value(names, kind)}"
        for name, kind in fields
    )
    given = ", ".join(values)
    return f"{label}: start j2" + (f" with {{ {given} }}" if given else "")


def per(draw: Expressions, event: str) -> str:
    """What tells runs apart."""
    return f" per {draw.pick(sorted(FIELDS[event]))}" if draw.chance(2) else ""


def schedule(draw: Expressions, outside: Names) -> str:
    at, local = draw.pick(TIMES), draw.pick((" local", " local", ""))
    when = f" when {draw.condition(outside, 1)}" if draw.chance(2) else ""
    match draw.pick(("day", "day", "days", "month", "year", "year", "once")):
        case "day":
            return f"enter every day at {at}{local}{when}"
        case "days":
            days = draw.pick(("monday", "weekdays", "sunday, monday", "saturday"))
            return f"enter every {days} at {at}{local}{when}"
        case "month":
            days = draw.pick(("1", "31", "29, 30", "2, 28"))
            return f"enter every month on {days} at {at}{local}{when}"
        case "year":
            born = draw.pick(("customer.born", "customer.born", "last(ordered.due)"))
            move = draw.pick(("", "", " - 7d", " + 1d", " - 1mo", " + 1mo", " - 2w"))
            return f"enter every year on {born}{move} at {at}{when}"
        case _:
            return f"enter at {moment(draw)}{local}{when}"


def runs(draw: Expressions) -> str:
    """A span of time that begins or ends about where a history does."""
    start, end = f"from {_some(draw)}", f"until {_some(draw)}"
    match draw.pick(("from", "until", "both")):
        case "from":
            return f"runs {start}"
        case "until":
            return f"runs {end}"
        case _:
            return f"runs from 2026-01-15 {end}"


def moment(draw: Expressions) -> str:
    return f"{_day(draw)}T{draw.pick(TIMES)}"


def _some(draw: Expressions) -> str:
    return moment(draw) if draw.chance(5) else _day(draw)


def _day(draw: Expressions) -> str:
    day = date.fromisoformat(draw.pick(DAYS)) + timedelta(days=draw.pick((0, 1, 1, 2, 9)))
    return day.isoformat()
