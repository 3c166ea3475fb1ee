"""Messages that are written together, and what came of each: here or in another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.delivery.compose import Letterhead
from journeylang.delivery.links import Links
from journeylang.delivery.mime import Email
from journeylang.delivery.provider import Finished, Note, Outgoing, Preparer
from journeylang.delivery.recipes import Recipe, Row, write
from journeylang.delivery.render import Broken, Failed, Renderer

Written = tuple[Outgoing | Failed | Broken | None, str]
"""A message, or why there is none, and the keyed hash of its address."""


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

    def write(self, page: Page, began: Callable[[], None] | None = None) -> list[Written]:
        """What came of each row, in order; `began` is called before each."""
        written: list[Written] = []
        style, renderer, links = page.style, self.renderer, self.links
        for recipe, row in zip(page.recipes, page.rows, strict=True):
            if began is not None:
                began()
            read = Row.read(row, page.fields, page.profile)
            assert read.address is not None, "a message without an address is set aside before"
            made = write(renderer, recipe, style.letterhead, read, links, page.now)
            if style.preparer is not None and isinstance(made, Email | Note):
                # What fails is tried again when it is sent, and answered for.
                with suppress(ValueError):
                    made = _finished(made, style)
            written.append((made, links.address_hash(style.channel, read.address)))
        return written


def _finished(one: Email | Note, style: Style) -> Finished:
    assert style.preparer is not None
    if isinstance(one, Email):
        return Finished(one.id, style.channel, one.to.mailbox, style.preparer(one))
    return Finished(one.id, style.channel, one.to, style.preparer(one), one.parts)


# -- between processes: columns of what is finished, which nearly all is, and the rest by place


def pack(written: Sequence[Written]) -> bytes:
    """For another process."""
    finished = [one for one, _ in written if type(one) is Finished]
    rest = {n: one for n, (one, _) in enumerate(written) if type(one) is not Finished}
    hashes = [hashed for _, hashed in written]
    return pickle.dumps((list(zip(*finished, strict=True)), rest, hashes), protocol=5)


def unpack(packed: bytes) -> list[Written]:
    """From it."""
    columns, rest, hashes = pickle.loads(packed)  # noqa: S301 - from a process of our own
    finished = map(Finished._make, zip(*columns, strict=True))
    if not rest:
        return list(zip(finished, hashes, strict=True))
    return [(rest[n] if n in rest else next(finished), hashed) for n, hashed in enumerate(hashes)]
