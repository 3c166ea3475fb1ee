"""A whole check: what is wrong by itself, what the rules say, what somebody has said is fine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from journeylang.diagnostics.model import Diagnostic, in_order
from journeylang.lint.selection import Selection
from journeylang.lint.suppressions import suppress
from journeylang.loading.linting import lint_project
from journeylang.loading.project import load
from journeylang.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """Everything found, before ``selection`` (that of the settings) chooses among it.

    ``checked`` counts the files with journeys. Without ``whole`` there are errors in the
    definitions, and so the rules were not asked.
    """

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]
    checked: int
    whole: bool
    selection: Selection


def check(root: Path) -> Checking:
    """Read the project at ``root``, and find what there is to find."""
    loading = load(root)
    loaded = loading.outcome.value
    found = loading.diagnostics
    if loaded is not None:
        found = in_order((*found, *lint_project(loaded)))
    whole = loaded is not None and loaded.whole
    return Checking(
        diagnostics=suppress(found, loading.sources, whole=whole),
        sources=loading.sources,
        checked=loading.checked,
        whole=whole,
        selection=Selection() if loaded is None else loaded.config.lint.selection,
    )
