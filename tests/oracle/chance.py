"""Chance and identity: everything that is drawn or named is a hash of what it depends on."""

from __future__ import annotations

from datetime import datetime
from hashlib import md5


def number(*parts: object) -> int:
    """The first 15 hex digits of md5 over the parts joined by ':'."""
    joined = ":".join(str(part) for part in parts)
    return int(md5(joined.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def bucket(salt: str, customer: object) -> int:
    """0 to 9999, the same for a customer and a salt for ever."""
    return number(salt, customer) % 10_000


def instant_key(now: datetime) -> str:
    """An instant as the entry key of a run: no zeros at the end of the fraction."""
    text = now.isoformat(sep=" ")
    return text.rstrip("0") if "." in text else text
