"""JRN6xx: what works on one database and not, or not well, on another."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

SQL_NOT_PORTABLE = Code(
    id="JRN601",
    name="sql-not-portable",
    title="SQL that means something else on another database",
    why="The project names environments on different databases, and the expression is not the"
    " same on all of them.",
    bad="field week: int = sql`weekofyear(c.created)`",
    good="field week: int = sql`extract(week from c.created)`",
    severity=Severity.WARNING,
    fence="text",
)

UNBOUNDED_AGGREGATE = Code(
    id="JRN602",
    name="unbounded-aggregate",
    title="An aggregate over all of time",
    why="Every look reads the whole table, and every year it reads more. It is not so where the"
    " event says how its rows change: `append only`, or `changed at` a column.",
    bad="segment curious = count(visited) >= 20",
    good="segment curious = count(visited within 365d) >= 20",
    severity=Severity.WARNING,
)

CODES = family(globals())
