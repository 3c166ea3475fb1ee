"""Which of the user's tables and columns mean what. No data moves."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.expressions import Expression
from journeylang.model.types import Type
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundField:
    """A field and the expression over the table's columns that yields it."""

    name: str
    type: Type
    value: Expression
    pii: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the user's, as written: `("crm", "customers")`."""

    parts: tuple[str, ...]
    span: Span = field(compare=False, repr=False)

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """The customer base. Without `timezone` everybody lives in `zone_else` (default UTC)."""

    table: Table
    key: Expression
    timezone: Expression | None = None
    zone_else: str = "UTC"
    locale: Expression | None = None
    locale_else: str = "en"
    prefers: Expression | None = None
    changed_at: Expression | None = None
    fields: tuple[BoundField, ...] = ()
    only_where: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Things that customers do. `late` in seconds: how long after the fact a row may arrive.

    With `redeems`, it is the event `origin` again: a row counts for whom one of the promo's codes
    was drawn for, if `code` is that code; the row's own customer may be somebody else.
    """

    name: str
    table: Table
    key: Expression
    customer: Expression
    at: Expression
    late: int = 3600
    changed_at: Expression | None = None
    append_only: bool = False
    fields: tuple[BoundField, ...] = ()
    only_where: Expression | None = None
    redeems: str | None = None
    origin: str | None = None
    code: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTable:
    """Consent by rows: the newest row decides, no row is no consent."""

    name: str
    table: Table
    customer: Expression
    at: Expression
    granted: Expression
    source: Expression | None = None
    only_where: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWhen:
    """Consent by a predicate over the customer, with the basis on which it rests."""

    name: str
    condition: Expression
    basis: str | None = None
    span: Span = field(compare=False, repr=False)


Consent = ConsentTable | ConsentWhen


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    title: str | None
    consent: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to reach people. `cost` is per message, whatever its length, in `currency`."""

    name: str
    address: Expression
    consent: str | None
    cost: Decimal | None = None
    currency: str | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Things to offer: rows that a template can be given."""

    name: str
    table: Table
    key: Expression
    fields: tuple[BoundField, ...] = ()
    only_where: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Codes that are there already, each row one."""

    name: str
    table: Table
    code: Expression
    only_where: Expression | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Codes that are made: each `#` of the text is filled; `per_customer`: one for ever."""

    text: str
    per_customer: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promo:
    """Codes for messages. `expires` in seconds from the drawing; drawn only before `until`
    (UTC), and at most `first` of them."""

    name: str
    title: str | None
    source: Pool | Pattern
    expires: int | None = None
    until: datetime | None = None
    first: int | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    customers: Customers | None = None
    events: dict[str, Event] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    promos: dict[str, Promo] = field(default_factory=dict)
    # Tables with rows that are left out, as the database was found: no part of what is written.
    aside: frozenset[str] = frozenset()
