"""QR codes: what a phone's camera reads from a letter, a screen or a shop's window."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from functools import lru_cache
from html import unescape
from itertools import groupby
from typing import Any

_PICTURE = re.compile(r'<img src="(data:image/png;base64,[^"]*)" alt="([^"]*)"')

LONGEST = 1_000
"""Characters of what a code holds; beyond that no camera reads it from paper."""


WIDTH = 180
"""Dots of the page that a code takes; the picture has more, for sharp screens and print."""


class TooLongError(ValueError):
    """More than a code can hold."""


@lru_cache(maxsize=256)
def runs(text: str) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """The same without a margin, for paper: modules a side, and (row, column, length) of each row
    of dark ones, from the upper left.

    Raises:
        TooLongError: more than `LONGEST` characters.
    """
    found = []
    matrix = _code(text).matrix
    for number, row in enumerate(matrix):
        at = 0
        for dark, modules in groupby(row):
            length = sum(1 for _ in modules)
            if dark:
                found.append((number, at, length))
            at += length
    return len(matrix), tuple(found)


def shown_in(html: str) -> list[str]:
    """What the codes in a page hold, in its order."""
    found = [(unescape(src), unescape(alt)) for src, alt in _PICTURE.findall(html)]
    return [alt for src, alt in found if len(alt) <= LONGEST and src == data_url(alt)]


@lru_cache(maxsize=256)
def png(text: str) -> bytes:
    """A picture with four dots per module, black on white, and the margin that readers need.

    Raises:
        TooLongError: more than `LONGEST` characters.
    """
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=4, border=4)
    return out.getvalue()


def _code(text: str) -> Any:
    import segno

    if len(text) > LONGEST:
        raise TooLongError("a QR code holds a thousand characters")
    return segno.make_qr(text, error="m")


def data_url(text: str) -> str:
    """The picture as an address that holds it."""
    return "data:image/png;base64," + b64encode(png(text)).decode("ascii")
