"""Applying fixes: texts in, texts out. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic, Edit
from journeylang.source import Source
from journeylang.syntax.parse import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """The new texts by path, and the findings whose fixes made them.

    ``refused`` are findings whose fixes would have left a text that cannot be read.
    """

    texts: Mapping[str, str]
    applied: tuple[Diagnostic, ...]
    refused: tuple[Diagnostic, ...] = ()


def fixed(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, unsafe: bool
) -> Fixed:
    """All fixes that do not touch each other, the first of those that do.

    A fix is applied with all its edits or not at all. Where a file could be read before and can
    not be read with a fix, the fix is left out.
    """
    taken: dict[str, list[Edit]] = {}
    applied: list[Diagnostic] = []
    refused: list[Diagnostic] = []
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        if fix is None or not (fix.safe or unsafe):
            continue
        if any(_touches(edit, taken.get(edit.span.path, ())) for edit in fix.edits):
            continue
        if not _reads(fix.edits, sources):
            refused.append(diagnostic)
            continue
        for edit in fix.edits:
            taken.setdefault(edit.span.path, []).append(edit)
        applied.append(diagnostic)
    texts = {path: edited(sources[path], edits) for path, edits in taken.items()}
    if any(
        _problems(path, text) > _problems(path, sources[path].text) for path, text in texts.items()
    ):
        # One by one they were fine, and together they are not.
        return Fixed(texts={}, applied=(), refused=(*refused, *applied))
    return Fixed(texts=texts, applied=tuple(applied), refused=tuple(refused))


def edited(source: Source, edits: Iterable[Edit]) -> str:
    """The text with edits that do not touch each other; line ends are those of the file."""
    text, ends = source.text, "\r\n" if "\r\n" in source.text else "\n"
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        put_in = edit.text.replace("\n", ends)
        text = text[: edit.span.start] + put_in + text[edit.span.end :]
    return text


def _touches(edit: Edit, others: Iterable[Edit]) -> bool:
    return any(
        edit.span.start <= other.span.end and other.span.start <= edit.span.end for other in others
    )


def _reads(edits: tuple[Edit, ...], sources: Mapping[str, Source]) -> bool:
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.span.path not in sources or _touches(edit, by_path.get(edit.span.path, ())):
            return False
        by_path.setdefault(edit.span.path, []).append(edit)
    return all(
        _problems(path, edited(sources[path], of_path)) <= _problems(path, sources[path].text)
        for path, of_path in by_path.items()
    )


def _problems(path: str, text: str) -> int:
    """How much of a file cannot be read; templates are text to begin with."""
    if not path.endswith(".journey"):
        return 0
    return len(parse(Source(path=path, text=text)).diagnostics)
