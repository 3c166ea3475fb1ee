"""Places, as editors count them: lines from 0, and UTF-16 units within the line."""

from __future__ import annotations

from lsprotocol import types as lsp

from journeylang.source import Source, Span


def position(source: Source, offset: int) -> lsp.Position:
    line, column = source.position(offset)
    start = offset - (column - 1)
    before = source.text[start:offset]
    wide = 0 if before.isascii() else sum(ord(c) > 0xFFFF for c in before)
    return lsp.Position(line=line - 1, character=column - 1 + wide)


def offset(source: Source, at: lsp.Position) -> int:
    """The inverse; a place beyond the line or the text goes to the nearest end."""
    line = source.line(at.line + 1)
    column = at.character
    if not line.isascii():
        units = 0
        for index, character in enumerate(line):
            if units >= at.character:
                column = index
                break
            units += 2 if ord(character) > 0xFFFF else 1
        else:
            column = len(line)
    return source.offset(at.line + 1, column + 1)


def span_range(source: Source, span: Span) -> lsp.Range:
    return lsp.Range(start=position(source, span.start), end=position(source, span.end))


def whole(source: Source) -> lsp.Range:
    return lsp.Range(
        start=lsp.Position(line=0, character=0), end=position(source, len(source.text))
    )
