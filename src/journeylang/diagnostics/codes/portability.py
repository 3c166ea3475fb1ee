"""JRN6xx: what works on one database and not, or not well, on another."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

SQL_NOT_PORTABLE = Code(
    id="JRN601",
    name="sql-not-portable",
    title="SQL that means something else on another database",
    why="The project names environments on different databases, and the expression is not the"
    " same on all of them.",
    bad="field day: int = sql`dayofweek(c.created)`",
    good="field month: int = sql`extract(month from c.created)`",
    severity=Severity.WARNING,
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

SQL_ESCAPE = Code(
    id="JRN603",
    name="sql-escape",
    title="SQL in a project that does without",
    why="The settings say that the project does without `sql`: what the language says can be"
    " checked, and works on every database.",
    bad="segment scored = sql`select customer_id from shop.propensity where score > 0.8`",
    good="segment scored = customer.score > 0.8",
)

CODES = family(globals())
