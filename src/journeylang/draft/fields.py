"""Fields from columns: names, types, and what may be said of whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from journeylang.classes import dataclass
from journeylang.draft import words
from journeylang.draft.lines import column_name, guess, remark
from journeylang.draft.tables import Column, Kind, Source, Table

MOST = 60
"""Further columns of one table are named in a comment."""

_TYPES: dict[Kind, str] = {
    "text": "text",
    "int": "int",
    "number": "number",
    "bool": "bool",
    "date": "date",
    "time": "time",
    "instant": "instant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the draft. `money`: its currency."""

    name: str
    column: Column
    type: str
    text: str
    """The line, without its indentation."""
    why: str = ""
    money: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """What a table's amounts are in, and whence that is known."""

    code: str
    why: str


def usual_currency(source: Source, given: str) -> Currency:
    """What all tables of the database that name a currency are in, else the given one."""
    codes: set[str] = set()
    for table in source.tables:
        column = table.column(*words.CURRENCY)
        if column is not None:
            codes.update(_codes(table, column, source))
    if len(codes) == 1:
        return Currency(code=codes.pop(), why="the one currency that any table names")
    return Currency(code=given, why="nothing says which currency")


def currency(table: Table, source: Source, usual: Currency) -> Currency:
    """By a column of the table, else what is usual."""
    column = table.column(*words.CURRENCY)
    codes = _codes(table, column, source) if column is not None else []
    if column is not None and len(codes) == 1:
        return Currency(code=codes[0], why=f"all that `{column.name}` says")
    if column is not None and len(codes) > 1:
        several = ", ".join(codes[:4])
        return Currency(code=usual.code, why=f"`{column.name}` has {several}: bind what is in one")
    return usual


def _codes(table: Table, column: Column, source: Source) -> list[str]:
    found = source.values(table, column) or ()
    return [code for code in found if re.fullmatch(r"[A-Z]{3}", code)]


def fields(
    table: Table,
    alias: str,
    used: Iterable[Column],
    money: Currency,
    reserved: Iterable[str] = (),
    named: dict[str, str] | None = None,
    personal: bool = True,
) -> tuple[list[Field], list[str]]:
    """Its fields, but for those that stand elsewhere; and the columns that were left out.

    `named` gives columns a name of their own. Without `personal` nothing is about a person.
    """
    taken = set(reserved)
    away = {column.name for column in used}
    found: list[Field] = []
    left: list[str] = []
    for column in table.columns:
        called = words.snake(column.name)
        if column.name in away or words.MACHINERY.match(column.name.lower()):
            continue
        if not called or column.kind == "other" or len(found) == MOST:
            left.append(column.name)
            continue
        called = (named or {}).get(column.name, called)
        field = _field(column, alias, called, money, taken, personal=personal)
        taken.add(field.name)
        found.append(field)
    return found, left


def _field(
    column: Column, alias: str, called: str, money: Currency, taken: set[str], *, personal: bool
) -> Field:
    expression = column_name(alias, column)
    kind, why = _kind(column)
    amount = None
    type_ = _TYPES[kind]
    named = words.snake(column.name)
    if kind in ("int", "number") and _is_amount(named) and not called.startswith("loyalty"):
        cents = words.CENTS.search(named)
        if cents is not None:
            called = re.sub(words.CENTS, "_", called).strip("_") or called
            expression += " / 100"
        if cents is not None or kind == "number" or not why:
            amount = money.code
            type_ = f"money({money.code})"
            why = money.why
    name = called
    while name in taken:
        name += "_2" if not name.endswith("_2") else "x"
    optional = "?" if column.nullable else ""
    pii = " pii" if personal and words.PERSONAL.search(named) and kind in _PERSONAL else ""
    same = expression == f"{alias}.{name}"
    text = f"field {name}: {type_}{optional}{'' if same else f' = {expression}'}{pii}"
    return Field(name=name, column=column, type=type_, text=text, why=why, money=amount)


_PERSONAL = ("text", "date", "number", "int")


def _is_amount(name: str) -> bool:
    return bool(words.AMOUNT.search(name)) and not words.NO_AMOUNT.search(name)


def _kind(column: Column) -> tuple[Kind, str]:
    """The type that is known, else one that the name suggests."""
    if column.kind != "unknown":
        return column.kind, ""
    name = words.snake(column.name)
    by_name: tuple[tuple[str, Kind], ...] = (
        (r"^(is|has|was|accepts|can)_", "bool"),
        (r"_(at|time|timestamp|ts)$", "instant"),
        (r"_(on|date|day)$|^(birthday|birthdate|dob)$", "date"),
        (r"(^|_)(count|number_of|num|qty|quantity|points|days)(_|$)", "int"),
    )
    for pattern, kind in by_name:
        if re.search(pattern, name):
            return kind, "its type, by its name"
    if _is_amount(name):
        return "number", "its type, by its name"
    return "text", "its type: nobody says"


def lines(found: Iterable[Field], left: Iterable[str]) -> Iterator[str]:
    """The fields as lines of a declaration; a reason that all share stands once."""
    said: set[str] = set()
    for field in found:
        line = f"  {field.text}"
        if field.why and field.why not in said:
            said.add(field.why)
            yield guess(line, field.why)
        else:
            yield line
    if left := list(left):
        more = f" and {len(left) - 8} more" if len(left) > 8 else ""
        yield f"  # not bound: {remark(', '.join(left[:8]))}{more}"
