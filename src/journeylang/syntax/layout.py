"""Documents that know where a line may end, and the printer that decides where it does.

After Wadler, "A prettier printer" (2003), and its descendants: a group is printed on one line
when it fits there, up to the next place at which a line may end; otherwise all of its own
places become line ends, and each group within it is asked anew.

Comments are of no width. They stand at places where a line may end, which then does.
"""

from collections.abc import Iterator
from dataclasses import field
from math import inf
from typing import NamedTuple, TypeAlias

from journeylang.classes import dataclass
from journeylang.syntax.trivia import Comment

WIDTH = 100
"""Characters of a line, where it can be kept to."""

STEP = 2
"""Blanks by which what is in braces or brackets is set in."""

# Comments behind code stand in the first of these columns that leaves two blanks.
_COLUMN = 33
_COLUMN_STEP = 10


@dataclass(slots=True)
class Line:
    """A place before token ``at`` where a line may end; ``flat`` is there if it does not.

    ``hard`` ends it in any case. ``separate`` is a place between statements, where an empty
    line is kept; not if it is the ``first`` in its block, nor before what is ``closing`` it.
    ``empty`` stands between braces with nothing in them: only a comment ends it.
    """

    at: int
    flat: str = " "
    hard: bool = False
    separate: bool = False
    first: bool = False
    closing: bool = False
    empty: bool = False
    after_blank: bool = False
    comments: list[Comment] = field(default_factory=list)


@dataclass(slots=True)
class Only:
    """A sign that is there only where its group is on one line (``flat``), or only where not."""

    text: str
    flat: bool


@dataclass(slots=True)
class Indent:
    """Lines that begin within it are set in further."""

    by: int
    parts: "list[Document]"


@dataclass(slots=True)
class Group:
    """Parts on one line, or each of their own places ends one."""

    parts: "list[Document]"
    width: float = -1


Document: TypeAlias = "str | Line | Only | Indent | Group | list[Document]"


class _Row(NamedTuple):
    """A line of the result; ``comment`` stands in a column, behind ``code`` or below another."""

    code: str
    comment: str = ""


def printed(document: Document) -> str:
    """The text of a document, with ``\\n`` behind each line."""
    rows = _Printer(document).rows
    return "".join(f"{line}\n" for line in _aligned(rows))


def _width(document: Document) -> float:
    """How wide it is on one line; infinite when it cannot be on one."""
    match document:
        case str():
            return inf if "\n" in document else len(document)
        case Group():
            if document.width < 0:
                document.width = _width(document.parts)
            return document.width
        case list():
            total = 0.0
            for part in document:
                total += len(part) if type(part) is str and "\n" not in part else _width(part)
            return total
        case Indent():
            return _width(document.parts)
        case Line():
            return inf if document.hard or document.comments else len(document.flat)
        case Only():
            return len(document.text) if document.flat else 0


class _Printer:
    def __init__(self, document: Document) -> None:
        self.rows: list[_Row] = []
        self.current: list[str] = []
        self.column = 0
        self.waiting: list[tuple[int, bool, Document]] = [(0, True, document)]
        while self.waiting:
            self.take(*self.waiting.pop())

    def take(self, indent: int, broken: bool, document: Document) -> None:
        match document:
            case str():
                self.write(document)
            case list():
                self.waiting.extend((indent, broken, part) for part in reversed(document))
            case Indent():
                self.waiting.append((indent + document.by, broken, document.parts))
            case Group():
                if broken:
                    room = WIDTH - self.column - _width(document)
                    broken = room < 0 or self.follows(room) > room
                self.waiting.append((indent, broken, document.parts))
            case Only():
                if document.flat is not broken:
                    self.write(document.text)
            case Line():
                if document.comments or (broken and not document.empty):
                    self.end_line(document, indent)
                else:
                    self.write(document.flat)

    def write(self, text: str) -> None:
        self.current.append(text)
        _, end, last = text.rpartition("\n")
        self.column = len(last) if end else self.column + len(text)

    def follows(self, room: float) -> float:
        """The width of what comes next, up to where the line may end; less if it is past room."""
        found = 0
        below = len(self.waiting)
        near: list[Document] = []
        while found <= room:
            if not near:
                if not below:
                    return found
                below -= 1
                near.append(self.waiting[below][2])
            match near.pop():
                case str() as text:
                    first, end, _ = text.partition("\n")
                    found += len(first)
                    if end:
                        return found
                case list() as parts:
                    near.extend(reversed(parts))
                case Indent(parts=parts) | Group(parts=parts):
                    near.extend(reversed(parts))
                case Only(text=text, flat=flat):
                    found += len(text) if flat else 0
                case Line() as line:
                    if line.comments or not line.empty:
                        return found
                    found += len(line.flat)
        return found

    def end_line(self, line: Line, indent: int) -> None:
        """End the current line, with the comments that stand there; begin the next."""
        comments = line.comments
        rows = self.rows
        at_start = not rows and not self.current
        if not at_start:
            trailing = bool(comments) and comments[0].trailing
            code = "".join(self.current).rstrip()
            rows.append(_Row(code, comments[0].text if trailing else ""))
            comments = comments[trailing:]
            for comment in comments if trailing else ():
                if not comment.continues:
                    break
                rows.append(_Row("", comment.text))
                comments = comments[1:]
        margin = " " * (indent + STEP if line.closing else indent)
        may_be_blank = line.separate and not line.first and not at_start
        for comment in comments:
            if comment.after_blank and may_be_blank:
                rows.append(_Row(""))
            rows.append(_Row(f"{margin}{comment.text}"))
            may_be_blank = line.separate
        if line.after_blank and may_be_blank and not line.closing:
            rows.append(_Row(""))
        self.current = [" " * indent]
        self.column = indent


def _aligned(rows: list[_Row]) -> Iterator[str]:
    """The lines, with comments behind code in columns that never step back from line to line."""
    column = stands = 0
    for code, comment in rows:
        if not comment:
            column = 0
            yield code
            continue
        width = len(code) - code.rfind("\n") - 1
        if code:
            room = WIDTH - len(comment)
            nearest = _COLUMN
            while nearest < width + 2:
                nearest += _COLUMN_STEP
            if max(column, nearest) <= room:
                stands = column = max(column, nearest)
            else:
                stands = nearest if nearest <= room else width + 2
        yield f"{code}{' ' * (stands - width)}{comment}"
