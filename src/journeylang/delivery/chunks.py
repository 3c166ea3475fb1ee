"""What is handed over together: messages and calls that have not ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, assert_never

from journeylang.classes import dataclass
from journeylang.delivery.mime import Email
from journeylang.delivery.pages import Page, Style
from journeylang.delivery.provider import Call, Finished, Note, Outgoing
from journeylang.delivery.recipes import Recipe
from journeylang.delivery.scribes import Job
from journeylang.delivery.statements import Statements
from journeylang.delivery.values import data_from_json
from journeylang.delivery.writing import CallDraft, Draft
from journeylang.engines.base import Engine


class Open(NamedTuple):
    """A message that has not ended. `attempt` is the one that comes next; in its quiet window it
    does not leave."""

    message: int
    batch: int
    channel: str
    expires_at: datetime
    attempt: int
    doubts: int
    draft: Draft | CallDraft
    quiet_from: datetime | None = None
    quiet_until: datetime | None = None


class Mail(NamedTuple):
    """A message that is written, and the keyed hash of where it goes."""

    of: Open
    outgoing: Outgoing
    address_hash: str


def calls(engine: Engine, sql: Statements, chunk: Sequence[Open], now: datetime) -> dict[int, Call]:
    """The calls of a chunk by message, but those of customers who are no longer there."""
    drafts = {one.message: one.draft for one in chunk if isinstance(one.draft, CallDraft)}
    return {
        message: Call(
            id=name,
            service=drafts[message].service,
            action=action,
            customer=customer,
            at=now,
            data=data_from_json(content, drafts[message].given),
        )
        for message, name, known, customer, action, content in engine.query(
            sql.calls, {"ids": list(drafts)}
        )
        if known
    }


LARGEST = 32 * 1024 * 1024
"""Bytes that are handed over together, about."""


def weight(mails: Sequence[Mail]) -> int:
    """What one of them takes on the way, in bytes, about: by the first few."""
    some = [_bytes(mail.outgoing) for mail in mails[:50]]
    return max(sum(some) // len(some), 1) if some else 1


def _bytes(one: Outgoing) -> int:
    match one:
        case Finished(content=bytes() as content):
            return len(content)
        case Finished():
            return sum(len(part) for part in one.content if isinstance(part, str | bytes))
        case Email() | Note():
            return len(one.text) + len(one.html or "")
        case Call():
            return 1000
        case _:
            assert_never(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A chunk that is being written; calls are not."""

    chunk: list[Open]
    contents: Contents | None
    job: Job | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the messages of a chunk are made of: rows of `Statements.contents` by message."""

    rows: Mapping[int, tuple[Any, ...]]
    fields: tuple[str, ...]
    profile: tuple[str, ...]

    def page(self, chunk: Sequence[Open], style: Style, now: datetime) -> Page:
        """Those of them that can be written: of customers who are there and have an address."""
        recipes: list[Recipe] = []
        rows: list[tuple[Any, ...]] = []
        for one in chunk:
            row = self.rows[one.message]
            if row[2] and row[3] is not None and isinstance(one.draft, Draft):
                recipes.append(one.draft.recipe)
                rows.append(row)
        return Page(
            style=style,
            recipes=recipes,
            rows=rows,
            fields=self.fields,
            profile=self.profile,
            now=now,
        )


def contents(engine: Engine, sql: Statements, channel: str, chunk: Sequence[Open]) -> Contents:
    """All messages of the chunk go by one channel."""
    recipes = {id(one.draft): one.draft.recipe for one in chunk if isinstance(one.draft, Draft)}
    fields = tuple(dict.fromkeys(name for of in recipes.values() for name in of.customer))
    profile = tuple(dict.fromkeys(name for of in recipes.values() for name in of.profile))
    rows = engine.query(
        sql.contents(channel, fields, profile), {"ids": [one.message for one in chunk]}
    )
    return Contents(rows={row[0]: row for row in rows}, fields=fields, profile=profile)
