"""Pieces of a page as text: each function escapes what it is given, and returns markup."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import Self

from journeylang.classes import dataclass
from journeylang.pictures.style import SERIES, STYLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawing with its title, what it tells in a sentence, and its figures as a table.

    `svg` is markup; `legend` names series in the order of their colours; columns of the table
    from `right` on are figures.
    """

    title: str
    told: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: int = 1
    legend: tuple[str, ...] = ()


def document(title: str, body: str) -> str:
    """A whole page, which fetches nothing."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may be fetched and nothing run, whatever stands in a page.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body></html>\n"
    )


def figure(picture: Picture) -> str:
    """The picture; what it shows is told, and stands under it as a table."""
    words = escape(f"{picture.title}: {picture.told}", quote=True)
    svg = picture.svg.replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
    columns = range(picture.right, len(picture.head))
    figures = folded(
        "as a table", table(picture.head, picture.rows, right=columns, name=picture.title)
    )
    return (
        f"<figure><figcaption>{escape(picture.title)}<small>{escape(picture.told)}</small>"
        f"</figcaption>{svg}{legend(picture.legend)}{figures}</figure>"
    )


def figures(pictures: Iterable[Picture]) -> str:
    """Beside each other where there is room; empty without any."""
    drawn = "\n".join(map(figure, pictures))
    return f"<div class=pictures>{drawn}</div>" if drawn else ""


def legend(names: Sequence[str]) -> str:
    """The colour of each series; nothing where there is but one."""
    if len(names) < 2:
        return ""
    listed = "".join(
        f'<li><i style="background:{colour(n)}"></i>{escape(name)}</li>'
        for n, name in enumerate(names)
    )
    return f"<ul class=legend>{listed}</ul>"


def colour(series: int) -> str:
    return f"var(--c{series % SERIES})"


class Mark(str):
    """A cell that is good or bad news, told by its colour as well."""

    __slots__ = ("good",)
    good: bool

    def __new__(cls, words: str, *, good: bool) -> Self:
        made = super().__new__(cls, words)
        made.good = good
        return made


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Container[int] = (),
    name: str = "table",
) -> str:
    """`right`: the numbers of the columns whose cells are figures. Wide ones scroll alone.

    `name` is what a reader by ear is told that scrolls.
    """

    def kind(n: int) -> str:
        return " class=n" if n in right else ""

    def cell(n: int, value: str) -> str:
        if isinstance(value, Mark):
            return f"<td class={'good' if value.good else 'bad'}>{escape(value)}</td>"
        return f"<td{kind(n)}>{escape(value)}</td>"

    top = "".join(f"<th scope=col{kind(n)}>{escape(name)}</th>" for n, name in enumerate(head))
    lines = "\n".join(
        f"<tr>{''.join(cell(n, value) for n, value in enumerate(row))}</tr>" for row in rows
    )
    return (
        f'<div class=wide tabindex=0 role=group aria-label="{escape(name, quote=True)}"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def folded(title: str, markup: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{markup}</details>"


def paragraph(words: str, kind: str = "") -> str:
    return f"<p{f' class={kind}' if kind else ''}>{escape(words)}</p>"


def heading(level: int, words: str, name: str = "") -> str:
    """`name`: what a link within the page calls it."""
    at = f' id="{escape(name, quote=True)}"' if name else ""
    return f"<h{level}{at}>{escape(words)}</h{level}>"


def contents(names: Iterable[str]) -> str:
    """Links to the sections of a page, by their headings' anchors."""
    links = "".join(
        f'<li><a href="#{escape(anchor(name), quote=True)}">{escape(name)}</a></li>'
        for name in names
    )
    return f'<nav aria-label="contents"><ul>{links}</ul></nav>'


def anchor(words: str) -> str:
    """A name for a link, which has no blanks."""
    return "-".join(words.split())
