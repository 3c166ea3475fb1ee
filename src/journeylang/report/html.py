"""A report as one page: pictures, then the tables that text has. Nothing is fetched or run."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.pictures import markup
from journeylang.report.cells import to_right
from journeylang.report.formats import cells, read
from journeylang.report.tables import Part, Report, Table


def as_html(report: Report) -> str:
    """A whole document."""
    names = [part.journey or "all journeys" for part in report.parts]
    title = f"Report: {', '.join(names)}" if len(names) < 4 else f"Report: {len(names)} journeys"
    body = [
        markup.heading(1, title),
        markup.paragraph(
            f"As of {report.now:%Y-%m-%d %H:%M} UTC, environment {report.env}.", "dim"
        ),
    ]
    if len(names) > 1:
        body.append(markup.contents(names))
    body += [section(part) for part in report.parts]
    return markup.document(title, "\n".join(body))


def section(part: Part) -> str:
    """A journey, or all together: its pictures and its tables."""
    name = part.journey or "all journeys"
    title = f"{name}: {part.title}" if part.title else name
    return "\n".join(
        [
            f"<section>{markup.heading(2, title, markup.anchor(name))}",
            markup.figures(part.pictures),
            *_tables(part),
            "</section>",
        ]
    )


def _tables(part: Part) -> Iterator[str]:
    told: set[str] = set()
    for table in read(part):
        if not table.rows and not table.notes:
            continue
        yield markup.heading(3, table.title)
        if table.rows:
            yield _table(table)
        for note in table.notes:
            # What holds for every table of a kind is said once.
            if note not in told:
                told.add(note)
                yield markup.paragraph(note, "note")


def _table(table: Table) -> str:
    right = {n for n, column in enumerate(table.columns) if to_right(column)}
    head = [column.title for column in table.columns]
    return markup.table(head, map(_marked, cells(table)), right=right, name=table.title)


_NEWS = {
    **dict.fromkeys(("higher", "holds", "confirmed", "keep"), True),
    **dict.fromkeys(("MISSED", "refuted", "lower", "drop"), False),
}
"""Words by which a row says how it stands."""


def _marked(row: list[str]) -> list[str]:
    return [markup.Mark(cell, good=_NEWS[cell]) if cell in _NEWS else cell for cell in row]
