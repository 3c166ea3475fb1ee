"""Typed expressions: names resolved, kinds checked, nothing left to look up but metrics.

Logic is two-valued: a comparison with an unknown value is false, `not` of it true. Every
node has a `type`; predicates are `bool` and never unknown.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.types import BOOL, MAYBE_INT, Type
from journeylang.source import Span

ConstantValue = str | int | float | bool | date | time | datetime | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal. Durations are whole seconds (int); money is a Decimal of four decimals."""

    value: ConstantValue
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the bound table itself; occurs in bindings alone."""

    name: str
    type: Type | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerValue:
    """`customer.x`: a bound field, or one of the reserved `key`, `timezone`, `locale`."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventValue:
    """A field of the event in scope (`where total > 5 EUR`); `at` is its instant."""

    event: str
    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryValue:
    """`entry.x`: a field of the event that began the run, as it was then; `at` is its instant."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileValue:
    """`profile.x`: what some run's `set x = …` wrote about the customer; unknown until then."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundEvent:
    """An event of the binding, by name."""

    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """A built-in event of the runtime's ledger: `opened of hello`.

    `journey` and `path` narrow it to one send step; `own` means this run's message;
    `channel` narrows it to a channel. All None: any message to the customer.
    """

    name: str
    journey: str | None = None
    path: str | None = None
    own: bool = False
    channel: str | None = None
    span: Span = field(compare=False, repr=False)


EventSource = BoundEvent | MessageEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The last `seconds` up to now, half-open: `now - seconds < at <= now`."""

    seconds: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceEntry:
    """After the run's `entered_at`, up to now."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceLast:
    """After the newest row of another event; nothing if there is none."""

    of: Aggregate
    span: Span = field(compare=False, repr=False)


Window = Within | SinceEntry | SinceLast

AggregateFunction = Literal[
    "count", "sum", "avg", "min", "max", "first", "last", "exists", "distinct", "most"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A figure over one customer's rows of one event.

    `value` is None for `count`, `exists`, and for `first`/`last` of the event itself
    (its instant). `where` is in the event's scope, and of the customer besides; `most` is the
    most frequent known value, of equally frequent ones the least.
    """

    function: AggregateFunction
    event: EventSource
    value: Expression | None = None
    where: Expression | None = None
    windows: tuple[Window, ...] = ()
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """A metric by name; its expression is in `Project.metrics`."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTest:
    """`customer in segment NAME`; the predicate is in `Project.segments`."""

    name: str
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopBy:
    """`top 10% by spend_year`: `share` in hundredths of a percent of all customers whose
    figure is known, highest first, ties by key."""

    share: int
    by: Expression
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileBy:
    """`tile 5 by spend_year`: 1 to `tiles`, the highest in the last; unknown with the figure."""

    tiles: int
    by: Expression
    type: Type = MAYBE_INT
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`in list "lists/fair.csv"`: the customer is in the file; what is in it is in
    `Project.lists`."""

    path: str
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlValue:
    """An expression in SQL over the bound table `t`; occurs in bindings alone.

    `sql` was written anew from what was checked, and reads `columns`.
    """

    sql: str
    columns: tuple[Column, ...]
    type: Type | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMembers:
    """The customer is among the keys that a SELECT yields; written anew as `SqlValue` is."""

    sql: str
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Whole years since a date, on the customer's local date of `now`."""

    subject: Expression
    type: Type = MAYBE_INT
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`+ - * /`; unknown operands, division by zero and overflow give unknown."""

    operator: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expression
    right: Expression
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Both ends belong to it."""

    subject: Expression
    low: Expression
    high: Expression
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    subject: Expression
    options: tuple[Expression, ...]
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMatch:
    """`contains` or `starts with`, case-sensitive."""

    how: Literal["contains", "starts"]
    subject: Expression
    text: Expression
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`is known` (or `is unknown` when not `known`)."""

    subject: Expression
    known: bool
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """`older than` (`at <= now - seconds`) or `newer than` (`at > now - seconds`).

    The subject is an instant or a date (taken as its midnight, UTC). Unknown is neither.
    """

    older: bool
    subject: Expression
    seconds: int
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """`and` of two or more predicates."""

    parts: tuple[Expression, ...]
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """`or` of two or more predicates."""

    parts: tuple[Expression, ...]
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negated:
    """`not` of a predicate."""

    part: Expression
    type: Type = BOOL
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A factor's value for this customer: the option in whose buckets under `salt` they are.

    `learned` is (journey, path) of a factor whose buckets are those of the day.
    """

    salt: str
    options: tuple[Constant, ...]
    learned: tuple[str, str] | None = None
    type: Type
    span: Span = field(compare=False, repr=False)

    @property
    def bounds(self) -> tuple[int, ...]:
        """Where the buckets of each option end; they are as equal as ten thousand allows."""
        count = len(self.options)
        return tuple(10_000 * number // count for number in range(1, count + 1))


Expression = (
    Constant
    | Drawn
    | Column
    | CustomerValue
    | EventValue
    | EntryValue
    | ProfileValue
    | Aggregate
    | MetricValue
    | SegmentTest
    | TopBy
    | TileBy
    | Listed
    | SqlValue
    | SqlMembers
    | Age
    | Arithmetic
    | Comparison
    | Between
    | OneOf
    | TextMatch
    | Known
    | Aged
    | All
    | Either
    | Negated
)
