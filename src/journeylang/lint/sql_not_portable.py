"""JRN601: SQL of the project's own that another of its databases does not know."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.portability import SQL_NOT_PORTABLE
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import all_of
from journeylang.syntax import nodes

_PORTABLE = frozenset(
    {
        *("ABS", "AND", "AVG", "CASE", "CAST", "CEIL", "COALESCE", "CONCAT", "COUNT", "EXISTS"),
        *("CURRENT_DATE", "CURRENT_TIMESTAMP", "EXP", "EXTRACT", "FLOOR", "GREATEST", "IF"),
        *("LEAST", "LEFT", "LENGTH", "LN", "LOWER", "MAX", "MIN", "MOD", "NULLIF", "OR", "POWER"),
        *("RANK", "DENSE_RANK", "REPLACE", "RIGHT", "ROUND", "ROW_NUMBER", "SIGN", "SQRT"),
        *("SUBSTRING", "SUM", "TRIM", "TRY_CAST", "UPPER", "XOR", "DATE_TRUNC", "TIMESTAMP_TRUNC"),
        *("STARTS_WITH", "STR_POSITION", "REVERSE", "LPAD", "RPAD", "PAD", "CHR", "ASCII"),
    }
)
"""Functions that DuckDB, PostgreSQL and Spark have, and with the same meaning."""


def sql_not_portable(checked: Checked) -> Iterator[Diagnostic]:
    """Where environments are on databases of several kinds: the first strange function of each."""
    dialects = checked.settings.dialects
    if len(dialects) < 2:
        return
    for file in checked.files:
        for hatch in all_of(file, nodes.SqlHatch):
            strange = _strange(hatch.text, checked.settings.home)
            if strange:
                listed = ", ".join(dialects)
                yield Diagnostic(
                    code=SQL_NOT_PORTABLE,
                    message=f"`{strange}` is not the same on all of {listed}",
                    span=hatch.span,
                    help="say it with functions that each of them has, or bind a view of the"
                    " database in the place of the expression",
                )


def _strange(text: str, dialect: str) -> str:
    """A function that is not everywhere; none where the SQL cannot be read, for that is told."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(text, read=dialect)
    except (SqlglotError, RecursionError):
        return ""
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            return str(node.name).lower()
        name = node.sql_name()
        if name not in _PORTABLE:
            return name.lower()
    return ""


RULE = Rule(code=SQL_NOT_PORTABLE, find=sql_not_portable)
