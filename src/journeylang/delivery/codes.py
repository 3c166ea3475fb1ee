"""QR codes: what a phone's camera reads from a letter, a screen or a shop's window."""

from __future__ import annotations

import io
from base64 import b64encode
from functools import lru_cache

LONGEST = 1_000
"""Characters of what a code holds; beyond that no camera reads it from paper."""


WIDTH = 180
"""Dots of the page that a code takes; the picture has more, for sharp screens and print."""


class TooLongError(ValueError):
    """More than a code can hold."""


@lru_cache(maxsize=256)
def png(text: str) -> bytes:
    """A picture with four dots per module, black on white, and the margin that readers need.

    Raises:
        TooLongError: more than `LONGEST` characters.
    """
    import segno

    if len(text) > LONGEST:
        raise TooLongError("a QR code holds a thousand characters")
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", scale=4, border=4)
    return out.getvalue()


def data_url(text: str) -> str:
    """The picture as an address that holds it."""
    return "data:image/png;base64," + b64encode(png(text)).decode("ascii")
