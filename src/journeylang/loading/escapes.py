"""Whether SQL written by hand may stand in the project: `[lint] sql-escape`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from journeylang.diagnostics.codes.lists import SQL_ESCAPE
from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.syntax.nodes import File, SqlHatch

if TYPE_CHECKING:
    from journeylang.loading.config import Config


def escapes(config: Config | None, files: Sequence[File]) -> Iterator[Diagnostic]:
    """A finding for each piece of SQL, if the settings want none."""
    if config is None or config.lint.sql_escape == "allow":
        return
    wanted = config.lint.sql_escape
    for node in _written(files):
        yield Diagnostic(
            code=SQL_ESCAPE,
            message="SQL written by hand, which the settings forbid"
            if wanted == "error"
            else "SQL written by hand",
            span=node.span,
            help="let a view of the database make the value, and bind that",
            severity=Severity.ERROR if wanted == "error" else Severity.WARNING,
        )


def _written(files: Sequence[File]) -> Iterator[SqlHatch]:
    waiting: list[object] = list(files)
    while waiting:
        value = waiting.pop()
        if isinstance(value, SqlHatch):
            yield value
        elif isinstance(value, tuple | list):
            waiting += value
        elif dataclasses.is_dataclass(value):
            waiting += [getattr(value, f.name) for f in dataclasses.fields(value)]
