"""Messages that are written together, and what came of each: here or in another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from journeylang.delivery.compose import Letterhead
from journeylang.delivery.links import Links
from journeylang.delivery.mime import Address, Email
from journeylang.delivery.provider import Call, Note, Outgoing, Preparer
from journeylang.delivery.recipes import Recipe, Row, write
from journeylang.delivery.render import Broken, Failed, Renderer

Written = tuple[Outgoing | Failed | Broken | None, str]
"""A message, or why there is none, and the keyed hash of its address."""


Ready = tuple[Outgoing | Failed | Broken | None, str, object]
"""The same, and what its provider has computed of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What the messages of one channel have in common."""

    channel: str
    letterhead: Letterhead
    preparer: Preparer | None


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` are those of `Statements.contents`, with these `fields` and `profile` values;
    each is written by the recipe at the same place in `recipes`."""

    style: Style
    recipes: Sequence[Recipe]
    rows: Sequence[tuple[Any, ...]]
    fields: tuple[str, ...]
    profile: tuple[str, ...]
    now: datetime


@dataclass(slots=True)
class Scribe:
    """Writes pages, one message at a time."""

    renderer: Renderer
    links: Links

    def write(self, page: Page) -> list[Written]:
        """What came of each row, in order."""
        return [(made, hashed) for made, hashed, _ in self.prepared(page)]

    def prepared(self, page: Page, began: Callable[[], None] | None = None) -> list[Ready]:
        """The same, with what the provider has computed of it; `began` is called before each."""
        written: list[Ready] = []
        style = page.style
        for recipe, row in zip(page.recipes, page.rows, strict=True):
            if began is not None:
                began()
            read = Row.read(row, page.fields, page.profile)
            assert read.address is not None, "a message without an address is set aside before"
            made = write(self.renderer, recipe, style.letterhead, read, self.links, page.now)
            ready = None
            if style.preparer is not None and isinstance(made, Email | Note):
                # What fails is tried again when it is sent, and answered for.
                with suppress(ValueError):
                    ready = style.preparer(made)
            written.append((made, self.links.address_hash(style.channel, read.address), ready))
        return written


# -- between processes: as tuples, which are read several times faster than objects with names


@dataclass(slots=True)
class Packing:
    """Into bytes and back; senders are the same all the time, and are made once."""

    _senders: dict[tuple[str, str, str], Address] = field(default_factory=dict)

    def pack(self, written: Sequence[Ready]) -> bytes:
        """Of what is prepared the text stays behind."""
        return pickle.dumps(
            [(_packed(made, ready), hashed) for made, hashed, ready in written], protocol=5
        )

    def unpack(self, packed: bytes) -> list[Written]:
        return [(self._unpacked(made), hashed) for made, hashed in pickle.loads(packed)]  # noqa: S301 - from a process of our own

    def _unpacked(self, one: Any) -> Outgoing | Failed | Broken | None:
        if type(one) is not tuple:
            made: Outgoing | Failed | Broken | None = one
            return made
        if len(one) == 8:
            id_, channel, to, text, at, subject, html, ready = one
            return Note(
                id=id_,
                channel=channel,
                to=to,
                text=text,
                at=at,
                subject=subject,
                html=html,
                prepared=ready,
            )
        id_, sender, to, subject, text, html, date, back, unsubscribe, headers, ready = one
        return Email(
            id=id_,
            sender=self._sender(sender),
            to=Address(local=to[0], domain=to[1], name=to[2]),
            subject=subject,
            text=text,
            html=html,
            date=date,
            reply_to=None if back is None else self._sender(back),
            unsubscribe=unsubscribe,
            headers=headers,
            prepared=ready,
        )

    def _sender(self, of: tuple[str, str, str]) -> Address:
        known = self._senders.get(of)
        if known is None:
            if len(self._senders) > 1000:
                self._senders.clear()
            known = self._senders[of] = Address(local=of[0], domain=of[1], name=of[2])
        return known


def _packed(one: Outgoing | Failed | Broken | None, ready: object) -> object:
    match one:
        case Email():
            return (
                one.id,
                _of(one.sender),
                _of(one.to),
                one.subject,
                one.text if ready is None else "",
                one.html if ready is None else None,
                one.date,
                None if one.reply_to is None else _of(one.reply_to),
                one.unsubscribe,
                one.headers,
                ready,
            )
        case Note() if ready is not None:
            return one.id, one.channel, one.to, "", one.at, one.subject, None, ready
        case Note():
            return one.id, one.channel, one.to, one.text, one.at, one.subject, one.html, None
        case Call():
            raise AssertionError("calls are not rendered")
        case _:
            return one


def _of(one: Address) -> tuple[str, str, str]:
    return one.local, one.domain, one.name
