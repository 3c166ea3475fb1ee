"""JRN601: SQL of the project's own that is not the same on another of its databases."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.portability import SQL_NOT_PORTABLE
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes

_STRANGE = {
    "DAY_OF_WEEK": "each counts the days of the week from another one",
    "DATEDIFF": "some count boundaries, others whole spans",
    "REGEXP_LIKE": "each has patterns of its own",
    "REGEXP_REPLACE": "each has patterns of its own",
    "REGEXP_EXTRACT": "each has patterns of its own",
    "JSON_EXTRACT": "what becomes of a missing or quoted value differs",
    "JSON_EXTRACT_SCALAR": "what becomes of a missing or quoted value differs",
    "TRY_CAST": "PostgreSQL has nothing of the kind",
}
"""Of what may be written by hand, the functions that mean something else elsewhere, and why."""


def sql_not_portable(checked: Checked) -> Iterator[Diagnostic]:
    """Where environments are on databases of several kinds: the first strange function of each."""
    dialects = checked.settings.dialects
    if len(dialects) < 2:
        return
    for hatch in checked.written(nodes.SqlHatch):
        strange = _strange(hatch.text, checked.settings.home)
        if strange is not None:
            yield Diagnostic(
                code=SQL_NOT_PORTABLE,
                message=f"`{strange.lower()}` is not the same on {' and '.join(dialects)}",
                span=hatch.span,
                label=_STRANGE[strange],
                help="say it otherwise, or bind a view of the database in the place of it",
            )


def _strange(text: str, dialect: str) -> str | None:
    """The first function that is not the same everywhere; SQL that cannot be read is told."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(text, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    for node in tree.find_all(exp.Func):
        if not isinstance(node, exp.Anonymous) and node.sql_name() in _STRANGE:
            return node.sql_name()
    return None


RULE = Rule(code=SQL_NOT_PORTABLE, find=sql_not_portable)
