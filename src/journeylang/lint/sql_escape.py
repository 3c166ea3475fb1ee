"""JRN603: SQL of its own in a project that does without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journeylang.diagnostics.codes.portability import SQL_ESCAPE
from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.lint.rule import Checked, Rule
from journeylang.model.tree import all_of
from journeylang.syntax import nodes


def sql_escape(checked: Checked) -> Iterator[Diagnostic]:
    """Each of them, where `[lint] sql-escape` says so; that also says how severe it is."""
    wish = checked.settings.sql_escape
    if wish != "allow":
        yield from hatches(checked.files, Severity(wish))


def hatches(files: Sequence[nodes.File], severity: Severity) -> Iterator[Diagnostic]:
    """Each piece of SQL in the files, as what the project does without."""
    for file in files:
        for hatch in all_of(file, nodes.SqlHatch):
            yield Diagnostic(
                code=SQL_ESCAPE,
                message="this project does without `sql`",
                span=hatch.span,
                help="say it in the language, or bind a view of the database; `[lint] sql-escape`"
                " in `journey.toml` decides",
                severity=severity,
            )


RULE = Rule(code=SQL_ESCAPE, find=sql_escape)
