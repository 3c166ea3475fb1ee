"""The filters of message templates: those of Jinja2 that cannot run away, and ours.

Left out are those that depend on chance, print structures, or make something large out of
a number (`center`, `format`, `random`, `pprint`, `tojson`, `xmlattr`, `urlize`, …).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from jinja2 import Undefined
from jinja2 import filters as jinja
from jinja2.exceptions import SecurityError
from markupsafe import Markup, escape

from journeylang.delivery import formats

_KEPT = (
    "abs capitalize count d default dictsort e escape first float forceescape groupby int items"
    " last length list lower map max min reject rejectattr reverse round safe select selectattr"
    " sort string striptags title trim truncate unique upper urlencode wordcount"
)
_VALUES = (str, int, float, Decimal, date, time, Undefined)
_MAX_CHARACTERS = 1024 * 1024


class UnfitError(ValueError):
    """A value that a filter cannot write; the words are of the filter, and quote no value."""


# An unknown value goes through as it is: a `default` behind it says what is shown instead.


def money(value: Any, currency: str | None, locale: str) -> Any:
    """`{{ entry.total | money }}`; a plain number needs its currency: `money("EUR")`."""
    if isinstance(value, Undefined):
        return value
    unit = currency or getattr(value, "currency", None)
    if unit is None:
        raise UnfitError('`money` of a value without a currency: `money("EUR")` says it')
    return formats.format_money(_decimal(value), unit, locale)


def number(value: Any, digits: int | None, locale: str) -> Any:
    if isinstance(value, Undefined):
        return value
    if digits is not None and not 0 <= digits <= 15:
        raise UnfitError("`number` has 0 to 15 digits behind the point")
    return formats.format_number(_decimal(value), digits, locale)


def day(value: Any, style: str, locale: str, zone: str) -> Any:
    """`{{ entry.at | date }}`, `| date("long")`, `| date("d. MMMM HH:mm")`."""
    if isinstance(value, Undefined):
        return value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UnfitError("`date` of a text that is no date") from None
    if not isinstance(value, (date, time)):
        raise UnfitError("`date` of a value that is no date")
    if len(style) > 100:
        raise UnfitError("`date` has a pattern of at most 100 characters")
    return formats.format_date(value, style, locale, zone)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise UnfitError("a value that is no number")
    if isinstance(value, str) and len(value) > 40:
        raise UnfitError("a text that is no number")
    try:
        # Babel asks the exact type: a Decimal's subclass would be cached under itself.
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise UnfitError("a text that is no number") from None


def _replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    subject = str(text)
    found = subject.count(old) if count is None else min(count, subject.count(old))
    if len(subject) + found * max(len(new) - len(old), 0) > _MAX_CHARACTERS:
        raise SecurityError("`replace` makes more than a message may hold")
    if isinstance(text, Markup):
        # As Jinja2 has it: what is put into escaped text is escaped too.
        return text.replace(old, new, -1 if count is None else count)
    return subject.replace(old, new, -1 if count is None else count)


def _join(values: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    parts = list(values)
    if attribute is not None:
        parts = [part[attribute] for part in parts]
    for part in parts:
        if not isinstance(part, _VALUES):
            raise UnfitError("`join` is for values, not for structures")
    if len(between) * len(parts) > _MAX_CHARACTERS:
        raise SecurityError("`join` makes more than a message may hold")
    texts = [part if isinstance(part, (str, Markup)) else str(part) for part in parts]
    if isinstance(between, Markup) or any(isinstance(part, Markup) for part in texts):
        return escape(between).join(texts)
    return between.join(texts)


def _total(values: Iterable[Any], attribute: str | None = None, start: Any = 0) -> Any:
    """A sum of numbers alone: lists would grow."""
    total = start
    for value in values:
        part = value[attribute] if attribute is not None else value
        if isinstance(part, bool) or not isinstance(part, (int, float, Decimal)):
            raise UnfitError("`sum` is for numbers")
        total = (
            Decimal(repr(part)) + total
            if isinstance(total, Decimal) and isinstance(part, float)
            else total + part
        )
    return total


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if not -15 <= precision <= 15:
        raise UnfitError("`round` has at most 15 digits")
    if isinstance(value, Decimal):
        return round(value, precision)
    return jinja.do_round(value, precision, method)  # type: ignore[arg-type]


def _batch(values: Iterable[Any], size: int, fill: Any = None) -> Any:
    if not 1 <= size <= 1000:
        raise UnfitError("`batch` has 1 to 1000 in each")
    return list(jinja.do_batch(list(values), size, fill))


def _text_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Filters that print what they get must not be given structures."""

    def checked(*args: Any, **kwargs: Any) -> Any:
        subject = args[0] if not hasattr(function, "jinja_pass_arg") else args[1]
        if not isinstance(subject, _VALUES):
            raise TypeError("a structure is no text")
        return function(*args, **kwargs)

    if hasattr(function, "jinja_pass_arg"):
        checked.jinja_pass_arg = function.jinja_pass_arg  # type: ignore[attr-defined]
    return checked


_OF_TEXT = frozenset(
    [
        "capitalize",
        "e",
        "escape",
        "forceescape",
        "lower",
        "string",
        "striptags",
        "title",
        "trim",
        "truncate",
        "upper",
        "urlencode",
        "wordcount",
    ]
)

ALLOWED: dict[str, Callable[..., Any]] = {
    name: _text_only(jinja.FILTERS[name]) if name in _OF_TEXT else jinja.FILTERS[name]
    for name in _KEPT.split()
} | {
    "batch": _batch,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "sum": _total,
}
