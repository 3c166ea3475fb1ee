"""JRN0xx: the text itself, before anything in it has a meaning."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code

SYNTAX_ERROR = Code(
    id="JRN001",
    name="syntax-error",
    title="Something stands where the language has no place for it",
    why="What cannot be read as the language has no meaning, and guessing one could message"
    " the wrong people. Labels come first (`hello: send …`), blocks are in braces, and there"
    " is one statement to a line.",
    bad="segment many = count(order_placed) == 3",
    good="segment many = count(order_placed) = 3",
)

NOT_UTF8 = Code(
    id="JRN002",
    name="not-utf8",
    title="The file is not UTF-8 text",
    why="A file in another encoding would put wrong letters into messages. Every file of a"
    " project is UTF-8, with or without a byte-order mark.",
    bad="a file saved as Latin-1 (ISO 8859-1)",
    good="the same file saved as UTF-8",
    fence="text",
)

NUL_CHARACTER = Code(
    id="JRN003",
    name="nul-character",
    title="The file has a NUL character",
    why="Databases refuse NUL in a text, and editors do not show it. It is mostly a sign that"
    " the file is UTF-16 or no text at all.",
    bad="a file saved as UTF-16",
    good="the same file saved as UTF-8",
    fence="text",
)

FILE_TOO_LARGE = Code(
    id="JRN004",
    name="file-too-large",
    title="The file is larger than 1 MiB",
    why="No brief is that long; it is mostly data that belongs into a table or a list. The"
    " bound keeps a check quick whatever it is given.",
    bad="journeys/everything.journey, 3 MiB",
    good="journeys/welcome.journey and journeys/cart.journey, some KiB each",
    fence="text",
)

TOO_DEEP = Code(
    id="JRN005",
    name="too-deep",
    title="Blocks or brackets are nested more than 64 deep",
    why="Nobody can follow such nesting, and a bound on it keeps the tool from failing on a"
    " text made to exhaust it. Names for parts of the condition, or a fragment, make it flat.",
    bad="segment a = ((((((((((… 65 brackets …))))))))))",
    good="segment inner = count(order_placed) >= 3\nsegment a = customer in segment inner",
    fence="text",
)

UNKNOWN_EDITION = Code(
    id="JRN006",
    name="unknown-edition",
    title="This edition of the language is not known",
    why="A later edition may give words another meaning. This version of the tool reads edition 1.",
    bad="language 7",
    good="language 1",
)

UNCLOSED_TEXT = Code(
    id="JRN007",
    name="unclosed-text",
    title="A text has no closing quotation mark",
    why='A text ends on the line on which it begins; a quotation mark within is written `\\"`.',
    bad='segment many "Orders a lot = count(order_placed) >= 3',
    good='segment many "Orders a lot" = count(order_placed) >= 3',
)

UNCLOSED_BLOCK = Code(
    id="JRN008",
    name="unclosed-block",
    title="A block or bracket is opened and never closed",
    why="What follows would belong to the block, which is hardly what was meant.",
    bad="channel email { address: customer.email, consent: email_marketing",
    good="channel email { address: customer.email, consent: email_marketing }",
)

NOT_SUPPORTED_YET = Code(
    id="JRN009",
    name="not-supported-yet",
    title="Part of the language that this version reads but cannot run",
    why="The construct belongs to the language and is written correctly. This version has no"
    " meaning for it yet, and it is never left out in silence: a journey without one of its"
    " rules is another journey.",
    bad="{% include voucher %}",
    good='{% include "parts/banner.html" %}',
    fence="jinja",
)

CODES = family(globals())
