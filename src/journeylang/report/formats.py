"""A report as text, JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Callable, Iterator

from journeylang.report.cells import plain, shown, to_right
from journeylang.report.tables import Part, Report, Table
from journeylang.stats.comparison import Interval

FORMAT_VERSION = 1

_WIDTH = 88


def as_text(report: Report, *, strong: Callable[[str], str] = str) -> str:
    """Tables with a heading each, notes below them; `strong` marks headings."""
    lines = [f"as of {report.now:%Y-%m-%d %H:%M} UTC, environment `{report.env}`"]
    told: set[str] = set()
    for part in report.parts:
        heading = strong(part.journey or "all journeys")
        lines += ["", f"{heading}  {part.title}".rstrip()]
        for table in read(part):
            lines += ["", "  " + strong(table.title)]
            lines += [f"  {line}" for line in _aligned(table)]
            for note in table.notes:
                # What holds for every table of a kind is said once.
                if note not in told:
                    told.add(note)
                    lines += textwrap.wrap(
                        note, _WIDTH, initial_indent="  ", subsequent_indent="  "
                    )
    return "\n".join(lines) + "\n"


def read(part: Part) -> Iterator[Table]:
    """What people read of a part: no table and no column that says nothing."""
    return (table for table in (table.read() for table in part.tables) if not table.silent)


def _aligned(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    rows = [[column.title for column in table.columns], *cells(table)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [to_right(column) for column in table.columns]
    for row in rows:
        yield "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        ).rstrip()


def cells(table: Table) -> list[list[str]]:
    """As they are read."""
    return [
        [shown(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]


def as_markdown(report: Report) -> str:
    lines = [f"As of {report.now:%Y-%m-%d %H:%M} UTC, environment `{report.env}`."]
    for part in report.parts:
        title = f": {part.title}" if part.title else ""
        lines += ["", f"## {_markdown(part.journey or 'All journeys')}{_markdown(title)}"]
        for table in read(part):
            lines += ["", f"### {_markdown(table.title)}", ""]
            if table.rows:
                titles = " | ".join(_markdown(column.title) for column in table.columns)
                rules = " | ".join("--:" if to_right(c) else "---" for c in table.columns)
                lines += [f"| {titles} |", f"| {rules} |"]
                lines += [f"| {' | '.join(map(_markdown, row))} |" for row in cells(table)]
            lines += [line for note in table.notes for line in ("", _markdown(note))]
    return "\n".join(lines) + "\n"


def _markdown(value: str) -> str:
    """Nothing of a value is read as markup or ends a cell."""
    for sign in "\\|*_`[]<>":
        value = value.replace(sign, f"\\{sign}")
    return " ".join(value.split())


def as_json(report: Report) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "env": report.env,
        "now": report.now.isoformat(),
        "parts": [_part(part) for part in report.parts],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _part(part: Part) -> dict[str, object]:
    return {
        "journey": part.journey,
        "title": part.title,
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "columns": [
                    {"name": column.name, "title": column.title, "kind": column.kind.value}
                    for column in table.columns
                ],
                "rows": [
                    {c.name: plain(cell) for c, cell in zip(table.columns, row, strict=True)}
                    for row in table.rows
                ],
                "notes": list(table.notes),
            }
            for table in part.tables
        ],
    }


def as_csv(report: Report) -> str:
    """One figure per line: journey, table, row (its texts), figure and value.

    Intervals are two figures, `x.low` and `x.high`.
    """
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["journey", "table", "row", "figure", "value"])
    for part in report.parts:
        for table in part.tables:
            for name, figure, value in _figures(table):
                lines.writerow([part.journey or "", table.name, name, figure, value])
    return out.getvalue()


def _figures(table: Table) -> Iterator[tuple[str, str, object]]:
    for row in table.rows:
        cells = list(zip(table.columns, row, strict=True))
        texts = [str(cell) for c, cell in cells if not to_right(c) and cell is not None]
        lead, rest = (texts, []) if any(to_right(c) for c, _ in cells) else (texts[:1], cells[1:])
        name = _inert(" / ".join(lead))
        for column, cell in [(c, cell) for c, cell in cells if to_right(c)] + rest:
            if isinstance(cell, Interval):
                yield name, f"{column.name}.low", cell.low
                yield name, f"{column.name}.high", cell.high
            elif cell is not None:
                yield name, column.name, _inert(cell) if isinstance(cell, str) else plain(cell)


def _inert(value: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value
