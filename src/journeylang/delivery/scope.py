"""What the texts of a manifest may ask for: one message or call as plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import assert_never

from journeylang.delivery.mime import Address, Email, mailbox
from journeylang.delivery.postal import place
from journeylang.delivery.provider import Call, Finished, Note, Outgoing

MESSAGE = frozenset(
    [
        *("id", "channel", "to", "to_name", "subject", "text", "html", "at", "timestamp"),
        *("from", "reply_to", "unsubscribe", "message_id", "place"),
    ]
)
"""Of `message`. What a channel does not have is none."""

_NOBODY = dict.fromkeys(("email", "name", "address", "encoded"))

_NOWHERE = place("")

CALL = frozenset(["id", "service", "action", "customer", "at", "timestamp", "data"])
"""Of `call`."""


def scope_of(one: Outgoing) -> dict[str, object]:
    """`{"message": …}` or `{"call": …}`."""
    match one:
        case Email():
            return {
                "message": {
                    "id": one.id,
                    "channel": "email",
                    "to": one.to.mailbox,
                    "to_name": one.to.name or None,
                    "subject": one.subject,
                    "text": one.text,
                    "html": one.html,
                    "at": _iso(one.date),
                    "timestamp": _epoch(one.date),
                    "from": _person(one.sender),
                    "reply_to": _NOBODY if one.reply_to is None else _person(one.reply_to),
                    "unsubscribe": one.unsubscribe,
                    "message_id": one.message_id,
                    "place": _NOWHERE,
                }
            }
        case Note():
            return {
                "message": {
                    "id": one.id,
                    "channel": one.channel,
                    "to": one.to,
                    "to_name": None,
                    "subject": one.subject or None,
                    "text": one.text,
                    "html": one.html,
                    "at": _iso(one.at),
                    "timestamp": _epoch(one.at),
                    "from": _NOBODY,
                    "reply_to": _NOBODY,
                    "unsubscribe": None,
                    "message_id": None,
                    "place": place(one.to),
                }
            }
        case Call():
            return {
                "call": {
                    "id": one.id,
                    "service": one.service,
                    "action": one.action,
                    "customer": one.customer,
                    "at": (one.at.replace(tzinfo=one.at.tzinfo or UTC)).isoformat(),
                    "timestamp": _epoch(one.at),
                    "data": dict(one.data),
                }
            }
        case Finished():
            raise AssertionError("what is finished is not written once more")
        case _:
            assert_never(one)


def personal(one: Outgoing) -> tuple[str, ...]:
    """What must not stand in the record of an answer."""
    match one:
        case Email():
            return one.to.mailbox, one.to.local
        case Note():
            return (one.to,)
        case Finished(channel="email"):
            return one.to, one.to.rpartition("@")[0]
        case Finished():
            return (one.to,)
        case Call():
            return ()
        case _:
            assert_never(one)


@lru_cache(maxsize=256)
def _person(one: Address) -> dict[str, str | None]:
    """Who sends is the same all the time; nothing that is in a scope is ever changed."""
    return {
        "email": one.mailbox,
        "name": one.name or None,
        "address": _header(one.name, one.mailbox),
        "encoded": mailbox(one),
    }


def _header(name: str, mailbox: str) -> str:
    if not name:
        return mailbox
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{mailbox}>'


@lru_cache(maxsize=64)
def _iso(at: datetime) -> str:
    return at.replace(tzinfo=at.tzinfo or UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=64)
def _epoch(at: datetime) -> int:
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())
