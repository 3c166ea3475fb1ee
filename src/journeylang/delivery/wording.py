"""What others say, for the record: one line, and nothing in it of whom it is about."""

from __future__ import annotations

import re

from journeylang.delivery.render import one_line

LONGEST = 160

# Addresses, and whatever is quoted: it may be the recipient's name or number.
_PERSONAL = re.compile(r"\S*@\S*|<[^>]*>|\"[^\"]*\"|'[^']*'|\+?\d[\d\s/-]{6,}\d")


def recordable(text: str) -> str:
    """One line, without half a character (a lone surrogate of JSON): databases refuse that."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return one_line(text.encode("utf-8", "replace").decode())


def words(text: str, *personal: str) -> str:
    """The text without addresses, quotations and long numbers, and without `personal`."""
    plain = recordable(text)
    for part in personal:
        if part:
            whole = re.escape(part) if len(part) > 2 else rf"(?<!\w){re.escape(part)}(?!\w)"
            plain = re.sub(whole, "…", plain, flags=re.IGNORECASE)
    return _PERSONAL.sub("…", plain).strip()[:LONGEST]
