"""Findings for other tools, which know files by their path in the repository."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from journeylang.diagnostics.model import Diagnostic
from journeylang.source import Source


def report(
    output: str, found: Sequence[Diagnostic], sources: Mapping[str, Source], root: Path
) -> str:
    """The findings as ``sarif``, ``github`` or ``junit``, with the end of the last line if any.

    ``root`` is the project's folder.
    """
    text = _rendered(output, found, sources, folder_in_repository(root))
    return f"{text}\n" if text else ""


def _rendered(
    output: str, found: Sequence[Diagnostic], sources: Mapping[str, Source], folder: str
) -> str:
    match output:
        case "sarif":
            from journeylang.diagnostics.sarif import render_sarif

            return render_sarif(found, sources, folder=folder)
        case "github":
            from journeylang.diagnostics.github import render_github

            return render_github(found, sources, folder=folder)
        case "junit":
            from journeylang.diagnostics.junit import render_junit

            return render_junit(found, sources, folder=folder)
    raise AssertionError(output)


def folder_in_repository(root: Path) -> str:
    """The project's folder below the root of its repository, with a ``/`` at its end.

    Empty where the project is the repository, or is in none. A workflow of GitHub says where
    its repository lies; elsewhere it is the folder upwards that has a ``.git``.
    """
    here = root.resolve()
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and here.is_relative_to(Path(workspace).resolve()):
        top = Path(workspace).resolve()
    else:
        top = next((f for f in (here, *here.parents) if (f / ".git").exists()), here)
    below = here.relative_to(top).as_posix()
    return "" if below == "." else f"{below}/"
