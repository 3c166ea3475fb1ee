"""JRN84x: lists of people in files, and SQL written by hand."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

LIST_UNUSABLE = Code(
    id="JRN841",
    name="list-unusable",
    title="A list of people that cannot be used",
    why="A list is a CSV file in UTF-8 with a head line, and one of its columns tells who is meant:"
    " a customer's key, an e-mail address or a telephone number. A list that is read in part"
    " would be another list.",
    bad="name;company\nAda;Acme     # who is this?",
    good="email;company\nada@acme.example;Acme",
    fence="text",
)

LIST_INCOMPLETE = Code(
    id="JRN842",
    name="list-incomplete",
    title="Rows of a list that stand for nobody, or for somebody once more",
    why="Such rows change nothing. Many of them mostly mean that the list was put together wrongly,"
    " or is the list of somebody else's customers.",
    bad='email\nada@acme.example\nADA@acme.example\n""',
    good="email\nada@acme.example",
    severity=Severity.WARNING,
    fence="text",
)

SQL_REFUSED = Code(
    id="JRN843",
    name="sql-refused",
    title="SQL that may not stand in a project",
    why="SQL written by hand is one expression over a bound table, or one SELECT of customer keys"
    " from the binding's schemas. It reads, and nothing else: no clock, no chance, no files, no"
    " settings. What is not known to be harmless is refused.",
    bad="segment scored = sql`select customer_id from read_csv('scores.csv')`",
    good="segment scored = sql`select customer_id from shop.propensity where score > 0.8`",
    fence="text",
)

CODES = family(globals())
