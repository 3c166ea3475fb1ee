"""Where a finding points: as much of a step as is read at a glance."""

from __future__ import annotations

import re

from journeylang.lint.rule import Checked
from journeylang.source import Span

_OPENING = re.compile(r"\s*\{\s*(#.*)?$")


def first_line(span: Span, checked: Checked) -> Span:
    """The span's first line, without the brace at its end."""
    source = checked.sources.get(span.path)
    if source is None:
        return span
    line = _OPENING.sub("", source.text[span.start : span.end].split("\n", 1)[0].rstrip())
    return Span(span.path, span.start, span.start + max(len(line), 1))


def written(span: Span, checked: Checked) -> str:
    """What stands there, on one line."""
    source = checked.sources.get(span.path)
    return "" if source is None else " ".join(source.text[span.start : span.end].split())
