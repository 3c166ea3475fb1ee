"""What figures over the same or nested rows say about each other.

With ``|A|`` the number of rows of A, and A inside B if each row of A is one of B's:

- ``|A| <= |B|``;
- the first, last, least, greatest and average of A are known only if ``|A| >= 1``, and the first
  and last *instant* exactly then;
- a sum over no rows is 0, and so is the number of distinct values, which is never above ``|A|``;
- the last row of A is not newer than that of B, the first not older;
- if A has a window ``within W`` and a row, the last row of B is newer than W; and if A is all of
  B within W, the converse holds too.

Each round only takes away what these exclude, so that stopping at any time is sound.
"""

from __future__ import annotations

from journeylang.analysis.domains import Domain, Store
from journeylang.analysis.intervals import (
    EVERYTHING,
    Interval,
    Intervals,
    Number,
    above,
    below,
    both,
    holds,
    points,
)
from journeylang.analysis.subjects import Figure, Order, Rows, Subject, figure
from journeylang.model.expressions import SinceLast
from journeylang.model.types import Kind

_ROUNDS = 4
_MOST_ROWS = 16
"""Sets of rows that are compared with each other; with more, only each with its own figures."""

_ZERO = points([0])
_SOME: Intervals = (Interval(low=1),)


def apply(store: Store) -> None:
    """Narrow the domains by all lemmas; ``store.broken`` tells if nothing is left."""
    found = {s.rows: None for s in store.domains if isinstance(s, Figure)}
    for subject in list(store.domains):
        if isinstance(subject, Order) and not store.domains[subject].unknown:
            # Only values that are known compare at all.
            store.narrow(subject.left, unknown=False)
            store.narrow(subject.right, unknown=False)
    if not found:
        return
    nested = (
        [(a, b) for a in found for b in found if a != b and a.inside(b)]
        if len(found) <= _MOST_ROWS
        else []
    )
    for _ in range(_ROUNDS):
        changed = [_own(rows, store) for rows in found]
        changed += [_nested(a, b, store) for a, b in nested]
        if store.broken or not any(changed):
            return


def count(rows: Rows) -> Figure:
    return Figure(function="count", rows=rows)


def last(rows: Rows) -> Figure:
    return Figure(function="last", rows=rows, kind=Kind.INSTANT)


def first(rows: Rows) -> Figure:
    return Figure(function="first", rows=rows, kind=Kind.INSTANT)


def _own(rows: Rows, store: Store) -> bool:
    """Each set of rows with its own figures."""
    changed = False
    for subject in [s for s in store.domains if isinstance(s, Figure) and s.rows == rows]:
        domain = store.domains[subject]
        match subject.function:
            case "count" | "exists":
                continue
            case "sum":
                if _not_zero(domain):
                    changed |= _narrowed(store, count(rows), values=_SOME)
                if _none(rows, store):
                    changed |= _narrowed(store, subject, values=_ZERO, unknown=False)
            case "distinct":
                most = _most(store.domain(count(rows)))
                if most is not None:
                    changed |= _narrowed(store, subject, values=below(most, including=True))
                changed |= _narrowed(
                    store, count(rows), values=above(_least(store.domain(subject)), including=True)
                )
            case _:
                if not domain.unknown:
                    changed |= _narrowed(store, count(rows), values=_SOME)
                if _none(rows, store):
                    changed |= _narrowed(store, subject, values=())
                if subject.value is None:
                    changed |= _by_instant(subject, store)
    if _some(rows, store):
        for window in rows.since:
            if isinstance(window, SinceLast):
                changed |= _narrowed(store, figure(window.of), unknown=False)
    return changed | _first_before_last(rows, store)


def _by_instant(subject: Figure, store: Store) -> bool:
    """A first or last instant is known exactly if there is a row."""
    changed = False
    if _some(subject.rows, store):
        changed |= _narrowed(store, subject, unknown=False)
    if not store.domain(subject).known:
        changed |= _narrowed(store, count(subject.rows), values=_ZERO)
    return changed


def _first_before_last(rows: Rows, store: Store) -> bool:
    begin, end = first(rows), last(rows)
    if begin not in store.domains or end not in store.domains:
        return False
    return _older(begin, end, store)


def _nested(a: Rows, b: Rows, store: Store) -> bool:
    """A inside B."""
    inner, outer = store.domain(count(a)), store.domain(count(b))
    changed = _narrowed(store, count(b), values=above(_least(inner), including=True))
    most = _most(outer)
    if most is not None:
        changed |= _narrowed(store, count(a), values=below(most, including=True))
    if _some(a, store):
        if last(a) in store.domains and last(b) in store.domains:
            changed |= _older(last(a), last(b), store)
        if first(a) in store.domains and first(b) in store.domains:
            changed |= _older(first(b), first(a), store)
    if a.within is None or last(b) not in store.domains:
        return changed
    edge = a.within
    if _some(a, store):
        changed |= _narrowed(store, last(b), unknown=False, ages=below(edge, including=False))
    newest = store.domain(last(b))
    inside = below(edge, including=False)
    may_be_inside = newest.known and _meets(newest.ages, inside)
    if not may_be_inside:
        changed |= _narrowed(store, count(a), values=_ZERO)
    if a.ever() == b.ever() and (b.within is None or b.within > a.within):
        if _none(a, store):
            changed |= _narrowed(store, last(b), ages=above(edge, including=True))
        if not newest.unknown and not _meets(newest.ages, above(edge, including=True)):
            changed |= _narrowed(store, count(a), values=_SOME)
    return changed


def _older(one: Figure, other: Figure, store: Store) -> bool:
    """Where both are known, the age of ``one`` is not below that of ``other``."""
    mine, others = store.domain(one), store.domain(other)
    changed = False
    if others.ages and not others.unknown and others.ages[0].low is not None:
        edge = others.ages[0]
        assert edge.low is not None
        changed |= _narrowed(store, one, ages=above(edge.low, including=not edge.low_open))
    if mine.ages and not mine.unknown and mine.ages[-1].high is not None:
        edge = mine.ages[-1]
        assert edge.high is not None
        changed |= _narrowed(store, other, ages=below(edge.high, including=not edge.high_open))
    return changed


def _narrowed(
    store: Store,
    subject: Subject,
    *,
    values: Intervals = EVERYTHING,
    ages: Intervals = EVERYTHING,
    unknown: bool = True,
) -> bool:
    """Whether that took something away."""
    before = store.domain(subject)
    store.narrow(subject, values=values, ages=ages, unknown=unknown)
    return store.domain(subject) != before


def _meets(one: Intervals, other: Intervals) -> bool:
    return bool(both(one, other))


def _least(domain: Domain) -> Number:
    low = domain.values[0].low if domain.values else None
    return 0 if low is None or isinstance(low, str) else low


def _most(domain: Domain) -> Number | None:
    high = domain.values[-1].high if domain.values else 0
    return None if isinstance(high, str) else high


def _some(rows: Rows, store: Store) -> bool:
    return _least(store.domain(count(rows))) >= 1


def _none(rows: Rows, store: Store) -> bool:
    return _most(store.domain(count(rows))) == 0


def _not_zero(domain: Domain) -> bool:
    # An unknown sum is one that does not fit: then there are rows, too.
    return not (domain.known and holds(domain.values, 0))
