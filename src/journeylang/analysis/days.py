"""Days of the week by the words for them."""

from collections.abc import Iterable

from journeylang.syntax import nodes

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
"""ISO weekdays: 1 is Monday."""

_NAMED = {name: (number,) for number, name in enumerate(nodes.WEEKDAYS, 1)} | {
    "day": EVERY_DAY,
    "weekday": (1, 2, 3, 4, 5),
    "weekdays": (1, 2, 3, 4, 5),
    "weekend": (6, 7),
    "weekends": (6, 7),
}


def weekdays(written: Iterable[nodes.Name]) -> tuple[int, ...]:
    """The days meant, in order; empty if none is named. Names of no day are the parser's."""
    return tuple(sorted({day for name in written for day in _NAMED.get(name.text, ())}))
