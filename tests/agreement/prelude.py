"""The binding that every generated program shares, and the tables behind it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from journeylang.model.expressions import CustomerValue
from journeylang.model.lists import ContactList, ListKey
from journeylang.model.types import NUMBER, TEXT
from journeylang.source import Span
from journeylang.sql.dialects import DUCKDB, Dialect

BINDING = """language 1

customers from crm.customers as c {
  key c.id
  timezone c.tz else "Europe/Berlin"
  prefers c.favourite
  field email: text? = c.email pii
  field mobile: text? = c.mobile pii
  field token: text? = c.token pii
  field country: text? = c.country
  field shout: text? = sql`upper(c.country) || '!'`
  field points: int? = c.points
  field rate: number? = c.rate
  field vip: bool? = c.vip
  field born: date? = c.born
  field joined: instant? = c.joined
  field daily: time? = c.daily
  changed at c.changed
  only where c.deleted is unknown
}

event signed_up from shop.signups as s {
  key s.id
  customer s.customer_id
  at s.at
  append only
  field source: text? = s.source
  field score: int? = s.score
}

event ordered from shop.orders as o {
  key o.id
  customer o.customer_id
  at o.at late 6h
  field total: money(EUR)? = o.total
  field items: int? = o.items
  field gift: bool? = o.gift
  field due: date? = o.due
  only where o.status != "cancelled"
}

event visited from shop.visits as v {
  key v.id
  customer v.customer_id
  at v.at late 2h
  changed at v.changed
  field page: text? = v.page
  field weight: number? = v.weight
  field seen: instant? = v.seen
  field daily: time? = v.daily
}

event used from shop.uses as u {
  key u.id
  customer u.customer_id
  at u.at late 2h
  field code: text? = u.code
}

promo pool from shop.pool as p {
  code p.code
  only where p.kind = "pool"
  expires 14d
  redeemed by used.code cost 5 EUR
}
promo few from shop.pool as p { code p.code first 2 }
promo own { generate "OWN-####" per customer redeemed by used.code }
promo made { generate "#M##-###" valid until 2026-04-05 }

catalog products from shop.products as p {
  key p.sku
  field name: text? = p.name
  field price: money(EUR)? = p.price
  field stars: int? = p.stars
  only where p.stock != 0
}

consent email_ok from crm.consents as m {
  customer m.customer_id
  at m.at
  granted m.status = "in"
  only where m.topic = "email"
}
consent sms_ok when customer.mobile is known and customer.country != "FR" basis "asked"
consent offers_ok from crm.consents as m {
  customer m.customer_id
  at m.at
  granted m.status = "in"
  only where m.topic = "offers"
}
topic offers "Offers" { consent: offers_ok }

channel email { address: customer.email, consent: email_ok, cost: 0.0004 EUR }
channel sms { address: customer.mobile, consent: sms_ok, cost: 0.06 EUR }
channel push { address: customer.token, consent: sms_ok }
"""


# The same with a mark on the orders, so that it is known which are new.
MARKED = BINDING.replace("at o.at late 6h\n", "at o.at late 6h\n  changed at o.changed\n")


def _list(path: str, key: ListKey, field: str, *values: str) -> ContactList:
    subject = CustomerValue(name=field, type=TEXT, span=Span(path=path, start=0, end=0))
    return ContactList(path=path, key=key, subject=subject, digest=path, values=values)


# What is in the files that `in list` may name.
LISTS = {
    rows.path: rows
    for rows in (
        _list("lists/keys.csv", "key", "key", "1", " 3 ", "nobody"),
        _list("lists/mails.csv", "email", "email", "A@x.example", "n@x.example ", " "),
        _list("lists/phones.csv", "phone", "mobile", "0049", "+4 9", "none"),
    )
}


class Theme(StrEnum):
    """What a generated case is mostly about; half of what is drawn would else come to nothing."""

    ANYTHING = "anything"
    MESSAGES = "messages"
    RACES = "races"
    ENTRIES = "entries"


CHANNELS = ("email", "sms", "push")
EVENTS = ("signed_up", "ordered", "visited")

# Column names and DuckDB's types, in the order of each table.
TABLES: dict[str, dict[str, str]] = {
    "crm.customers": {
        "id": "BIGINT",
        "tz": "VARCHAR",
        "favourite": "VARCHAR",
        "email": "VARCHAR",
        "mobile": "VARCHAR",
        "token": "VARCHAR",
        "country": "VARCHAR",
        "points": "BIGINT",
        "rate": "DOUBLE",
        "vip": "BOOLEAN",
        "born": "DATE",
        "joined": "TIMESTAMP",
        "daily": "TIME",
        "deleted": "TIMESTAMP",
        "changed": "TIMESTAMP",
    },
    "shop.signups": {
        "id": "BIGINT",
        "customer_id": "BIGINT",
        "at": "TIMESTAMP",
        "source": "VARCHAR",
        "score": "BIGINT",
    },
    "shop.orders": {
        "id": "BIGINT",
        "customer_id": "BIGINT",
        "at": "TIMESTAMP",
        "total": "DECIMAL(14,4)",
        "items": "BIGINT",
        "gift": "BOOLEAN",
        "due": "DATE",
        "status": "VARCHAR",
        "changed": "TIMESTAMP",
    },
    "shop.visits": {
        "id": "BIGINT",
        "customer_id": "BIGINT",
        "at": "TIMESTAMP",
        "changed": "TIMESTAMP",
        "page": "VARCHAR",
        "weight": "DOUBLE",
        "seen": "TIMESTAMP",
        "daily": "TIME",
    },
    "shop.pool": {"code": "VARCHAR", "kind": "VARCHAR"},
    "shop.uses": {"id": "BIGINT", "customer_id": "BIGINT", "at": "TIMESTAMP", "code": "VARCHAR"},
    "shop.products": {
        "sku": "BIGINT",
        "name": "VARCHAR",
        "price": "DECIMAL(14,4)",
        "stars": "BIGINT",
        "stock": "BIGINT",
    },
    "crm.consents": {
        "customer_id": "BIGINT",
        "at": "TIMESTAMP",
        "topic": "VARCHAR",
        "status": "VARCHAR",
    },
}
TABLE_OF = {"signed_up": "shop.signups", "ordered": "shop.orders", "visited": "shop.visits"}


def create(dialect: Dialect = DUCKDB) -> list[str]:
    """Statements that make the tables, empty."""
    statements = ["CREATE SCHEMA crm", "CREATE SCHEMA shop"]
    for name, columns in TABLES.items():
        inside = ", ".join(
            f'"{column}" {dialect.column_type(NUMBER) if kind == "DOUBLE" else kind}'
            for column, kind in columns.items()
        )
        statements.append(f"CREATE TABLE {name} ({inside})")
    return statements


def record(table: str, **values: Any) -> dict[str, Any]:
    """A row; columns that are not given are unknown."""
    assert values.keys() <= TABLES[table].keys(), values.keys() - TABLES[table].keys()
    return {column: values.get(column) for column in TABLES[table]}


def instant(text: str) -> datetime:
    """A naive datetime, which here means UTC."""
    return datetime.fromisoformat(text)


PRODUCTS = [
    record("shop.products", sku=sku, name=name, price=price, stars=stars, stock=stock)
    for sku, name, price, stars, stock in (
        (1, "mug", 12, 5, 3),
        (2, "tin", None, 10, 1),
        (3, "mill", 79, None, None),
        (4, "tea", 8, 0, 9),
        (5, "cup", 12, 3, 0),
        (6, "pot", 25, 3, 2),
    )
]

POOL = [
    record("shop.pool", code=code, kind=kind)
    for code, kind in (
        ("P2", "pool"),
        ("P1", "pool"),
        ("P2", "pool"),
        (None, "pool"),
        ("a", "pool"),
        ("Z", "other"),
    )
]
