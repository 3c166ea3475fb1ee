"""Names and literals: what a token says, and whether it can be."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from journeylang.source import Span
from journeylang.syntax.build.context import Builder
from journeylang.syntax.literals import (
    Boolean,
    Date,
    DateTime,
    Duration,
    DurationUnit,
    Integer,
    Money,
    Name,
    Number,
    Percent,
    SqlHatch,
    String,
    TimeOfDay,
)

T = TypeVar("T")

LARGEST_INTEGER = 2**63 - 1
LONGEST_DURATION = 100 * 366 * 24 * 3600
"""Seconds: a hundred years, so that no date it is added to leaves the calendar."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000, "y": 31536000}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_MARKS = "\"'“”«»‘’"
_MEANT = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


def quoted_name(b: Builder, span: Span, text: str) -> Name:
    meant = _unescaped(b, span, text)
    if not meant:
        b.problem(span, "a name without a letter", help='write the column or table: `o."Order Id"`')
    return b.name(span, meant)


def string(b: Builder, span: Span, text: str) -> String:
    return String(value=_unescaped(b, span, text), span=span)


def _unescaped(b: Builder, span: Span, text: str) -> str:
    # A text that the scanner had to close at the line's end has no last mark, and one that it
    # let pass has others.
    inner = text[1:-1] if len(text) > 1 and text[-1] in _MARKS else text[1:]
    if "\\" not in inner:
        return inner

    def meant(match: re.Match[str]) -> str:
        what = match[1]
        if what in _MEANT:
            return _MEANT[what]
        start = span.start + 1 + match.start()
        place = Span(span.path, start, start + len(match[0]))
        if len(what) == 5:
            if not 0xD800 <= (point := int(what[1:], 16)) <= 0xDFFF and point:
                return chr(point)
            b.problem(place, f"`\\{what}` is no character", help="write the character itself")
            return ""
        b.problem(
            place,
            f"`\\{what}` has no meaning in a text",
            help='there are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u00e9`; a backslash is `\\\\`',
        )
        return what

    return _ESCAPE.sub(meant, inner)


def integer(b: Builder, span: Span, text: str) -> Integer:
    return Integer(value=_whole(b, span, text), span=span)


def _whole(b: Builder, span: Span, digits: str) -> int:
    # Python refuses to read thousands of digits, and would take long about some less.
    digits = digits.lstrip("0") or "0"
    if len(digits) <= 19 and (value := int(digits)) <= LARGEST_INTEGER:
        return value
    b.problem(span, f"a number larger than {LARGEST_INTEGER}", help="write a smaller number")
    return 0


def number(b: Builder, span: Span, text: str) -> Number:
    return Number(value=_decimal(b, span, text), span=span)


def _decimal(b: Builder, span: Span, text: str, most: int = 18) -> Decimal:
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("0")) > most or len(fraction) > most:
        b.problem(span, f"a number with more than {most} digits on a side of its point")
        return Decimal(0)
    return Decimal(text)


def boolean(_: Builder, span: Span, text: str) -> Boolean:
    return Boolean(value=text == "true", span=span)


def percent(b: Builder, span: Span, text: str) -> Percent:
    return Percent(value=_decimal(b, span, text[:-1].rstrip()), span=span)


def money(b: Builder, span: Span, text: str) -> Money:
    figure = text[:-3].rstrip()
    fraction = figure.partition(".")[2]
    if len(fraction) > 4:
        b.problem(
            span,
            f"an amount with {len(fraction)} decimals",
            label="money has four at most",
            help="round it to four decimals",
        )
        figure = figure[: 4 - len(fraction)]
    elif len(figure) > 14 and len(figure.partition(".")[0].lstrip("0")) > 14:
        b.problem(span, "an amount with more than 14 digits before the point")
        figure = "0"
    return Money(amount=Decimal(figure), currency=text[-3:], span=span)


def duration(b: Builder, span: Span, text: str) -> Duration:
    digits = text.rstrip("smhdwoy")
    unit: DurationUnit = text[len(digits) :]  # type: ignore[assignment]  # the token's pattern
    value = _whole(b, span, digits)
    if value * _SECONDS[unit] > LONGEST_DURATION:
        b.problem(span, "a span of more than a hundred years", help="write a shorter one")
        value = 1
    return Duration(value=value, unit=unit, span=span)


def date(b: Builder, span: Span, text: str) -> Date:
    fallback = dt.date(2000, 1, 1)
    help_ = "write it as year-month-day: 2026-05-31"
    return Date(value=_real(b, span, text, dt.date.fromisoformat, fallback, help_), span=span)


def date_time(b: Builder, span: Span, text: str) -> DateTime:
    fallback = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - somebody's local time
    help_ = "write it as 2026-05-31T09:00, the 24 hours from 00:00 to 23:59"
    return DateTime(
        value=_real(b, span, text, dt.datetime.fromisoformat, fallback, help_), span=span
    )


def time_of_day(b: Builder, span: Span, text: str) -> TimeOfDay:
    help_ = "the hours go from 00:00 to 23:59"
    padded = text if text[2] == ":" else f"0{text}"
    return TimeOfDay(
        value=_real(b, span, padded, dt.time.fromisoformat, dt.time(0), help_), span=span
    )


def _real(
    b: Builder, span: Span, text: str, read: Callable[[str], T], fallback: T, help_: str
) -> T:
    """What the text says, or else the fallback, which keeps the tree whole."""
    try:
        return read(text)
    except ValueError:
        b.problem(span, f"`{text}` does not exist", help=help_)
        return fallback


def sql_hatch(_: Builder, span: Span, text: str) -> SqlHatch:
    closed = len(text) > 4 and text[-1] == "`"
    end = span.end - 1 if closed else span.end
    inner = Span(span.path, span.start + 4, end)
    return SqlHatch(text=text[4:-1] if closed else text[4:], text_span=inner, span=span)
