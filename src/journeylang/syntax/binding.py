"""Declarations that say what the user's own tables mean, as written.

The lines in braces are kept in their order as ``items``: whether one is missing or stands
twice is for the analysis to say.
"""

from dataclasses import field
from typing import TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.expressions import DurationLike, Expression, Pair, Ref, TypeName
from journeylang.syntax.literals import Duration, Integer, Money, Name, String


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRef:
    """``from crm.customers as c``: one to three names, and the alias."""

    parts: tuple[Name, ...]
    alias: Name | None
    span: Span = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """``key c.customer_id``."""

    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timezone:
    """``timezone c.tz else "Europe/Berlin"``."""

    value: Expression
    otherwise: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """``locale c.lang else "de-DE"``."""

    value: Expression
    otherwise: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefers:
    """``prefers c.favourite_channel``."""

    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldBinding:
    """``field email: text? = c.email_address pii``; without ``=`` the column is named like it."""

    name: Name
    type: TypeName
    value: Expression | None
    pii: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyWhere:
    """``only where c.deleted_at is unknown``."""

    condition: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerKey:
    """``customer o.customer_id``: whose row it is."""

    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """``at o.placed_at late 6h``."""

    value: Expression
    late: Duration | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAt:
    """``changed at o.updated_at``."""

    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendOnly:
    """``append only``."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """``granted m.status = "opt_in"``."""

    condition: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSource:
    """``source m.source``: kept as proof of a consent."""

    value: Expression
    span: Span = field(compare=False, repr=False)


CustomersItem: TypeAlias = (
    Key | Timezone | Locale | Prefers | FieldBinding | OnlyWhere | ChangedAt | AppendOnly
)
EventItem: TypeAlias = Key | CustomerKey | At | ChangedAt | AppendOnly | FieldBinding | OnlyWhere
ConsentItem: TypeAlias = CustomerKey | At | Granted | ProofSource | OnlyWhere
CatalogItem: TypeAlias = Key | FieldBinding | OnlyWhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """``customers from crm.customers as c { … }``."""

    table: TableRef
    items: tuple[CustomersItem, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``event order_placed from shop.orders as o { … }``."""

    name: Name
    title: String | None
    table: TableRef
    items: tuple[EventItem, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTable:
    """``consent email_marketing from crm.consents as m { … }``: the newest row decides."""

    name: Name
    title: String | None
    table: TableRef
    items: tuple[ConsentItem, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWhen:
    """``consent push_enabled when customer.push_token is known basis "granted on the device"``."""

    name: Name
    title: String | None
    condition: Expression
    basis: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """``topic offers "Personal offers" { consent: offers_optin }``."""

    name: Name
    title: String | None
    settings: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """``channel sms { address: customer.mobile, consent: sms_marketing, cost: 0.06 EUR }``."""

    name: Name
    title: String | None
    settings: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """``code p.code``: the column that holds the codes of a pool."""

    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """``generate "FR-########" per customer``; each ``#`` is a place to fill."""

    pattern: String
    per_customer: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expires:
    """``expires 14d`` after the drawing (a promo) or the agreement (prospects)."""

    after: DurationLike
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedBy:
    """``redeemed by code_redeemed.code cost 5 EUR``: event and field, and what it costs."""

    by: Ref
    cost: Money | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidUntil:
    """``valid until 2026-05-31``."""

    until: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOnly:
    """``first 500``: how many codes there will ever be."""

    count: Integer
    span: Span = field(compare=False, repr=False)


PromoItem: TypeAlias = Code | Generate | OnlyWhere | Expires | RedeemedBy | ValidUntil | FirstOnly


@dataclass(frozen=True, slots=True, kw_only=True)
class Promo:
    """``promo winback20 from shop.coupon_pool as p { … }``, or without a table ``generate``."""

    name: Name
    title: String | None
    table: TableRef | None
    items: tuple[PromoItem, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """``catalog products from shop.products as p { … }``."""

    name: Name
    title: String | None
    table: TableRef
    items: tuple[CatalogItem, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerValue:
    """``value { revenue: order_placed.total … }``: what a customer is worth."""

    settings: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectConsent:
    """``consent email when row.consent = "yes" at row.collected_at source row.source``."""

    consent: Name
    condition: Expression
    at: Expression | None
    source: Expression | None
    span: Span = field(compare=False, repr=False)


ProspectsItem: TypeAlias = Key | ProspectConsent | Expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """``prospects fair from list "lists/fair_2026.csv" { … }``."""

    name: Name
    title: String | None
    path: String
    items: tuple[ProspectsItem, ...]
    span: Span = field(compare=False, repr=False)
