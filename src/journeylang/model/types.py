"""The types of the language and what may be done between them."""

from __future__ import annotations

from enum import StrEnum

from journeylang.classes import dataclass


class Kind(StrEnum):
    """The kinds of value; money carries its currency in `Type`."""

    TEXT = "text"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    INSTANT = "instant"
    DURATION = "duration"
    MONEY = "money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A kind, its currency if it is money, and whether the value may be unknown."""

    kind: Kind
    currency: str | None = None
    optional: bool = False

    def __str__(self) -> str:
        name = f"money({self.currency})" if self.kind is Kind.MONEY else self.kind.value
        return f"{name}?" if self.optional else name

    def maybe(self, optional: bool = True) -> Type:
        """The same type, unknown allowed if `optional` (never taken away)."""
        return Type(kind=self.kind, currency=self.currency, optional=self.optional or optional)

    def same_kind(self, other: Type) -> bool:
        """True if values of both may be compared: same kind, same currency, or both numeric."""
        if self.kind in NUMERIC and other.kind in NUMERIC:
            return True
        return self.kind is other.kind and self.currency == other.currency


NUMERIC = frozenset({Kind.INT, Kind.NUMBER})
ORDERED = NUMERIC | {Kind.MONEY, Kind.DATE, Kind.TIME, Kind.INSTANT, Kind.DURATION, Kind.TEXT}

TEXT = Type(kind=Kind.TEXT)
INT = Type(kind=Kind.INT)
NUMBER = Type(kind=Kind.NUMBER)
BOOL = Type(kind=Kind.BOOL)
DATE = Type(kind=Kind.DATE)
TIME = Type(kind=Kind.TIME)
INSTANT = Type(kind=Kind.INSTANT)
DURATION = Type(kind=Kind.DURATION)
MAYBE_INT = Type(kind=Kind.INT, optional=True)


def money(currency: str) -> Type:
    """Money of one ISO 4217 currency, four decimals."""
    return Type(kind=Kind.MONEY, currency=currency)
