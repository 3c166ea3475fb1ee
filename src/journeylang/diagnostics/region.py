"""A place in the terms of other tools: lines and columns, both from 1, the end not included."""

from collections.abc import Mapping
from typing import NamedTuple

from journeylang.source import Source, Span


class Region(NamedTuple):
    """Columns count code points; ``end_column`` is the one behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def is_on_one_line(self) -> bool:
        return self.line == self.end_line


def region(span: Span | None, sources: Mapping[str, Source]) -> Region | None:
    """Where a span lies; None for no span, and where its source is not known."""
    source = sources.get(span.path) if span is not None else None
    if span is None or source is None:
        return None
    return Region(*source.position(span.start), *source.position(max(span.start, span.end)))
