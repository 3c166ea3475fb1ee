"""Sets of ordered values as disjoint intervals: what comparisons leave possible.

A set is a tuple of intervals, ascending, neither touching nor overlapping. Ends are values of
one ordered type (exact numbers, texts by code point), or None for no end. Dense
throughout: whole numbers are brought to closed ends before (`closed`), which is all that their
gaps are needed for.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from journeylang.classes import dataclass

Number = int | Fraction
"""Whole numbers as such: a fraction takes ten times as long to compare."""

Point = Number | str
"""One kind within a set; nothing compares a number with a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From ``low`` to ``high``; an end belongs to it unless it is ``open``."""

    low: Point | None = None
    high: Point | None = None
    low_open: bool = False
    high_open: bool = False


Intervals = tuple[Interval, ...]

EVERYTHING: Intervals = (Interval(),)
NOTHING: Intervals = ()


def point(value: Point) -> Interval:
    return Interval(low=value, high=value)


def points(values: Iterable[Point]) -> Intervals:
    """Exactly these values."""
    return tuple(point(value) for value in sorted(set(values), key=_own))


def below(value: Point, *, including: bool) -> Intervals:
    return (Interval(high=value, high_open=not including),)


def above(value: Point, *, including: bool) -> Intervals:
    return (Interval(low=value, low_open=not including),)


def between(low: Point, high: Point) -> Intervals:
    """Both ends belong to it; nothing if they stand the wrong way round."""
    return () if _less(high, low) else (Interval(low=low, high=high),)


def outside(them: Intervals) -> Intervals:
    """Everything but the set."""
    found: list[Interval] = []
    low: Point | None = None
    low_open = False
    for interval in them:
        if interval.low is not None:
            found.append(
                Interval(
                    low=low,
                    low_open=low_open,
                    high=interval.low,
                    high_open=not interval.low_open,
                )
            )
        if interval.high is None:
            return tuple(found)
        low, low_open = interval.high, not interval.high_open
    return (*found, Interval(low=low, low_open=low_open))


def both(one: Intervals, other: Intervals) -> Intervals:
    """What belongs to both sets, in time linear in their intervals."""
    if one is EVERYTHING:
        return other
    if other is EVERYTHING:
        return one
    found: list[Interval] = []
    i = j = 0
    while i < len(one) and j < len(other):
        common = _common(one[i], other[j])
        if common is not None:
            found.append(common)
        if _ends_first(one[i], other[j]):
            i += 1
        else:
            j += 1
    return tuple(found)


def closed(them: Intervals) -> Intervals:
    """The same whole numbers, by ends that belong to the intervals; touching ones are one."""
    found: list[Interval] = []
    for interval in them:
        low, high = interval.low, interval.high
        assert not isinstance(low, str)
        assert not isinstance(high, str)
        if low is not None:
            low = floor(low) + 1 if interval.low_open else ceil(low)
        if high is not None:
            high = ceil(high) - 1 if interval.high_open else floor(high)
        if low is not None and high is not None and low > high:
            continue
        before = found[-1] if found else None
        if before is not None and before.high is not None and low is not None:
            assert not isinstance(before.high, str)
            if low <= before.high + 1:
                found[-1] = Interval(low=before.low, high=high)
                continue
        found.append(Interval(low=low, high=high))
    return tuple(found)


def holds(them: Intervals, value: Point) -> bool:
    return bool(both(them, (point(value),)))


def values(them: Intervals) -> tuple[Point, ...] | None:
    """Each value of the set if it consists of single ones, or None."""
    found: list[Point] = []
    for interval in them:
        if interval.low is None or interval.low != interval.high:
            return None
        found.append(interval.low)
    return tuple(found)


def _own(value: Point) -> Point:
    return value


def _less(one: Point, other: Point) -> bool:
    return one < other  # type: ignore[operator]


def _common(one: Interval, other: Interval) -> Interval | None:
    low, low_open = one.low, one.low_open
    if other.low is not None:
        if low is None or _less(low, other.low):
            low, low_open = other.low, other.low_open
        elif low == other.low:
            low_open = low_open or other.low_open
    high, high_open = one.high, one.high_open
    if other.high is not None:
        if high is None or _less(other.high, high):
            high, high_open = other.high, other.high_open
        elif high == other.high:
            high_open = high_open or other.high_open
    crossed = low is not None and high is not None and _less(high, low)
    if crossed or (low is not None and low == high and (low_open or high_open)):
        return None
    return Interval(low=low, high=high, low_open=low_open, high_open=high_open)


def _ends_first(one: Interval, other: Interval) -> bool:
    """Whether ``one`` is over where ``other`` may still go on."""
    if one.high is None:
        return False
    if other.high is None or _less(one.high, other.high):
        return True
    return one.high == other.high and one.high_open
