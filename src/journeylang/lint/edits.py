"""Edits that put a line beside another one, as it would have been written."""

from __future__ import annotations

from journeylang.diagnostics.model import Edit
from journeylang.source import Source, Span


def line_before(source: Source, span: Span, line: str) -> Edit:
    """A line above what stands at a place; in front of it where it is not first on its own."""
    start = source.line_starts[source.position(span.start)[0] - 1]
    indent = source.text[start : span.start]
    if indent.strip():
        return Edit(source.span(span.start, span.start), f"{line} ")
    return Edit(source.span(span.start, span.start), f"{line}\n{indent}")


def line_behind(source: Source, span: Span, line: str) -> Edit:
    """A line below what stands at a place; behind it where something follows on its line."""
    at = source.position(span.end)[0]
    start = source.line_starts[source.position(span.start)[0] - 1]
    indent = source.text[start : span.start]
    rest = source.line(at)[source.position(span.end)[1] - 1 :]
    if indent.strip() or (rest.strip() and not rest.lstrip().startswith("#")):
        return Edit(source.span(span.end, span.end), f" {line}")
    end = source.offset(at, len(source.line(at)) + 1)
    return Edit(source.span(end, end), f"\n{indent}{line}")
