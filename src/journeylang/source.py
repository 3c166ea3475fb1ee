"""Texts and places in them.

A place is a pair of character offsets. Lines and columns are worked out only when somebody
is to be shown one: a check of a thousand files makes a hundred thousand places and shows
a handful.
"""

from bisect import bisect_right
from dataclasses import field
from typing import NamedTuple

from journeylang.classes import dataclass


class Span(NamedTuple):
    """A stretch of one source: characters ``start`` to ``end``, the end not included.

    A named tuple, because it is made in three times the speed of a frozen dataclass and
    sorts by path and place by itself. Offsets count code points of the decoded text.
    """

    path: str
    start: int
    end: int

    def until(self, last: "Span") -> "Span":
        """From the start of this one to the end of ``last``, which must be of the same source."""
        return Span(self.path, self.start, last.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text and the path under which it is shown.

    Lines end at ``\\n``. A ``\\r`` before it stays in the text, so that offsets are those of
    the file, and is left out of :meth:`line`.
    """

    path: str
    text: str = field(repr=False)
    _starts: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins; found at the first call, then kept."""
        starts = self._starts
        if not starts:
            starts.append(0)
            find, at = self.text.find, 0
            while (at := find("\n", at) + 1) > 0:
                starts.append(at)
        return starts

    @property
    def line_count(self) -> int:
        return len(self.line_starts)

    def span(self, start: int, end: int) -> Span:
        return Span(self.path, start, end)

    def excerpt(self, span: Span) -> str:
        """The characters of ``span``."""
        return self.text[span.start : span.end]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1; an offset outside the text is taken to its nearest end."""
        offset = min(max(offset, 0), len(self.text))
        index = bisect_right(self.line_starts, offset) - 1
        return index + 1, offset - self.line_starts[index] + 1

    def offset(self, line: int, column: int) -> int:
        """The inverse of :meth:`position`; what lies outside goes to the nearest end."""
        starts = self.line_starts
        if line < 1:
            return 0
        if line > len(starts):
            return len(self.text)
        start = starts[line - 1]
        return start + min(max(column, 1) - 1, len(self.line(line)))

    def line(self, number: int) -> str:
        """Line ``number`` (from 1) without its end; empty when there is no such line."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        stop = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : stop].removesuffix("\r")
