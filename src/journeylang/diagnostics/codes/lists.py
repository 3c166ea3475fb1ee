"""JRN84x: lists of people in files, and SQL that is written by hand."""

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

CODES = family(globals())
