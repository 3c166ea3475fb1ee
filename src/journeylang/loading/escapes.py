"""A project whose settings forbid SQL written by hand does not run with it.

The rule of the same code tells it among the others; this is for those who do not ask rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.loading.config import Config


def forbidden(config: Config | None, files: Sequence[nodes.File]) -> Iterator[Diagnostic]:
    """An error for each piece of SQL, with `[lint] sql-escape = "error"`."""
    if config is None or config.lint.sql_escape != "error":
        return
    # All rules come with it, which nobody else who loads a project has a use for.
    from journeylang.lint.sql_escape import hatches

    yield from hatches(files, Severity.ERROR)
