"""What is still possible for each subject, while conditions are put together.

Everything here errs on the side of possible: a domain is empty only if no value at all, and not
being unknown either, is left.
"""

from __future__ import annotations

from dataclasses import field, replace
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

from journeylang.analysis.intervals import (
    EVERYTHING,
    NOTHING,
    Interval,
    Intervals,
    Number,
    Point,
    both,
    closed,
    outside,
    points,
    values,
)
from journeylang.analysis.subjects import Figure, Order, Reckoned, Subject
from journeylang.classes import dataclass
from journeylang.model.expressions import Constant, Expression
from journeylang.model.types import NUMERIC, Kind

_EXACT = 2**53
"""Whole numbers up to here are doubles too; beyond, comparing the two kinds rounds."""

_WHOLE = frozenset({Kind.INT, Kind.BOOL, Kind.DATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a value may be: ``unknown``, or something of ``values`` whose age is in ``ages``.

    Ages are in seconds before `now`, for instants and dates. ``contained`` are texts that the
    value contains (True) or does not (False).
    """

    unknown: bool = True
    values: Intervals = EVERYTHING
    ages: Intervals = EVERYTHING
    contained: tuple[tuple[str, bool], ...] = ()

    @property
    def known(self) -> bool:
        """Whether it may be known."""
        return bool(self.values) and bool(self.ages)

    @property
    def empty(self) -> bool:
        return not self.unknown and not self.known


@dataclass(slots=True)
class Store:
    """The domain of every subject met so far, and conditions that only mean themselves."""

    domains: dict[Subject, Domain] = field(default_factory=dict)
    opaque: dict[Expression, bool] = field(default_factory=dict)
    broken: bool = False

    def copy(self) -> Store:
        return Store(domains=dict(self.domains), opaque=dict(self.opaque), broken=self.broken)

    def domain(self, subject: Subject) -> Domain:
        return self.domains.get(subject) or base(subject)

    def narrow(
        self,
        subject: Subject,
        *,
        values: Intervals = EVERYTHING,
        ages: Intervals = EVERYTHING,
        unknown: bool = True,
        contained: tuple[tuple[str, bool], ...] = (),
    ) -> None:
        """Leave only what the arguments allow."""
        before = self.domain(subject)
        left = both(before.values, values)
        if _kind(subject) in _WHOLE:
            left = closed(left)
        after = Domain(
            unknown=before.unknown and unknown,
            values=left,
            ages=both(before.ages, ages),
            contained=(*before.contained, *contained) if contained else before.contained,
        )
        if after.contained:
            after = _by_texts(after)
        self.domains[subject] = after
        if after.empty:
            self.broken = True

    def assume(self, node: Expression, holds: bool) -> None:
        """A condition of which nothing is understood but whether it holds."""
        if self.opaque.setdefault(node, holds) is not holds:
            self.broken = True


def base(subject: Subject) -> Domain:
    """What is possible before anything is asked."""
    match subject:
        case Figure(function="count" | "distinct"):
            return Domain(unknown=False, values=(Interval(low=0),))
        case Figure(function="first" | "last", value=None):
            # Rows later than `now` do not exist yet; a window `now - W < at` bounds the age.
            within = subject.rows.within
            open_ = within is not None
            return Domain(ages=(Interval(low=0, high=within, high_open=open_),))
        case Order() if subject.left == subject.right:
            return Domain(values=points([0]))
        case _ if _kind(subject) is Kind.BOOL:
            return Domain(values=points([0, 1]))
        case _:
            return Domain()


def place(literal: Constant, kind: Kind | None) -> Point | None:
    """Where a literal lies among the values of a kind; None if that cannot be said for sure."""
    if kind is None:
        # A column of the user's own table: its type, and how it compares, is the database's.
        return None
    value = literal.value
    match value:
        case None:
            return None
        case bool():
            return int(value)
        case str():
            return value
        case int() | float() | Decimal():
            exact = _number(value)
            mixed = kind is not literal.type.kind and kind in NUMERIC
            return None if mixed and not -_EXACT < exact < _EXACT else exact
        case datetime():
            return value.toordinal() * 86_400_000_000 + _microseconds(value.timetz())
        case date():
            return value.toordinal()
        case time():
            return _microseconds(value)


def _number(value: float | Decimal) -> Number:
    if isinstance(value, int):
        return value
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def prefixed(text: str) -> Intervals:
    """The texts that begin with a text: from it up to the next text that does not."""
    head = text.rstrip("\U0010ffff")
    if not head:
        return EVERYTHING if not text else (Interval(low=text),)
    following = head[:-1] + chr(ord(head[-1]) + 1)
    return (Interval(low=text, high=following, high_open=True),)


def _kind(subject: Subject) -> Kind | None:
    match subject:
        case Order():
            return Kind.NUMBER
        case Figure(function="count" | "distinct"):
            return Kind.INT
        case Figure():
            return subject.kind
        case Reckoned():
            return subject.of.type.kind
        case _:
            return None if subject.type is None else subject.type.kind


def kind_of(subject: Subject) -> Kind | None:
    """The kind of a subject's values; None where the database alone knows."""
    return _kind(subject)


def without(them: Intervals, holds: bool) -> Intervals:
    """The set itself, or what is outside of it where the condition does not hold."""
    return them if holds else outside(them)


def _by_texts(domain: Domain) -> Domain:
    """Leave out texts that do not contain what they must, where each can be looked at."""
    wanted = [text for text, holds in domain.contained if holds]
    shunned = [text for text, holds in domain.contained if not holds]
    if any(bad in good for good in wanted for bad in shunned):
        return replace(domain, values=NOTHING)
    each = values(domain.values)
    if each is None:
        return domain
    left = [
        text
        for text in each
        if isinstance(text, str)
        and all(good in text for good in wanted)
        and not any(bad in text for bad in shunned)
    ]
    return replace(domain, values=points(left))


def _microseconds(value: time) -> int:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return seconds * 1_000_000 + value.microsecond
