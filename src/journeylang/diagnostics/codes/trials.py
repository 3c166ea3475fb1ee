"""JRN86x: tests in the language."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code

TEST_FAILED = Code(
    id="JRN861",
    name="test-failed",
    title="A test expects what does not happen",
    why="The journey does not what the test says of it. Either the journey is wrong, and nobody has"
    " been messaged yet, or the test says what was meant once.",
    bad="expect send hello at +1h     # the journey waits for two",
    good="expect send hello at +2h",
    fence="text",
)

CODES = family(globals())
