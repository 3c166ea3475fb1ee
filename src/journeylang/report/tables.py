"""A report as tables of typed cells, which text, JSON, CSV and Markdown are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import Enum

from journeylang.classes import dataclass
from journeylang.pictures.markup import Picture
from journeylang.stats.comparison import Interval


class Kind(Enum):
    """What a column's figures are. Shares, points and lifts are fractions: 0.01 is one percent.

    Points are differences of shares, changes differences of amounts; in both a plus is shown.
    """

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    POINTS = "points"
    LIFT = "lift"
    AMOUNT = "amount"
    CHANGE = "change"
    RATIO = "ratio"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`name` is for programs, `title` is read."""

    name: str
    title: str
    kind: Kind = Kind.COUNT


Cell = str | int | float | Decimal | Interval | None
"""None is unknown, or nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`notes` say what is counted and what stands in a figure's way.

    `terse`: columns in which nothing but zeros stands are left out where people read.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    terse: bool = False

    def read(self) -> Table:
        """Without the columns that say nothing: those of no figure, and if `terse` of zeros."""
        kept = [
            n
            for n, column in enumerate(self.columns)
            if column.kind is Kind.TEXT
            or any(row[n] is not None and (row[n] or not self.terse) for row in self.rows)
        ]
        return replace(
            self,
            columns=tuple(self.columns[n] for n in kept),
            rows=tuple(tuple(row[n] for n in kept) for row in self.rows),
        )

    @property
    def silent(self) -> bool:
        """Whether there is nothing to read: no note, and nothing beside the names of lines."""
        return not self.notes and len(self.columns) < 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The tables of a journey, or of all together (`journey` None), and pictures if asked for."""

    journey: str | None
    title: str
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """As of the last tick, in naive UTC."""

    env: str
    now: datetime
    parts: tuple[Part, ...]


def text(name: str, title: str | None = None) -> Column:
    return Column(name=name, title=title or name.replace("_", " "), kind=Kind.TEXT)


def count(name: str, title: str | None = None) -> Column:
    return Column(name=name, title=title or name.replace("_", " "))


def share(name: str, title: str | None = None) -> Column:
    return Column(name=name, title=title or name.replace("_", " "), kind=Kind.SHARE)


def amount(name: str, title: str | None = None) -> Column:
    return Column(name=name, title=title or name.replace("_", " "), kind=Kind.AMOUNT)
