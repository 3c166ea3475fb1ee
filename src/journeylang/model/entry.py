"""The ways into a journey: by an event, a condition, a segment, or the clock."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, time

from journeylang.classes import dataclass
from journeylang.model.expressions import EventSource, Expression
from journeylang.model.types import Type
from journeylang.source import Span

Fields = tuple[tuple[str, Type], ...]
"""What `entry.x` holds besides `at`: names and types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterOn:
    """Each matching event begins a run; with `per`, one at a time for each value of that field."""

    event: EventSource
    where: Expression | None = None
    per: str | None = None
    fields: Fields = ()
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterWhen:
    """Everyone for whom it is true; looked at in the first tick of each `every` seconds
    (aligned to UTC), or in every tick if None."""

    condition: Expression
    every: int | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterJoins:
    """Those who come into a segment from outside; `inside` is the test for it.

    Looked at as an `EnterWhen` is.
    """

    inside: Expression
    every: int | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """`at 2026-11-27T09:00`: naive; UTC, or what each customer's own clock shows."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """At a time of day on ISO weekdays (1 = Monday)."""

    weekdays: tuple[int, ...]
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """At a time of day on days of the month, from 1 to 31; a short month's last for those behind
    it."""

    days: tuple[int, ...]
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly:
    """At a time of day on each anniversary of a date in the data, moved by months and days.

    The 29th of February is the 28th in years without one.
    """

    date: Expression
    months: int
    days: int
    at: time


Schedule = Once | Weekly | Monthly | Yearly


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterBySchedule:
    """Everyone for whom `condition` is true when the time has come; `local` on their clock."""

    schedule: Schedule
    local: bool
    condition: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterByStart:
    """Only from another journey's `start`, with these values."""

    fields: Fields
    span: Span = field(compare=False, repr=False)


Entry = EnterOn | EnterWhen | EnterJoins | EnterBySchedule | EnterByStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Entries count from `start` on, and before `end` (naive UTC); None is no bound."""

    start: datetime | None
    end: datetime | None
    span: Span = field(compare=False, repr=False)


def entry_fields(entry: Entry) -> Fields:
    """The fields of `entry.x` besides `at`."""
    return entry.fields if isinstance(entry, EnterOn | EnterByStart) else ()
