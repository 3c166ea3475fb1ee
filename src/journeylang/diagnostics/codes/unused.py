"""JRN7xx: what stands there for nothing."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

UNUSED_DEFINITION = Code(
    id="JRN701",
    name="unused-definition",
    title="A definition that nothing uses",
    why="It is read, kept and discussed for nothing; or what should use it has a slip of the pen.",
    bad="segment regular = count(order_placed) >= 3     # and nothing asks for it",
    good="segment regular = count(order_placed) >= 3\n"
    'journey thanks {\n  owner "shop@acme.example"\n  enter when customer in segment regular\n'
    "  hello: send email\n}",
    severity=Severity.WARNING,
)

UNUSED_SUPPRESSION = Code(
    id="JRN702",
    name="unused-suppression",
    title="A suppression of something that is not found",
    why="It would hide the next finding of this kind, which nobody has looked at.",
    bad="# journey: ignore[JRN302] one mail only\npause: wait 2d",
    good="pause: wait 2d",
    severity=Severity.WARNING,
)

BAD_SUPPRESSION = Code(
    id="JRN703",
    name="bad-suppression",
    title="A suppression that suppresses nothing",
    why="It names no code, or one that cannot be suppressed, or gives no reason. Whoever reads it"
    " next has to learn from it why the finding was thought to be fine.",
    bad="# journey: ignore[JRN302]\nhello: send email",
    good="# journey: ignore[JRN302] nobody gets more than this one\nhello: send email",
    severity=Severity.WARNING,
)

CODES = family(globals())
