"""Of the ways that lead where somebody has come to, the one with which the tables agree best."""

from __future__ import annotations

from journeylang.plan.taken import Way
from journeylang.why.person import Values


def likeliest(ways: list[Way], values: Values, arms: dict[int, str]) -> Way | None:
    """The way that contradicts what is known least; the first one written of equals."""

    def against(way: Way) -> int:
        decided = sum(values.get(condition) is (not taken) for condition, taken in way.choices)
        other = sum(
            arm is not None and arms.get(step, arm) != arm for step, arm in way.leaf.exposures
        )
        return decided + 10 * other

    return min(ways, key=against, default=None)
