"""Findings as editors show them, and the fixes that they come with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lsprotocol import types as lsp

from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.lsp.positions import span_range
from journeylang.source import Source, Span

NAME = "journey"
_START = lsp.Range(start=lsp.Position(line=0, character=0), end=lsp.Position(line=0, character=0))

SourceOf = Callable[[str], Source | None]


def uri(root: Path, path: str) -> str:
    return (root / path).as_uri()


def shown(
    diagnostics: Iterable[Diagnostic], root: Path, source_of: SourceOf
) -> list[lsp.Diagnostic]:
    """Each finding at its place; what it is about elsewhere beside it."""
    return [_shown(d, root, source_of) for d in diagnostics]


def _shown(d: Diagnostic, root: Path, source_of: SourceOf) -> lsp.Diagnostic:
    message = d.message
    if d.label:
        message += f"\n{d.label}"
    if d.help:
        message += f"\nhelp: {d.help}"
    for note in d.notes:
        message += f"\nnote: {note}"
    return lsp.Diagnostic(
        range=_range(d.span, source_of),
        message=message,
        severity=lsp.DiagnosticSeverity.Error
        if d.severity is Severity.ERROR
        else lsp.DiagnosticSeverity.Warning,
        code=d.code.id,
        source=NAME,
        related_information=[
            lsp.DiagnosticRelatedInformation(
                location=lsp.Location(
                    uri=uri(root, label.span.path), range=_range(label.span, source_of)
                ),
                message=label.message or d.message,
            )
            for label in d.labels
        ]
        or None,
        tags=[lsp.DiagnosticTag.Unnecessary] if d.code.name.startswith("unused-") else None,
    )


def _range(span: Span | None, source_of: SourceOf) -> lsp.Range:
    source = None if span is None else source_of(span.path)
    return _START if source is None or span is None else span_range(source, span)


def actions(
    diagnostics: Iterable[Diagnostic],
    root: Path,
    source_of: SourceOf,
    asked: lsp.Range,
) -> list[lsp.CodeAction]:
    """The fixes of what is found in a stretch of a file; the safe ones are preferred."""
    made = []
    for d in diagnostics:
        if d.fix is None or d.span is None:
            continue
        place = _range(d.span, source_of)
        if place.end < asked.start or asked.end < place.start:
            continue
        changes = edits(((e.span, e.text) for e in d.fix.edits), root, source_of)
        made.append(
            lsp.CodeAction(
                title=d.fix.title[:1].upper() + d.fix.title[1:],
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[_shown(d, root, source_of)],
                edit=lsp.WorkspaceEdit(changes=changes),
                is_preferred=d.fix.safe,
            )
        )
    return made


def edits(
    changed: Iterable[tuple[Span, str]], root: Path, source_of: SourceOf
) -> Mapping[str, list[lsp.TextEdit]]:
    """Replacements by file, each file's in order."""
    found: dict[str, list[lsp.TextEdit]] = {}
    for span, text in sorted(changed):
        source = source_of(span.path)
        if source is not None:
            edit = lsp.TextEdit(range=span_range(source, span), new_text=text)
            found.setdefault(uri(root, span.path), []).append(edit)
    return found
