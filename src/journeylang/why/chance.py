"""Draws, worked out again as the database works them out (semantics, section 7)."""

from __future__ import annotations

from hashlib import md5


def hash60(*parts: str) -> int:
    """The first 15 hex digits of md5 over the parts joined by ':'."""
    return int(md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()[:15], 16)


def bucket(salt: str, key: str) -> int:
    """0 to 9999."""
    return hash60(salt, key) % 10_000
