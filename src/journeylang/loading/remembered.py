"""Findings as plain data, to be kept from one check to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from journeylang.diagnostics.codes import find_code
from journeylang.diagnostics.decode import decode
from journeylang.diagnostics.model import Code, Diagnostic, Edit, Fix, Label, Severity
from journeylang.diagnostics.selection import Selection
from journeylang.loading.inputs import Inputs
from journeylang.source import Source, Span
from journeylang.syntax.grammar import cache_folder, forget_oldest, recall, remember

_FORMAT = 1


def kept(
    root: Path, given: Inputs
) -> tuple[tuple[Diagnostic, ...], dict[str, Source], int, bool, Selection] | None:
    """What was found for these very inputs; None if that is not known, or cannot be read.

    Findings, the sources of their places, the number of files, whether the rules were asked, and
    what the settings select.
    """
    file = _file(root)
    plain = recall(file) if file is not None else None
    if plain is None or plain.get("key") != given.key or plain.get("format") != _FORMAT:
        return None
    try:
        found = tuple(_diagnostic(each) for each in plain["diagnostics"])
        selection = Selection(
            select=tuple(plain["select"]),
            ignore=tuple(plain["ignore"]),
            severities=tuple((prefix, Severity(s)) for prefix, s in plain["severities"]),
        )
        return found, _sources(found, given), int(plain["checked"]), bool(plain["whole"]), selection
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def keep(
    root: Path,
    given: Inputs,
    diagnostics: Sequence[Diagnostic],
    *,
    sources: Mapping[str, Source],
    checked: int,
    whole: bool,
    selection: Selection,
) -> None:
    """Remember what was found, if what was read are these inputs, and there is a place for it."""
    file = _file(root)
    if file is None or not _same(sources, given):
        return
    plain = {
        "format": _FORMAT,
        "key": given.key,
        "checked": checked,
        "whole": whole,
        "select": selection.select,
        "ignore": selection.ignore,
        "severities": [(prefix, str(severity)) for prefix, severity in selection.severities],
        "diagnostics": [_plain(diagnostic) for diagnostic in diagnostics],
    }
    remember(file, plain)
    forget_oldest(file.parent)


def _file(root: Path) -> Path | None:
    folder = cache_folder("checks")
    name = hashlib.sha256(str(root.resolve()).encode(errors="replace")).hexdigest()[:24]
    return folder / f"{name}.json" if folder is not None else None


def _same(sources: Mapping[str, Source], given: Inputs) -> bool:
    """Whether no file was changed between the two readings."""
    for path, source in sources.items():
        data = given.data.get(path)
        again = decode(path, data).value if data is not None else None
        if again is None or again.text != source.text:
            return False
    return True


def _sources(found: Sequence[Diagnostic], given: Inputs) -> dict[str, Source]:
    paths = {
        span.path
        for d in found
        for span in (
            d.span,
            *(label.span for label in d.labels),
            *(edit.span for edit in (d.fix.edits if d.fix is not None else ())),
        )
        if span is not None
    }
    made = {path: decode(path, given.data[path]).value for path in paths if path in given.data}
    return {path: source for path, source in made.items() if source is not None}


def _plain(d: Diagnostic) -> dict[str, Any]:
    fix = d.fix
    return {
        "code": d.code.id,
        "message": d.message,
        "span": d.span,
        "label": d.label,
        "help": d.help,
        "notes": d.notes,
        "labels": [(label.span, label.message) for label in d.labels],
        "fix": fix and (fix.title, fix.safe, [(edit.span, edit.text) for edit in fix.edits]),
        "severity": str(d.severity),
    }


def _diagnostic(plain: Mapping[str, Any]) -> Diagnostic:
    fix = plain["fix"]
    return Diagnostic(
        code=_code(plain["code"]),
        message=str(plain["message"]),
        span=None if plain["span"] is None else _span(plain["span"]),
        label=str(plain["label"]),
        help=str(plain["help"]),
        notes=tuple(map(str, plain["notes"])),
        labels=tuple(Label(_span(span), str(message)) for span, message in plain["labels"]),
        fix=None
        if fix is None
        else Fix(
            title=str(fix[0]),
            safe=bool(fix[1]),
            edits=tuple(Edit(_span(span), str(text)) for span, text in fix[2]),
        ),
        severity=Severity(plain["severity"]),
    )


def _code(text: str) -> Code:
    code = find_code(text)
    if code is None:
        raise ValueError(text)
    return code


def _span(plain: Sequence[Any]) -> Span:
    path, start, end = plain
    return Span(str(path), int(start), int(end))
