"""What is handed over together: messages and calls that have not ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journeylang.delivery.provider import Call, Outgoing
from journeylang.delivery.statements import Statements
from journeylang.delivery.values import data_from_json
from journeylang.delivery.writing import CallDraft, Draft, Row
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


def contents(
    engine: Engine, sql: Statements, channel: str, chunk: Sequence[Open]
) -> dict[int, Row]:
    """What the messages of a chunk are made of, by message: all go by one channel."""
    drafts = [one.draft for one in chunk if isinstance(one.draft, Draft)]
    fields = tuple(dict.fromkeys(name for draft in drafts for name in draft.customer))
    profile = tuple(dict.fromkeys(name for draft in drafts for name in draft.profile))
    rows = engine.query(
        sql.contents(channel, fields, profile), {"ids": [one.message for one in chunk]}
    )
    return {row[0]: Row.read(row, fields, profile) for row in rows}
