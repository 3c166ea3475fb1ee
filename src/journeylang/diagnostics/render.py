"""Diagnostics as people read them, and as programs do.

Both ways need the sources by path, for only they know lines and columns. A diagnostic
whose source is not among them is shown without an excerpt.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from journeylang.diagnostics.excerpt import Mark, Role, Row, excerpt
from journeylang.diagnostics.model import Diagnostic, Fix, Severity
from journeylang.diagnostics.region import region
from journeylang.diagnostics.width import safe
from journeylang.source import Source, Span

FORMAT_VERSION = 1
"""Of the JSON form; a field that is added does not raise it, one that changes does."""

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_GUTTER = "\x1b[1;34m"
_HELP = "\x1b[1;36m"
_SEVERITY = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def render_text(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, colour: bool = False
) -> str:
    """All diagnostics in the order given, a blank line between them; no line end at the last."""
    return "\n\n".join(_Painter(d, sources, colour).text() for d in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source]) -> str:
    """One JSON object with ``format_version`` and ``diagnostics``.

    Lines and columns count from 1 in code points; ``end_column`` is the one behind the
    last character. What is not known, or not said, is null.
    """
    found = [_as_object(d, sources) for d in diagnostics]
    return json.dumps(
        {"format_version": FORMAT_VERSION, "diagnostics": found}, ensure_ascii=False, indent=2
    )


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many there are: ``2 errors, 1 warning``; empty when there are none."""
    counts = Counter(d.severity for d in diagnostics)
    return ", ".join(
        f"{counts[severity]:,} {severity}{'' if counts[severity] == 1 else 's'}"
        for severity in Severity
        if counts[severity]
    )


def _as_object(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, object]:
    place = region(diagnostic.span, sources)
    return {
        "code": diagnostic.code.id,
        "name": diagnostic.code.name,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "file": diagnostic.span.path if diagnostic.span else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "help": diagnostic.help or None,
        "fix": _fix_as_object(diagnostic.fix, sources) if diagnostic.fix else None,
    }


def _fix_as_object(fix: Fix, sources: Mapping[str, Source]) -> dict[str, object]:
    """Its edits by their places; where something is only put in, both ends are the same."""
    edits = []
    for edit in fix.edits:
        place = region(edit.span, sources)
        edits.append(
            {
                "file": edit.span.path,
                "line": place.line if place else None,
                "column": place.column if place else None,
                "end_line": place.end_line if place else None,
                "end_column": place.end_column if place else None,
                "text": edit.text,
            }
        )
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


class _Painter:
    """The text of one diagnostic: the gutter is as wide as its widest line number."""

    def __init__(self, diagnostic: Diagnostic, sources: Mapping[str, Source], colour: bool) -> None:
        self.diagnostic = diagnostic
        self.sources = sources
        self.colour = colour
        self.files = [
            (span, source, excerpt(source, marks) if source else [])
            for span, source, marks in _by_file(diagnostic, sources)
        ]
        numbers = [row.number or 0 for _, _, rows in self.files for row in rows]
        self.gutter = len(str(max(numbers, default=0)))

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())

    def lines(self) -> Iterator[str]:
        d, pad = self.diagnostic, " " * self.gutter
        head = self.paint(_SEVERITY[d.severity], f"{d.severity}[{d.code.id}]")
        yield head + self.paint(_BOLD, f": {_one_line(d.message)}")
        for index, (span, source, rows) in enumerate(self.files):
            arrow = ":::" if index else "-->"
            yield f"{pad} {self.paint(_GUTTER, arrow)} {_place(span, source)}"
            if rows:
                yield self.bar()
                yield from map(self.row, rows)
        if any(rows for _, _, rows in self.files):
            yield self.bar()
        for note in d.notes:
            yield from self.footnote("note", note)
        rule = f"journey rule {d.code.id}"
        yield from self.footnote("help", f"{d.help}      {rule}" if d.help else rule)

    def bar(self) -> str:
        return self.paint(_GUTTER, " " * (self.gutter + 2) + "|")

    def row(self, row: Row) -> str:
        if row.gap:
            left = self.paint(_GUTTER, "...".ljust(self.gutter + 4))
        else:
            number = "" if row.number is None else str(row.number)
            left = self.paint(_GUTTER, f" {number:>{self.gutter}} |") + " "
        return left + "".join(self.piece(role, text) for role, text in row.pieces)

    def piece(self, role: Role, text: str) -> str:
        match role:
            case Role.TEXT:
                return text
            case Role.MAIN:
                return self.paint(_SEVERITY[self.diagnostic.severity], text)
            case Role.SIDE:
                return self.paint(_GUTTER, text)

    def footnote(self, kind: str, text: str) -> Iterator[str]:
        pad = " " * (self.gutter + 2)
        first, *more = safe(text).split("\n")
        yield f"{pad}{self.paint(_GUTTER, '=')} {self.paint(_HELP, kind + ':')} {first}"
        for line in more:
            yield f"{pad}{' ' * (len(kind) + 4)}{line}"

    def paint(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self.colour and text.strip() else text


def _by_file(
    diagnostic: Diagnostic, sources: Mapping[str, Source]
) -> Iterator[tuple[Span, Source | None, list[Mark]]]:
    """The marks of each file, that of the diagnostic itself first."""
    marks: dict[str, list[Mark]] = {}
    if diagnostic.span is not None:
        main = Mark(span=diagnostic.span, text=diagnostic.label, role=Role.MAIN)
        marks[diagnostic.span.path] = [main]
    for label in diagnostic.labels:
        side = Mark(span=label.span, text=label.message, role=Role.SIDE)
        marks.setdefault(label.span.path, []).append(side)
    for path, of_file in marks.items():
        yield of_file[0].span, sources.get(path), of_file


def _place(span: Span, source: Source | None) -> str:
    if source is None:
        return _one_line(span.path)
    line, column = source.position(span.start)
    return f"{_one_line(span.path)}:{line}:{column}"


def _one_line(text: str) -> str:
    return safe(text.replace("\n", " "))
