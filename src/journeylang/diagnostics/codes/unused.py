"""JRN7xx: what stands there for nothing."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

UNUSED_DEFINITION = Code(
    id="JRN701",
    name="unused-definition",
    title="A definition that nothing uses",
    why="It is read, kept and discussed for nothing; or what should use it has a slip of the pen.",
    bad="segment vip = spend_year >= 500 EUR     # and nothing asks for it",
    good="enter when customer in segment vip",
    severity=Severity.WARNING,
    fence="text",
)

UNUSED_SUPPRESSION = Code(
    id="JRN702",
    name="unused-suppression",
    title="A suppression of something that is not found",
    why="It would hide the next finding of this kind, which nobody has looked at.",
    bad="# journey: ignore[JRN302] one mail only\nwait 2d",
    good="wait 2d",
    severity=Severity.WARNING,
    fence="text",
)

CODES = family(globals())
