"""Where a finding points: as much of a step as is read at a glance."""

from __future__ import annotations

from journeylang.lint.rule import Checked
from journeylang.source import Span


def first_line(span: Span, checked: Checked) -> Span:
    """The span's first line, without the brace at its end."""
    source = checked.sources.get(span.path)
    if source is None:
        return span
    line = source.text[span.start : span.end].split("\n", 1)[0].rstrip().removesuffix("{").rstrip()
    return Span(span.path, span.start, span.start + max(len(line), 1))
