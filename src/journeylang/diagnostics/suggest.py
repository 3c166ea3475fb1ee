"""Did you mean …?"""

from collections.abc import Iterable

_LONGEST = 64
"""Names beyond this are no slip of the pen, and comparing them costs the square of it."""


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a slip of the pen turns into ``name``, if there is one.

    A slip may change a third of the letters. Of equally near candidates the first by
    alphabet, so that the answer does not depend on the order of a set.
    """
    most = max(1, len(name) // 3)
    if len(name) > _LONGEST:
        return None
    near = [
        (distance, candidate)
        for candidate in candidates
        if abs(len(candidate) - len(name)) <= most and candidate != name
        if (distance := slips(name.lower(), candidate.lower())) <= most
    ]
    return min(near)[1] if near else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The words for a diagnostic's help; empty when nothing is near."""
    found = closest(name, candidates)
    return f"did you mean `{found}`?" if found else ""


def slips(a: str, b: str) -> int:
    """Letters to insert, drop, replace or swap with their neighbour to make ``b`` of ``a``.

    Optimal string alignment distance: Damerau 1964, each letter touched at most once.
    """
    # What both begin and end with is no slip: of most names that leaves a letter or two.
    first, shorter = 0, min(len(a), len(b))
    while first < shorter and a[first] == b[first]:
        first += 1
    last, rest = 0, shorter - first
    while last < rest and a[-1 - last] == b[-1 - last]:
        last += 1
    a, b = a[first : len(a) - last], b[first : len(b) - last]
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]
