"""What was rendered, put together as the message of a channel."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.delivery.links import Links
from journeylang.delivery.mime import Address, Email, address
from journeylang.delivery.provider import Note, Outgoing
from journeylang.delivery.render import Failed, Rendered

if TYPE_CHECKING:
    from journeylang.model.journey import Purpose

_END = re.compile(r"</body\s*>", re.IGNORECASE)
_SMALL = "font-size:12px;color:#767676"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What a channel adds to every message."""

    sender: Address | None = None
    postal_address: str | None = None


def compose(
    rendered: Rendered,
    *,
    id: str,  # noqa: A002 - the field's name
    channel: str,
    to: str,
    at: datetime,
    purpose: Purpose,
    letterhead: Letterhead,
    links: Links,
    file: str,
) -> Outgoing | Failed | None:
    """The message, or why it cannot go out; `file` is the template's.

    None: the recipient's address is none.
    """
    if channel != "email":
        return Note(
            id=id,
            channel=channel,
            to=to,
            text=rendered.text,
            at=at,
            subject=rendered.subject,
            html=rendered.html,
        )
    recipient = address(to)
    if recipient is None:
        return None
    sender = letterhead.sender if rendered.sender is None else address(rendered.sender)
    if sender is None:
        return Failed(file=file, line=None, kind="`from` is no e-mail address")
    reply_to = None
    if rendered.reply_to is not None:
        reply_to = address(rendered.reply_to)
        if reply_to is None:
            return Failed(file=file, line=None, kind="`reply_to` is no e-mail address")
    text, html = rendered.text, rendered.html
    marketing = purpose == "marketing"
    if marketing and letterhead.postal_address is not None:
        text, html = with_postal_address(text, html, letterhead.postal_address)
    seen = links.opened(id)
    if html is not None and seen is not None:
        html = _before_end(html, f'<img src="{escape(seen)}" width="1" height="1" alt="">')
    return Email(
        id=id,
        sender=sender,
        to=recipient,
        subject=rendered.subject,
        text=text,
        html=html,
        date=at,
        reply_to=reply_to,
        unsubscribe=links.unsubscribe(id) if marketing else None,
    )


def with_postal_address(text: str, html: str | None, place: str) -> tuple[str, str | None]:
    """The sender's postal address below a message that does not have it yet."""
    if place not in text:
        text = f"{text}\n-- \n{place}\n"
    if html is not None and escape(place) not in html and place not in html:
        html = _before_end(html, f'<p style="{_SMALL}">{escape(place)}</p>')
    return text, html


def _before_end(html: str, part: str) -> str:
    found = _END.search(html)
    at = found.start() if found else len(html)
    return html[:at] + part + html[at:]
