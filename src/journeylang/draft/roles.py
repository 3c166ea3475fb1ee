"""What a table is for, and which of its columns says what: guesses from names, keys and rows."""

from __future__ import annotations

import re

from journeylang.classes import dataclass
from journeylang.draft import words
from journeylang.draft.tables import Column, Source, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A column, and why it was taken; nothing is said where there is no doubt."""

    column: Column
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The customer base."""

    table: Table
    key: Guess
    why: str


def people(source: Source) -> People | None:
    """The table that is most like one of customers."""
    pointed: dict[tuple[str, ...], int] = {}
    for table in source.tables:
        for column in table.columns:
            if column.refers is not None:
                pointed[column.refers[0]] = pointed.get(column.refers[0], 0) + 1
    ranked: list[tuple[tuple[int, int, int], Table]] = []
    for table in source.tables:
        named = _named_people(table)
        reached = table.column(*words.EMAIL) or table.column(*words.MOBILE)
        if is_log(table) or not (named or (reached and pointed.get(table.parts))):
            continue
        score = 2 * named + 3 * (reached is not None) + min(4, pointed.get(table.parts, 0))
        ranked.append(((score, words.layer(table.parts), -len(ranked)), table))
    for _, table in sorted(ranked, key=lambda one: one[0], reverse=True):
        key = key_of(table, source)
        if key is not None:
            reasons = ["it is called so"] if _named_people(table) else []
            if table.column(*words.EMAIL):
                reasons.append("it has addresses")
            if others := pointed.get(table.parts, 0):
                reasons.append(f"{others} point{'s' if others == 1 else ''} to it")
            return People(table=table, key=key, why=", ".join(reasons))
    return None


def is_log(table: Table) -> bool:
    """A table of Segment's in which each row is a call, not a person or a thing."""
    return words.stem(table.name) in ("identify", "alias", "aliase", "group")


def key_of(table: Table, source: Source) -> Guess | None:
    """What tells its rows apart."""
    if len(table.primary) == 1:
        return Guess(column=_called(table, table.primary[0]))
    stem = words.stem(table.name)
    last = stem.rpartition("_")[2]
    usual = ("id", f"{stem}_id", f"{last}_id", f"{stem}_key", f"{stem}_sk", f"{stem}_uuid", "uuid",
             "key", f"{stem}_number", f"{stem}_no", "event_id", "message_id", "sku")  # fmt: skip
    usual = (*usual, *(words.KEYS_OF_PEOPLE if _named_people(table) else ()))
    by_name = {words.snake(column.name): column for column in table.columns}
    candidates = [by_name[name] for name in dict.fromkeys(usual) if name in by_name]
    declared = [column for column in table.columns if column.unique and column.refers is None]
    further = [
        column
        for column in table.columns
        if re.search(r"_(id|key|uuid|no|number)$", words.snake(column.name))
        and column not in candidates
        and column.refers is None
    ]
    for column in declared:
        if column in candidates:
            return Guess(column=column)
    if declared:
        return Guess(column=declared[0])
    unproved = None
    for column in (*candidates, *further):
        alone = source.unique(table, column)
        if alone:
            sure = column in candidates
            why = "" if sure else "no two of the rows that were looked at share one"
            return Guess(column=column, why=why)
        if alone is None and column in candidates:
            unproved = unproved or column
    if unproved is None:
        return None
    return Guess(column=unproved, why="called so; whether it is unique was not to be seen")


def whose(table: Table, base: People) -> Guess | None:
    """The column with the customer's key."""
    own_key = base.key.column.name.lower()
    for column in table.columns:
        to = column.refers
        if to is not None and to[0] == base.table.parts and to[1].lower() == own_key:
            return Guess(column=column)
    stem = words.stem(base.table.name)
    own = words.snake(base.key.column.name)
    usual = (f"{stem}_id", f"{stem}_key", *((own,) if own != "id" else ()), *words.KEYS_OF_PEOPLE)
    by_name = {words.snake(column.name): column for column in table.columns}
    for name in usual:
        column_found = by_name.get(name)
        if column_found is not None and column_found.name not in table.primary:
            if name in (own, f"{stem}_id"):
                return Guess(column=column_found)
            return Guess(column=column_found, why=f"taken for the key of {base.table.name}")
    return None


def moment(table: Table) -> Guess | None:
    """The column that says when it happened."""
    by_name = {words.snake(column.name): column for column in table.columns}
    for name in words.MOMENTS:
        column = by_name.get(name)
        if column is not None and column.kind in ("instant", "date", "unknown"):
            return Guess(column=column, why=_among(table, column))
    for column in _moments(table):
        name = words.snake(column.name)
        if name not in _NO_MOMENT and not words.MACHINERY.match(name):
            return Guess(column=column, why="the first time in it")
    return None


def changed(table: Table) -> Guess | None:
    """The column that says when a row came or changed."""
    loaded = table.column(*words.LOADED)
    if loaded is not None and loaded.kind in ("instant", "unknown"):
        return Guess(column=loaded, why="set by what loads the rows")
    updated = table.column(*words.CHANGED)
    if updated is not None and updated.kind in ("instant", "unknown"):
        return Guess(column=updated, why="set at every change, also a new row's?")
    return None


_NO_MOMENT = {*words.LOADED, *words.CHANGED, *words.GONE, *words.CANCELLED}


def _moments(table: Table) -> list[Column]:
    return [column for column in table.columns if column.kind in ("instant", "date")]


def _among(table: Table, column: Column) -> str:
    further = [c.name for c in _moments(table) if c is not column]
    if not further:
        return ""
    listed = ", ".join(further[:3])
    return f"when it happened; not {listed}{', …' if len(further) > 3 else ''}"


def _named_people(table: Table) -> int:
    stem = words.stem(table.name)
    if stem in words.PEOPLE:
        return words.PEOPLE[stem]
    # `shop_customer`, `crm_contact`
    return words.PEOPLE.get(stem.rpartition("_")[2], 0) // 2


def _called(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name == name)
