"""Diagnostics as SARIF 2.1.0, which code scanning reads.

The Static Analysis Results Interchange Format, OASIS standard of 2020-03-27; numbers below are
of its sections.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from journeylang import __version__
from journeylang.diagnostics.model import Code, Diagnostic, Edit, Severity
from journeylang.diagnostics.region import region
from journeylang.source import Source, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def render_sarif(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, folder: str = ""
) -> str:
    """A log with one run; ``folder`` is where the project lies in the repository.

    Files are relative to the root of the repository. Rules are those of which something was found.
    """
    codes = sorted({d.code.id: d.code for d in diagnostics}.values(), key=lambda code: code.id)
    writer = _Writer(sources, folder, {code.id: at for at, code in enumerate(codes)})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "journey",
                        "version": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "invocations": [{"executionSuccessful": True}],
                # 3.14.14: what the addresses of files are relative to.
                "originalUriBaseIds": {
                    _ROOT: {"description": {"text": "The root of the repository."}}
                },
                # 3.14.27: otherwise columns would count UTF-16 code units.
                "columnKind": "unicodeCodePoints",
                "results": [writer.result(diagnostic) for diagnostic in diagnostics],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": code.name,
        "shortDescription": {"text": f"{code.title}."},
        "fullDescription": {"text": code.why},
        "help": {
            "text": f"{code.why}\n\nBad:\n\n{code.bad}\n\nGood:\n\n{code.good}",
            "markdown": f"{code.why}\n\nBad:\n\n{_fence(code.bad)}\n\nGood:\n\n{_fence(code.good)}",
        },
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _fence(text: str) -> str:
    return f"```text\n{text}\n```"


def _sentences(*parts: str) -> str:
    """Messages begin in lower case and have no full stop; here they stand behind each other."""
    return " ".join(
        f"{part[0].upper()}{part[1:]}{'' if part[-1] in '.?!…' else '.'}" for part in parts if part
    )


class _Writer:
    def __init__(
        self, sources: Mapping[str, Source], folder: str, rules: Mapping[str, int]
    ) -> None:
        self.sources = sources
        self.folder = folder
        self.rules = rules

    def result(self, diagnostic: Diagnostic) -> dict[str, Any]:
        """3.27. Its message is what is wrong and what to do, for there is no place for help."""
        made: dict[str, Any] = {
            "ruleId": diagnostic.code.id,
            "ruleIndex": self.rules[diagnostic.code.id],
            "level": _LEVELS[diagnostic.severity],
            "message": {"text": _sentences(diagnostic.message, diagnostic.help)},
        }
        if diagnostic.span is not None:
            made["locations"] = [{"physicalLocation": self.place(diagnostic.span)}]
        if diagnostic.labels:
            made["relatedLocations"] = [
                {
                    "id": number,
                    "physicalLocation": self.place(label.span),
                    "message": {"text": label.message},
                }
                for number, label in enumerate(diagnostic.labels, 1)
            ]
        fix = diagnostic.fix
        if fix is not None and all(region(edit.span, self.sources) for edit in fix.edits):
            made["fixes"] = [
                {"description": {"text": fix.title}, "artifactChanges": self.changes(fix.edits)}
            ]
        return made

    def place(self, span: Span) -> dict[str, Any]:
        """3.29: a file and, where its text is known, the region in it."""
        made: dict[str, Any] = {"artifactLocation": self.file(span.path)}
        if region(span, self.sources) is not None:
            made["region"] = self.region(span)
        return made

    def file(self, path: str) -> dict[str, str]:
        return {"uri": quote(f"{self.folder}{path}", safe="/"), "uriBaseId": _ROOT}

    def region(self, span: Span) -> dict[str, int]:
        place = region(span, self.sources)
        assert place is not None
        return {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }

    def changes(self, edits: Iterable[Edit]) -> list[dict[str, Any]]:
        """3.56: what is put in place of what, by file."""
        by_file: dict[str, list[dict[str, Any]]] = {}
        for edit in edits:
            replacement: dict[str, Any] = {"deletedRegion": self.region(edit.span)}
            if edit.text:
                replacement["insertedContent"] = {"text": edit.text}
            by_file.setdefault(edit.span.path, []).append(replacement)
        return [
            {"artifactLocation": self.file(path), "replacements": replacements}
            for path, replacements in by_file.items()
        ]
