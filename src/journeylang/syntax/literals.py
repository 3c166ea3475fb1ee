"""Names and literals, as written."""

from dataclasses import field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name; ``text`` is without the quotes when a column or table was written in quotes."""

    text: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class String:
    """``"a text"``, its escapes resolved."""

    value: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A whole number, at most 2**63 - 1; never negative, a sign is a ``Negate`` around it."""

    value: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number with a decimal point."""

    value: Decimal
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean:
    """``true`` or ``false``."""

    value: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent:
    """``0.1%``; ``value`` is in percent: 0.1 here, not 0.001."""

    value: Decimal
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """``0.06 EUR``; at most four decimals, ``currency`` is three capital letters."""

    amount: Decimal
    currency: str
    span: Span = field(compare=False, repr=False)


DurationUnit: TypeAlias = Literal["s", "m", "h", "d", "w", "mo", "y"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """``7d``; whether it is calendar time or elapsed time is for the place to say."""

    value: int
    unit: DurationUnit
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """``2026-05-31``."""

    value: date
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime:
    """``2026-03-01T10:00``; ``value`` is naive (somebody's local time) unless a zone is written."""

    value: datetime
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay:
    """``09:00``."""

    value: time
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlHatch:
    """``sql`…` ``: an expression, or a SELECT, in the project's dialect.

    ``text`` is what stands between the backticks, and ``text_span`` its place.
    """

    text: str
    text_span: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


Literals: TypeAlias = (
    String | Integer | Number | Boolean | Percent | Money | Duration | Date | DateTime | TimeOfDay
)
