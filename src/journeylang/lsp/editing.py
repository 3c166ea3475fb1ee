"""A project while it is being edited: the texts of the editor before those of the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.syntax import CODES
from journeylang.diagnostics.decode import decode
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.checking import Checking, check_anew
from journeylang.loading.reading import Reading
from journeylang.lsp.mentions import Mention, mentions
from journeylang.lsp.names import Names, entries, includes
from journeylang.source import Source, Span
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse

AT_ONCE = 64 * 1024
"""Characters up to which a file is parsed with every keystroke; a larger one waits for a pause."""


class Editing(Reading):
    """Reads open texts first, and parses a text that it has parsed before no second time."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._parsed: dict[str, tuple[str, Outcome[File]]] = {}

    def read(self, root: Path, path: str) -> Outcome[Source]:
        text = self.texts.get(path)
        if text is None:
            return super().read(root, path)
        return decode(path, text.encode("utf-8", "replace"))

    def parse(self, source: Source) -> Outcome[File]:
        known = self._parsed.get(source.path)
        if known is not None and known[0] == source.text:
            return known[1]
        outcome = parse(source)
        self._parsed[source.path] = source.text, outcome
        return outcome

    def parsed(self) -> Mapping[str, tuple[str, Outcome[File]]]:
        return self._parsed

    def forget(self, paths: set[str]) -> None:
        """Of files that are gone."""
        for path in paths & self._parsed.keys():
            del self._parsed[path]


@dataclass(slots=True)
class Project:
    """One project of the editor.

    ``checking`` is the last whole check; ``edition`` counts the changes of texts, so that whoever
    checks in the background can tell whether the answer is still of today.
    """

    root: Path
    reading: Editing = field(default_factory=Editing)
    checking: Checking | None = None
    edition: int = 0
    _mentions: dict[str, tuple[object, tuple[Mention, ...]]] = field(default_factory=dict)
    _names: tuple[int, Names] | None = None
    _shown: dict[str, list[Diagnostic]] = field(default_factory=dict)

    def path(self, file: Path) -> str | None:
        """The file as the project calls it: below its root, with ``/``."""
        try:
            return file.relative_to(self.root).as_posix()
        except ValueError:
            return None

    def edit(self, path: str, text: str | None) -> None:
        """Take the editor's text of a file; None when it has closed it."""
        before = self.reading.texts.get(path)
        if text is None:
            self.reading.texts.pop(path, None)
        else:
            self.reading.texts[path] = text
        self.edition += 1
        if before is not None and text is not None:
            shown = self._shown.get(path, [])
            self._shown[path] = [d for d in (moved(d, before, text) for d in shown) if d]

    def source(self, path: str) -> Source | None:
        return self.reading.read(self.root, path).value

    def tree(self, path: str) -> File | None:
        """The tree of a file; of a large one that of the last check, or none as yet."""
        source = self.source(path)
        if source is None:
            return None
        if len(source.text) > AT_ONCE:
            known = self.reading.parsed().get(path)
            return None if known is None or known[0] != source.text else known[1].value
        return self.reading.parse(source).value

    def check(self) -> Checking:
        """Check all of the project; slow, and safe beside everything else here."""
        return check_anew(self.root, self.reading)

    def take(self, checking: Checking) -> None:
        """What a check has found is now what is shown."""
        self.checking = checking
        self._shown = by_path(checking.diagnostics)
        paths = {path for path in self.reading.parsed() if path not in checking.sources}
        self.reading.forget(paths)

    def at_once(self, path: str) -> list[Diagnostic]:
        """What is to be told of one file while it is typed: its text's own errors, as of now,
        and what the last check has said of the places that are still there."""
        shown = self._shown.get(path, [])
        source = self.source(path)
        if source is None or not path.endswith(".journey") or len(source.text) > AT_ONCE:
            return shown
        own = self.reading.parse(source).diagnostics
        codes = {(d.code.id, d.span) for d in own}
        kept = [d for d in shown if d.code not in CODES and (d.code.id, d.span) not in codes]
        return [*own, *kept]

    def shown(self) -> Mapping[str, list[Diagnostic]]:
        return self._shown

    def names(self) -> Names:
        """Every name of the project, as the texts are now."""
        if self._names is not None and self._names[0] == self.edition:
            return self._names[1]
        trees = []
        found = {}
        parsed = dict(self.reading.parsed())
        for path in self.reading.texts:
            # Of large files the last tree will do until they are checked.
            if path.endswith(".journey") and len(self.reading.texts[path]) <= AT_ONCE:
                source = self.source(path)
                if source is not None:
                    parsed[path] = source.text, self.reading.parse(source)
        for path, (_, outcome) in sorted(parsed.items()):
            if outcome.value is None:
                if path in self._mentions:
                    found[path] = self._mentions[path][1]
                continue
            trees.append(outcome.value)
            known = self._mentions.get(path)
            if known is None or known[0] is not outcome.value:
                known = self._mentions[path] = outcome.value, mentions(outcome.value)
            found[path] = known[1]
        names = Names(by_file=found, included=includes(trees), entries=entries(trees))
        self._names = self.edition, names
        return names


def by_path(diagnostics: tuple[Diagnostic, ...]) -> dict[str, list[Diagnostic]]:
    """What has no place is told at the settings."""
    found: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        path = "journey.toml" if diagnostic.span is None else diagnostic.span.path
        found.setdefault(path, []).append(diagnostic)
    return found


def moved(diagnostic: Diagnostic, before: str, after: str) -> Diagnostic | None:
    """A finding at the same words of the changed text; None where they were changed."""
    span = diagnostic.span
    if span is None:
        return diagnostic
    start = _common(before, after)
    tail = _common(before[start:][::-1], after[start:][::-1])
    if span.end <= start:
        return diagnostic
    if span.start >= len(before) - tail:
        by = len(after) - len(before)
        place = Span(span.path, span.start + by, span.end + by)
        return replace(diagnostic, span=place, fix=None, labels=())
    return None


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
