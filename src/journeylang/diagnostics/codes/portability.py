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
    why="Every tick reads the whole table, and every year it reads more.",
    bad="metric orders = count(order_placed)",
    good="metric orders = count(order_placed within 730d)",
    severity=Severity.WARNING,
)

CODES = family(globals())
