"""The answer to `journey why`: what happened to one customer, and what each decision rested on.

Instants are naive UTC; texts show them as the customer's clock does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from journeylang.classes import dataclass

Kind = Literal[
    "entered",
    "refused",
    "arm",
    "branch",
    "woke",
    "waits",
    "sent",
    "called",
    "held",
    "not_sent",
    "set",
    "started",
    "left",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A value that a condition reads: what it is of, as written, and the value as text."""

    of: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A condition, or a part of one. `holds` None: what it read then is not kept.

    `needs` is what would make it true; all of them together.
    """

    text: str
    holds: bool | None
    values: tuple[Shown, ...] = ()
    parts: tuple[Clause, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One thing that a rule has counted."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that stood against a channel of a send: the figures, and what used it up.

    `free_at` is when it lets a message through again, if time alone does that.
    """

    channel: str
    reason: str
    text: str
    uses: tuple[Use, ...] = ()
    clauses: tuple[Clause, ...] = ()
    free_at: datetime | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened, or a decision."""

    at: datetime
    kind: Kind
    text: str
    step: str | None = None
    reason: str | None = None
    clauses: tuple[Clause, ...] = ()
    rules: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way through a journey; `step` and `until` are where an active one rests.

    `ahead` is what ends it at once.
    """

    run_id: int
    version: int
    entered_at: datetime
    status: str
    reason: str | None
    ended_at: datetime | None
    step: str | None
    until: datetime | None
    lines: tuple[Line, ...]
    ahead: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Why somebody who is not in a journey is not: what has to be true of them to enter."""

    clauses: tuple[Clause, ...]
    needs: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A customer and a journey. `earlier`: so many further runs before these are left out."""

    journey: str
    runs: tuple[Run, ...]
    earlier: int
    refused: tuple[Line, ...]
    outside: Outside | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`at` is the instant of the latest tick, or the one that was asked for."""

    customer: str
    known: bool
    zone: str
    at: datetime
    stories: tuple[Story, ...]
