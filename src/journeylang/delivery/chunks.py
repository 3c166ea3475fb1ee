"""What is handed over together: messages and calls that have not ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeylang.delivery.pages import Page, Style
from journeylang.delivery.provider import Call, Outgoing
from journeylang.delivery.scribes import Job
from journeylang.delivery.statements import Statements
from journeylang.delivery.values import data_from_json
from journeylang.delivery.writing import CallDraft, Draft
from journeylang.engines.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A message that has not ended. `attempt` is the one that comes next."""

    message: int
    batch: int
    channel: str
    expires_at: datetime
    attempt: int
    doubts: int
    draft: Draft | CallDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
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
        here = [
            (one.draft.recipe, row)
            for one in chunk
            if isinstance(one.draft, Draft)
            and (row := self.rows[one.message])[2]
            and row[3] is not None
        ]
        return Page(
            style=style,
            recipes=[recipe for recipe, _ in here],
            rows=[row for _, row in here],
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
