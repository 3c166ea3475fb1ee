"""The time of day at which people come to a step, on their own clocks; and when channels are quiet.

What is said holds for people whom nothing held back, and for ticks that follow each other
closely. On the two nights a year when clocks change it may be an hour off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import time
from functools import lru_cache
from typing import assert_never

from journeylang.analysis.flow import Stop
from journeylang.analysis.lapses import DAY
from journeylang.classes import dataclass
from journeylang.model.entry import EnterBySchedule, EnterOn, Entry, Once
from journeylang.model.journey import (
    BestHour,
    Calendar,
    Elapsed,
    Experiment,
    Factors,
    If,
    Invoke,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    TimeOfDay,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.policy import Quiet
from journeylang.model.types import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When on the clock: at ``at`` (seconds of the day); without it ``any`` time is as likely as
    another, or nothing is known.

    ``exact``: no elapsed time lies behind the clock time, so that it is one that is written down.
    """

    at: int | None = None
    any: bool = False
    exact: bool = False


ANY_TIME = Arrival(any=True)
UNKNOWN = Arrival()


def at_entry(entry: Entry) -> Arrival:
    """Events happen at any time; a condition comes true when a tick looks, which is no time of
    the customer's."""
    match entry:
        case EnterOn():
            return ANY_TIME
        case EnterBySchedule(local=True):
            schedule = entry.schedule
            at = schedule.at.time() if isinstance(schedule, Once) else schedule.at
            return Arrival(at=_seconds(at), exact=True)
        case _:
            return UNKNOWN


def behind(stop: Stop, before: Arrival) -> Arrival:
    """The time of day at which the stop's way leads on."""
    match stop.step:
        case Wait():
            return _after(stop.step.until, before)
        case Race() if stop.way.kind == "on":
            return ANY_TIME
        case Race():
            return _after(stop.step.deadline, before)
        case WaitState() if stop.way.kind == "timeout":
            return _after(stop.step.deadline, before)
        case WaitMoment() if stop.way.kind == "else":
            return before
        case WaitMoment(moment=moment) if not isinstance(moment, BestHour):
            # A date is its midnight.
            date = moment.type is not None and moment.type.kind is Kind.DATE
            return Arrival(at=0, exact=True) if date else UNKNOWN
        case WaitState() | WaitMoment():
            return UNKNOWN
        case If() | Experiment() | Factors() | Set() | Start() | Repeat() | Leave():
            return before
        case Invoke():
            return before
        case Send():
            # It is the moment of the decision: of those who were held, another.
            return replace(before, exact=False)
        case _:
            assert_never(stop.step)


def _after(until: Elapsed | Calendar | TimeOfDay, before: Arrival) -> Arrival:
    match until:
        case TimeOfDay():
            return Arrival(at=_seconds(until.at), exact=True)
        case Calendar():
            return before
        case Elapsed() if before.at is None:
            return before
        case Elapsed():
            assert before.at is not None
            return Arrival(at=(before.at + until.seconds) % DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A time in which nothing goes out: ``length`` seconds from ``start``, a second of the day."""

    start: int
    length: int

    def left(self, at: int) -> int | None:
        """Seconds until the end, at a time within; None outside."""
        passed = (at - self.start) % DAY
        return self.length - passed if passed < self.length else None

    @property
    def end(self) -> int:
        return (self.start + self.length) % DAY


def nights(quiets: Iterable[Iterable[Quiet]]) -> tuple[Night, ...]:
    """The times of day in which every one of some channels is quiet, each by its own rules."""
    return _nights(
        tuple(
            tuple((_minute(quiet.start), _minute(quiet.end)) for quiet in rules) for rules in quiets
        )
    )


@lru_cache(maxsize=256)
def _nights(channels: tuple[tuple[tuple[int, int], ...], ...]) -> tuple[Night, ...]:
    shut = [bool(channels)] * _MINUTES
    for windows in channels:
        mine = [False] * _MINUTES
        for start, end in windows:
            for minute in range(start, end if end > start else end + _MINUTES):
                mine[minute % _MINUTES] = True
        shut = [a and b for a, b in zip(shut, mine, strict=True)]
    if not any(shut):
        return ()
    if all(shut):
        return (Night(start=0, length=DAY),)
    found = []
    for begin in range(_MINUTES):
        if shut[begin] and not shut[begin - 1]:
            length = 1
            while shut[(begin + length) % _MINUTES]:
                length += 1
            found.append(Night(start=begin * 60, length=length * 60))
    return tuple(found)


_MINUTES = DAY // 60


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _seconds(at: time) -> int:
    return _minute(at) * 60 + at.second


def hours(second: int) -> str:
    """A second of the day as people write it: `09:30`."""
    minute = second // 60
    return f"{minute // 60:02d}:{minute % 60:02d}"
