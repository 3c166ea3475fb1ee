"""A project whose settings forbid SQL written by hand does not run with it.

The rule of the same code tells it among the others; this is for those who do not ask rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from journeylang.diagnostics.codes.portability import SQL_ESCAPE
from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.lint.tree import all_of
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.loading.config import Config


def forbidden(config: Config | None, files: Sequence[nodes.File]) -> Iterator[Diagnostic]:
    """An error for each piece of SQL, with `[lint] sql-escape = "error"`."""
    if config is None or config.lint.sql_escape != "error":
        return
    for file in files:
        for hatch in all_of(file, nodes.SqlHatch):
            yield Diagnostic(
                code=SQL_ESCAPE,
                message="this project does without `sql`",
                span=hatch.span,
                help="say it in the language, or bind a view of the database; `[lint] sql-escape`"
                " in `journey.toml` decides",
                severity=Severity.ERROR,
            )
