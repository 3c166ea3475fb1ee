"""Money, dates and numbers as the customer's locale writes them: the template filters.

Babel is imported with the first value that is formatted. An unknown locale falls back: to
its language, then to `en`. Results are kept, for prices and dates repeat.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"
# Beyond it a figure is no price and no count, and its digits would fill the message.
_LARGEST = Decimal("1e21")


class Money(Decimal):
    """An amount that knows its currency; in arithmetic it is a plain Decimal."""

    __slots__ = ("currency",)
    currency: str

    @staticmethod
    def of(amount: Decimal, currency: str) -> Money:
        value = Money(amount)
        value.currency = currency
        return value


@lru_cache(maxsize=512)
def known_locale(name: str) -> Locale:
    """The locale of a name like `de-DE` or `pt_BR.UTF-8`, or the nearest that is known."""
    from babel import Locale, UnknownLocaleError

    plain = name.strip().split(".")[0].split("@")[0].replace("-", "_")
    for candidate in (plain, plain.split("_")[0], FALLBACK):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    raise AssertionError("the fallback locale is known")


@lru_cache(maxsize=1024)
def known_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError only if tzdata lacks it
        return None
    except KeyError:
        return None


@lru_cache(maxsize=20_000)
def format_money(amount: Decimal, currency: str, locale: str) -> str:
    from babel.numbers import format_currency

    return str(format_currency(_bounded(amount), currency, locale=known_locale(locale)))


@lru_cache(maxsize=20_000)
def format_number(value: Decimal, digits: int | None, locale: str) -> str:
    """`digits`: so many behind the point; None: as many as the value has, at most three."""
    from babel.numbers import format_decimal

    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(_bounded(value), format=pattern, locale=known_locale(locale)))


@lru_cache(maxsize=20_000)
def format_date(value: date | datetime | time, style: str, locale: str, zone: str) -> str:
    """`style`: short, medium, long, full, or a CLDR pattern (`d. MMMM`).

    An instant is UTC and is shown as the customer's clock shows it: with a named style
    its date, with a pattern what the pattern asks for.
    """
    from babel import dates

    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        local = instant.astimezone(known_zone(zone) or UTC)
        if style in _STYLES:
            return dates.format_date(local.date(), format=style, locale=known_locale(locale))
        return dates.format_datetime(
            local, format=style, tzinfo=local.tzinfo, locale=known_locale(locale)
        )
    if isinstance(value, time):
        return dates.format_time(value, format=style, locale=known_locale(locale))
    return dates.format_date(value, format=style, locale=known_locale(locale))


_STYLES = frozenset({"short", "medium", "long", "full"})


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= _LARGEST:
        raise ValueError("a figure out of all proportion")
    return value
