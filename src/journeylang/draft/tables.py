"""Tables and columns as somebody else describes them, whoever that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

from journeylang.classes import dataclass

Kind = Literal["text", "int", "number", "bool", "date", "time", "instant", "other", "unknown"]

_KINDS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    # Lists and structures first: `integer[]` is no number.
    (re.compile(r"\[|^(array|list|map|struct|union|json|super|variant|object|record)"), "other"),
    (re.compile(r"^(bool)"), "bool"),
    (re.compile(r"^(timestamp|datetime)"), "instant"),
    (re.compile(r"^time\b"), "time"),
    (re.compile(r"^date$"), "date"),
    (re.compile(r"^(numeric|decimal|number)\s*\(\s*\d+\s*(,\s*0\s*)?\)"), "int"),
    (re.compile(r"^(numeric|decimal|number|double|float|real)"), "number"),
    (re.compile(r"^(u?(tiny|small|big|huge)?int|integer|(big|small)?serial|byteint)"), "int"),
    (re.compile(r"^(n?(var)?char|character|text|string|citext|uuid|enum|name$|bpchar)"), "text"),
)


def kind_of(type_name: str) -> Kind:
    """What a database's type is to the language: `numeric(12,2)` is a `number`."""
    lowered = type_name.strip().strip('"').lower()
    if not lowered:
        return "unknown"
    return next((kind for pattern, kind in _KINDS if pattern.search(lowered)), "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `unique`: declared so, by itself; `refers`: the table and column it points to."""

    name: str
    kind: Kind = "unknown"
    nullable: bool = True
    unique: bool = False
    refers: tuple[tuple[str, ...], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view: `("crm", "customers")`."""

    parts: tuple[str, ...]
    columns: tuple[Column, ...]
    primary: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.parts[-1]

    def column(self, *names: str) -> Column | None:
        """The first of these that it has, whatever the case of its letters."""
        known = {column.name.lower(): column for column in self.columns}
        return next((known[name] for name in names if name in known), None)


class Source(Protocol):
    """Where tables are told of."""

    tables: Sequence[Table]

    def values(self, table: Table, column: Column) -> tuple[str, ...] | None:
        """The values of a column as text, if they are few and can be known."""

    def unique(self, table: Table, column: Column) -> bool | None:
        """Whether every row has one and each its own; None if nobody can say."""


def with_keys(
    table: Table,
    unique: Sequence[tuple[str, ...]],
    refers: Sequence[tuple[str, tuple[str, ...], str]],
) -> Table:
    """The table with what is declared of its columns."""
    alone = {names[0] for names in unique if len(names) == 1}
    points = {name: (parts, column) for name, parts, column in refers}
    columns = tuple(
        replace(column, unique=column.name in alone, refers=points.get(column.name))
        for column in table.columns
    )
    return replace(table, columns=columns)
