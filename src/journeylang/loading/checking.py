"""A whole check: what is wrong by itself, what the rules say, what somebody has said is fine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic
from journeylang.diagnostics.selection import Selection
from journeylang.loading.inputs import inputs
from journeylang.loading.remembered import keep, kept
from journeylang.source import Source

if TYPE_CHECKING:
    from journeylang.loading.project import LoadedProject
    from journeylang.loading.reading import Reading


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
    loaded: LoadedProject | None = None
    """What was read; None where findings are remembered, or the settings could not be read."""


def check(root: Path, *, cached: bool = False) -> Checking:
    """Read the project at ``root``, and find what there is to find.

    ``cached``: what was found before, if not a byte has changed since. The sources are then only
    those of the findings.
    """
    given = inputs(root) if cached else None
    before = kept(root, given) if given is not None else None
    if before is not None:
        found, sources, count, whole, selection = before
        return Checking(
            diagnostics=found, sources=sources, checked=count, whole=whole, selection=selection
        )
    checking = check_anew(root)
    if given is not None:
        keep(
            root,
            given,
            checking.diagnostics,
            sources=checking.sources,
            checked=checking.checked,
            whole=checking.whole,
            selection=checking.selection,
        )
    return checking


def check_anew(root: Path, reading: Reading | None = None) -> Checking:
    """Read all of the project with what reads it, and find what there is to find."""
    from journeylang.lint.suppressions import suppress
    from journeylang.loading.linting import lint_project
    from journeylang.loading.project import load, once

    loading = load(root, reading=reading)
    loaded = loading.outcome.value
    found = loading.diagnostics
    if loaded is not None:
        found = once([*found, *lint_project(loaded)])
    whole = loaded is not None and loaded.whole
    return Checking(
        diagnostics=suppress(found, loading.sources, whole=whole),
        sources=loading.sources,
        checked=loading.checked,
        whole=whole,
        selection=Selection() if loaded is None else loaded.config.lint.selection,
        loaded=loaded,
    )
