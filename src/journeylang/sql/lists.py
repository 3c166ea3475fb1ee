"""Lists of people as rows of the runtime, and who of the customers is on one.

Both sides of the comparison are brought into one form by the same function of the database:
capital letters do not tell e-mail addresses apart, nor spaces telephone numbers.
"""

from __future__ import annotations

from journeylang.model.expressions import CustomerValue, Listed, SqlMembers
from journeylang.model.lists import ContactList, ListKey
from journeylang.model.types import TEXT
from journeylang.sql import expressions
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.relations import customer_column
from journeylang.sql.scope import Scope

STAGE = {"value": "VARCHAR"}


def comparable(value: str, key: ListKey, dialect: Dialect) -> str:
    """A text in the form in which it is compared; NULL if nothing is left of it."""
    match key:
        case "key":
            return f"nullif(trim({value}), '')"
        case "email":
            return f"nullif(lower(trim({value})), '')"
        case "phone":
            return dialect.phone_number(value)


def listed(node: Listed, scope: Scope) -> str:
    """Whether the customer of a row is on the list."""
    rows = scope.project.lists[node.path]
    subject = scope.dialect.as_text(expressions.value(rows.subject, scope))
    entries = f"(SELECT e.value FROM journey.list_entry AS e WHERE e.list = {text(node.path)})"
    alias = scope.lookup(entries, "value", comparable(subject, rows.key, scope.dialect))
    return f"{alias}.value IS NOT NULL"


def selected(node: SqlMembers, scope: Scope) -> str:
    """Whether the customer of a row is among the keys of a SELECT; as text they are one type."""
    d = scope.dialect
    key = CustomerValue(name="key", type=TEXT, span=node.span)
    written = d.by_hand(node.sql, query=True)
    keys = (
        f"(SELECT DISTINCT {d.as_text('s.member')} AS member FROM ({written}) AS s (member)"
        " WHERE s.member IS NOT NULL)"
    )
    alias = scope.lookup(keys, "member", d.as_text(expressions.value(key, scope)))
    return f"{alias}.member IS NOT NULL"


def stored_digests() -> str:
    """Path and digest of every list that is there."""
    return "SELECT path, digest FROM journey.list"


def replace_list(rows: ContactList, now: str, dialect: Dialect) -> list[str]:
    """Statements that put a list in place of what was there, from the table `list_stage`."""
    path = text(rows.path)
    value = comparable("s.value", rows.key, dialect)
    return [
        f"DELETE FROM journey.list_entry WHERE list = {path}",
        (
            f"INSERT INTO journey.list_entry SELECT DISTINCT {path}, {value} FROM list_stage AS s"
            f" WHERE {value} IS NOT NULL"
        ),
        *remember(rows.path, rows.digest, now),
    ]


def remember(path: str, digest: str, now: str) -> list[str]:
    """Statements by which the database knows what it has of a list."""
    return [
        f"DELETE FROM journey.list WHERE path = {text(path)}",
        f"INSERT INTO journey.list VALUES ({text(path)}, {text(digest)}, {now})",
    ]


def strangers(rows: ContactList, base: str, dialect: Dialect) -> str:
    """{} -> how many entries of the list there are, and of how many no customer is known.

    `base` is the customers relation with the list's subject.
    """
    column = quote(customer_column(rows.subject.name))
    subject = comparable(dialect.as_text(f"c.{column}"), rows.key, dialect)
    return (
        "SELECT count(*), count(*) FILTER (WHERE k.value IS NULL) FROM journey.list_entry AS e"
        f" LEFT JOIN (SELECT DISTINCT {subject} AS value FROM {base} AS c) AS k"
        f" ON k.value = e.value WHERE e.list = {text(rows.path)}"
    )
