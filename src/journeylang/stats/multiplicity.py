"""Several arms against one control."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values as they have to be to be held against one level, in the order given.

    The i-th smallest of m, times ``m - i + 1``, at least those before it and at most 1: S. Holm,
    "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6 (1979).
    """
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(_ascending(p_values)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def levels(p_values: Sequence[float], *, level: float) -> list[float]:
    """Per comparison the level of the interval that says what Holm's procedure says.

    The i-th smallest is held against ``α / (m - i + 1)`` with α = 1 - level, and so its interval is
    at one less that. From the first that is not rejected on all keep its level, as none behind it
    is rejected either. Each interval covers at least as often as ``level``.
    """
    m, alpha = len(p_values), 1 - level
    found = [level] * m
    held = 0
    for rank, place in enumerate(_ascending(p_values)):
        found[place] = 1 - alpha / (m - held)
        if held == rank and p_values[place] < alpha / (m - held):
            held = rank + 1
    return found


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda place: (p_values[place], place))
