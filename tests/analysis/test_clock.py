"""Quiet times of several channels, and what is left of them at a time of day."""

from datetime import time

import pytest

from journeylang.analysis.clock import Night, hours, nights
from journeylang.analysis.lapses import HOUR
from journeylang.model.policy import Quiet
from journeylang.source import Span


def quiet(start: int, end: int) -> Quiet:
    return Quiet(channels=("sms",), start=time(start), end=time(end), span=Span("", 0, 0))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([], []),
        ([[]], []),
        ([[(20, 9)]], [(20, 13)]),
        ([[(1, 9)]], [(1, 8)]),
        # Windows that touch or overlap are one.
        ([[(20, 0), (0, 7)]], [(20, 11)]),
        ([[(20, 6), (5, 9)]], [(20, 13)]),
        ([[(20, 22), (1, 3)]], [(1, 2), (20, 2)]),
        # Of two channels, the time in which neither is open.
        ([[(20, 9)], [(22, 7)]], [(22, 9)]),
        ([[(20, 9)], []], []),
        ([[(8, 12)], [(14, 16)]], []),
        ([[(8, 20), (20, 8)]], [(0, 24)]),
    ],
)
def test_nights(channels: list[list[tuple[int, int]]], expected: list[tuple[int, int]]) -> None:
    found = nights([[quiet(a, b) for a, b in windows] for windows in channels])
    assert [(n.start // HOUR, n.length // HOUR) for n in found] == expected


def test_what_is_left() -> None:
    night = Night(start=22 * HOUR, length=9 * HOUR)
    assert night.left(22 * HOUR) == 9 * HOUR
    assert night.left(2 * HOUR) == 5 * HOUR
    assert night.left(7 * HOUR) is None
    assert night.left(21 * HOUR) is None
    assert hours(night.end) == "07:00"
