"""Assumptions for a dry run: are the events that they name there, and each thing said once?"""

from __future__ import annotations

from collections.abc import Iterable

from journeylang.analysis.expressions import Checker
from journeylang.analysis.scope import AUDIENCE
from journeylang.analysis.spans import duration
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.syntax import nodes


def assumptions(written: Iterable[nodes.Assume], checker: Checker) -> None:
    """What is assumed of events that are there, each thing once."""
    findings = checker.findings
    for assume in written:
        seen: dict[tuple[object, object], nodes.Assumption] = {}
        for line in assume.assumptions:
            for event in (line.event, line.after):
                if event is not None:
                    checker.sources.event(event, AUDIENCE)
            if line.window is not None:
                duration(line.window, AUDIENCE, findings)
            first = seen.setdefault((line.event, line.after), line)
            if first is not line:
                findings.error(
                    names.REPEATED_PART,
                    line.event.span,
                    f"`{line.event.name.text}` is assumed twice",
                    labels=(Label(first.event.span, "assumed here already"),),
                    help="remove one of the two",
                )
