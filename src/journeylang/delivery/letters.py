"""Letters as PDF: A4, the address where a window envelope of DIN 5008 B shows it.

A letter is text: a blank line ends a paragraph. A code that its page shows (`qr(…)`) stands below
the paragraph with its address, or in its place if that is all there is; where none has it, at the
end. The letters that come with PDF are those of western Europe; for all others the setting `font`
names a TrueType file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from journeylang.classes import dataclass
from journeylang.delivery import postal
from journeylang.delivery.codes import runs
from journeylang.delivery.codes import shown_in as codes_in
from journeylang.delivery.manifest import SettingError

_MM = 72 / 25.4
_LEFT, _RIGHT, _BOTTOM = 25 * _MM, 20 * _MM, 20 * _MM
_SIZE, _LEADING = 11, 14
_HIGHEST_LINE = 98.5 * _MM
_ADDRESS, _SENDER = 62.7 * _MM, 60 * _MM
"""From the upper edge, in points: where the text, the address and the sender's line begin."""


_CODE = 35 * _MM


class LetterError(ValueError):
    """A letter cannot be made; nothing of it is in the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    address: tuple[str, ...]
    paragraphs: tuple[str | Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A QR code of a text."""

    text: str


class Letters:
    """Makes documents of letters, each of which begins on a page of its own."""

    def __init__(self, *, font: Path | None, sender: str | None) -> None:
        """Raises SettingError."""
        try:
            from reportlab.pdfbase import pdfmetrics
            from reportlab.pdfbase.ttfonts import TTFError, TTFont
        except ModuleNotFoundError:
            raise SettingError(
                "letters need one more package: `pip install journeylang[print]`"
            ) from None
        self._sender = sender
        self._known: Any = None
        self._font = "Helvetica"
        if font is not None:
            self._font = f"font {font}"
            try:
                face = TTFont(self._font, str(font))
            except (TTFError, OSError):
                raise SettingError(f"`font`: {font.name} is no TrueType font") from None
            pdfmetrics.registerFont(face)
            self._known = face.face.charToGlyph

    def page(self, address: str, text: str, html: str | None = None) -> Letter:
        """Raises LetterError: no address, or letters that the font does not have."""
        lines = tuple(postal.lines(address))
        if len(lines) < 2:
            raise LetterError("has no postal address: two lines at least, or JSON")
        paragraphs = tuple(" ".join(part.split()) for part in text.strip().split("\n\n"))
        for character in set("".join((*lines, *paragraphs))):
            if not self._has(character):
                raise LetterError("has letters that the font lacks: name another one, `font`")
        codes = [] if html is None else codes_in(html)
        return Letter(address=lines, paragraphs=tuple(_with_codes(paragraphs, codes)))

    def _has(self, character: str) -> bool:
        if self._known is not None:
            return ord(character) in self._known
        try:
            character.encode("cp1252")
        except UnicodeEncodeError:
            return False
        return character.isprintable()

    def document(self, letters: list[Letter]) -> bytes:
        """All of them, as one PDF; the same letters give the same bytes."""
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.utils import simpleSplit
        from reportlab.pdfgen.canvas import Canvas

        out = io.BytesIO()
        canvas = Canvas(out, pagesize=A4, invariant=1)
        width, height = A4
        for letter in letters:
            if self._sender is not None:
                canvas.setFont(self._font, 7)
                canvas.drawString(_LEFT, height - _SENDER, self._sender)
            canvas.setFont(self._font, _SIZE)
            for number, line in enumerate(letter.address[:6]):
                canvas.drawString(_LEFT, height - _ADDRESS - number * _LEADING, line)
            at = height - _HIGHEST_LINE
            for paragraph in letter.paragraphs:
                if isinstance(paragraph, Code):
                    if at - _CODE < _BOTTOM:
                        at = self._next_page(canvas, height)
                    at += _SIZE
                    _draw(canvas, paragraph, at)
                    at -= _CODE + _LEADING * 1.5
                    continue
                for line in simpleSplit(paragraph, self._font, _SIZE, width - _LEFT - _RIGHT):
                    if at < _BOTTOM:
                        at = self._next_page(canvas, height)
                    canvas.drawString(_LEFT, at, line)
                    at -= _LEADING
                at -= _LEADING / 2
            canvas.showPage()
        canvas.save()
        return out.getvalue()

    def _next_page(self, canvas: Any, height: float) -> float:
        """Where its first line stands."""
        canvas.showPage()
        canvas.setFont(self._font, _SIZE)
        return height - _BOTTOM


def _with_codes(paragraphs: Sequence[str], codes: Sequence[str]) -> Iterator[str | Code]:
    left = list(codes)
    for paragraph in paragraphs:
        mine = [one for one in left if " ".join(one.split()) in paragraph]
        if paragraph not in mine:
            yield paragraph
        for one in mine:
            left.remove(one)
            yield Code(text=one)
    yield from (Code(text=one) for one in left)


def _draw(canvas: Any, code: Code, top: float) -> None:
    """In vectors: sharp on every printer."""
    modules, dark = runs(code.text)
    size = _CODE / modules
    path = canvas.beginPath()
    for row, column, length in dark:
        path.rect(_LEFT + column * size, top - (row + 1) * size, length * size, size)
    canvas.drawPath(path, stroke=0, fill=1)
