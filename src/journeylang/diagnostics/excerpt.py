"""Lines of a source with what is said about them beneath.

An excerpt is a list of rows. Each has its line number or none, and pieces of text in
roles; colours are put on by :mod:`journeylang.diagnostics.render`.

    8 |   exit when exists(order_palced since entry) as converted
      |                    ^^^^^^^^^^^^ no event of this name is bound
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import Enum

from journeylang.classes import dataclass
from journeylang.diagnostics.width import lay_out, safe
from journeylang.source import Source, Span

WIDEST = 140
"""Columns of a line that are shown; of a longer one, those around the place."""

_LONG = 8 * WIDEST
"""Characters of a line that is laid out as a whole."""

_MOST_LINES = 6
"""Lines of a place over several lines that are shown; of more, the first and the last ones."""


class Role(Enum):
    """What a piece of text is, for whoever colours it."""

    TEXT = "text"
    MAIN = "main"
    SIDE = "side"


Piece = tuple[Role, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of an excerpt; ``number`` is that of a source line, ``gap`` stands for lines
    left out."""

    number: int | None = None
    pieces: tuple[Piece, ...] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place of one source and what is said about it."""

    span: Span
    text: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A mark in lines and columns (from 1; the last column not included)."""

    mark: Mark
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def sign(self) -> str:
        return "^" if self.mark.role is Role.MAIN else "-"


def excerpt(source: Source, marks: Iterable[Mark]) -> list[Row]:
    """The lines of ``source`` that the marks touch, in order, with the marks beneath."""
    placed = [_place(source, mark) for mark in marks]
    within = sorted((p for p in placed if p.line == p.end_line), key=lambda p: p.column)
    across = sorted((p for p in placed if p.line != p.end_line), key=lambda p: p.line)
    # Two places over several lines are drawn one after the other: brackets within brackets
    # need more room than they give insight.
    blocks = [_across(source, p, within) for p in across]
    covered = {row.number for block in blocks for row in block}
    blocks += [
        _within(source, line, within)
        for line in sorted({p.line for p in within})
        if line not in covered
    ]
    blocks.sort(key=lambda block: block[0].number or 0)
    rows: list[Row] = []
    last = None
    for block in blocks:
        first = block[0].number or 0
        if last is not None and first != last + 1:
            rows.append(Row(gap=True))
        rows += block
        last = max(row.number or 0 for row in block)
    return rows


def _place(source: Source, mark: Mark) -> _Placed:
    """Where a mark is. One that ends with a line end ends on that line."""
    start, end = mark.span.start, max(mark.span.start, mark.span.end)
    while end > start + 1 and source.text[end - 1 : end] in ("\n", "\r"):
        end -= 1
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    if end_line == line:
        end_column = max(end_column, column + 1)
    return _Placed(mark=mark, line=line, column=column, end_line=end_line, end_column=end_column)


def _within(
    source: Source, number: int, within: Sequence[_Placed], before: tuple[Piece, ...] = ()
) -> list[Row]:
    """One line and a row for each mark in it: the main one first, then from the left."""
    mine = sorted(
        (p for p in within if p.line == number), key=lambda p: p.mark.role is not Role.MAIN
    )
    view = _View(source.line(number), mine[0].column if mine else 1)
    rows = [Row(number=number, pieces=(*before, (Role.TEXT, view.text)))]
    blank = tuple((role, "|" if text[:1] in "/|" else " ") for role, text in before[:1])
    for p in mine:
        start, stop = view.column(p.column), view.column(p.end_column)
        signs = p.sign * max(1, stop - start)
        said = _beneath(start, signs, p.mark)
        rows.append(Row(pieces=(*blank, (Role.TEXT, " " * len(blank)), *said)))
    return rows


def _across(source: Source, p: _Placed, within: Sequence[_Placed]) -> list[Row]:
    """Several lines, with a bracket at their left that ends under the last character."""
    role = p.mark.role
    rows = _within(source, p.line, within, ((role, "/"), (Role.TEXT, " ")))
    numbers = range(p.line + 1, p.end_line + 1)
    shown = [*numbers] if len(numbers) < _MOST_LINES else [numbers[0], *numbers[-2:]]
    for previous, number in zip([p.line, *shown], shown, strict=False):
        if number != previous + 1:
            rows.append(Row(gap=True, pieces=((role, "|"),)))
        rows += _within(source, number, within, ((role, "|"), (Role.TEXT, " ")))
    view = _View(source.line(p.end_line), 1)
    reach = view.column(max(p.end_column - 1, 1))
    rows.append(Row(pieces=((role, "|_" + "_" * reach + p.sign + _after(p.mark)),)))
    return rows


def _beneath(start: int, signs: str, mark: Mark) -> tuple[Piece, ...]:
    return ((Role.TEXT, " " * start), (mark.role, signs + _after(mark)))


def _after(mark: Mark) -> str:
    return f" {safe(mark.text)}" if mark.text else ""


class _View:
    """What is shown of one line, and the screen column of each of its characters."""

    __slots__ = ("_columns", "_cut", "_skipped", "text")

    def __init__(self, line: str, first: int) -> None:
        self._cut = self._skipped = 0
        if len(line) > _LONG:
            # Not worked out letter by letter: a line may be a million long, with as many places.
            self._skipped = max(0, first - 1 - WIDEST)
            line = line[self._skipped : self._skipped + _LONG]
            first -= self._skipped
        shown, columns = lay_out(line)
        self._columns = columns
        if columns[-1] <= WIDEST:
            self.text = "".join(shown).rstrip()
            return
        # Keep some columns before the place, and as much of the rest as fits.
        wanted = max(0, columns[min(first - 1, len(line))] - WIDEST // 3)
        begin = bisect_left(columns, wanted)
        stop = begin
        while stop < len(line) and columns[stop + 1] - columns[begin] <= WIDEST:
            stop += 1
        head = "…" if begin or self._skipped else ""
        self._cut = columns[begin] - len(head)
        self.text = head + "".join(shown[begin:stop]) + ("…" if stop < len(line) else "")
        self._columns = columns[: stop + 1]

    def column(self, number: int) -> int:
        """The screen column (from 0) of character ``number`` (from 1)."""
        index = max(0, number - 1 - self._skipped)
        at = self._columns[min(index, len(self._columns) - 1)]
        return max(0, at - self._cut)
