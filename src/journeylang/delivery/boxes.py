"""Many messages in one file: a mailbox (mbox), or a line of JSON for each.

Of e-mails there is one file for what is handed over together, instead of one for each: a file
costs more than the message in it. What a killed sender has written is not known by the next one,
so that its messages are in doubt.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import assert_never

from journeylang.delivery.mime import Email, to_bytes
from journeylang.delivery.provider import Call, Finished, Note, Outgoing

_FROM = re.compile(rb"(?m)^(>*From )")


def name(messages: Sequence[Outgoing]) -> str:
    """The same for the same messages."""
    ids = "\0".join(one.id for one in messages)
    return hashlib.sha256(ids.encode()).hexdigest()[:24]


def mailbox(mails: Sequence[Email | Finished]) -> bytes:
    """As programs for mail read it (mboxrd): lines that begin with `From ` have a `>` before."""
    return b"".join(map(mail, mails))


def mail(one: Email | Finished) -> bytes:
    """One of a mailbox."""
    if isinstance(one, Finished):
        return bytes(one.content)
    content = to_bytes(one).replace(b"\r\n", b"\n")
    quoted = _FROM.sub(rb">\1", content) if b"From " in content else content
    end = b"\n" if quoted.endswith(b"\n") else b"\n\n"
    return f"From {one.sender.mailbox} {_stamp(one.date)}\n".encode() + quoted + end


def lines(messages: Sequence[Outgoing]) -> bytes:
    """A line of JSON for each."""
    return b"".join(map(line, messages))


def line(one: Outgoing) -> bytes:
    fields: dict[str, str | None]
    match one:
        case Finished():
            return bytes(one.content)
        case Call():
            return f"{one.to_json()}\n".encode("utf-8", "replace")
        case Note():
            fields = {
                "id": one.id,
                "channel": one.channel,
                "to": one.to,
                "at": _iso(one.at),
                "subject": one.subject or None,
                "text": one.text,
                "html": one.html,
            }
        case Email():
            fields = {
                "id": one.id,
                "channel": "email",
                "from": one.sender.mailbox,
                "from_name": one.sender.name or None,
                "to": one.to.mailbox,
                "reply_to": one.reply_to.mailbox if one.reply_to is not None else None,
                "at": _iso(one.date),
                "subject": one.subject,
                "text": one.text,
                "html": one.html,
                "unsubscribe": one.unsubscribe,
            }
        case _:
            assert_never(one)
    present = {name: value for name, value in fields.items() if value is not None}
    return f"{_JSON(present)}\n".encode("utf-8", "replace")


_JSON = json.JSONEncoder(ensure_ascii=False).encode


@lru_cache(maxsize=64)
def _stamp(at: datetime) -> str:
    return at.replace(tzinfo=at.tzinfo or UTC).strftime("%a %b %e %H:%M:%S %Y")


@lru_cache(maxsize=64)
def _iso(at: datetime) -> str:
    return at.replace(tzinfo=at.tzinfo or UTC).isoformat()
