"""What records come to, before it is written: rows for each statement, column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, NamedTuple

from journeylang.classes import dataclass
from journeylang.serve.records import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer to a message that is known by its number."""

    number: int
    question: str
    value: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """New answers by the number of their step, and numbers that no message has."""

    steps: Counter[int]
    unknown: frozenset[int]


class Message(NamedTuple):
    """A row of `Answers.messages`, without the name."""

    customer: Any
    message: int
    channel: str
    topic: str | None
    decided_at: datetime
    step: int


@dataclass(slots=True, kw_only=True)
class Taken:
    """What was made of records, by what they were: rows written, and those that led nowhere.

    `later` may still find their message.
    """

    written: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    later: list[Said] = field(default_factory=list)


@dataclass(slots=True)
class Columns:
    """Rows for one statement, column by column."""

    names: Sequence[str]
    rows: dict[tuple[Any, ...], None] = field(default_factory=dict)

    def add(self, *values: Any) -> None:
        self.rows.setdefault(values)

    def parameters(self, **others: Any) -> dict[str, Any]:
        columns = zip(*self.rows, strict=True)
        return others | {n: list(c) for n, c in zip(self.names, columns, strict=True)}


@dataclass(slots=True, kw_only=True)
class Work:
    """What the records come to, before it is written."""

    taken: Taken
    now: datetime
    said: list[tuple[Said, Message]] = field(default_factory=list)
    sums: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    suppressed: list[tuple[Message, str | None, datetime, str]] = field(default_factory=list)
    states: Columns = field(
        default_factory=lambda: Columns(("customers", "messages", "states", "ats", "providers"))
    )
    soft: Columns = field(default_factory=lambda: Columns(("customers", "channels")))
    lift: Columns = field(default_factory=lambda: Columns(("customers", "channels", "hashes")))
    consents: Columns = field(
        default_factory=lambda: Columns(("customers", "consents", "ats", "granted", "sources"))
    )
    wishes: Columns = field(
        default_factory=lambda: Columns(("customers", "names", "values", "ats"))
    )
