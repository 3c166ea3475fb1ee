"""JRN5xx: one version of a journey after another, with people inside."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code

RENAMED_WITHOUT_MOVED = Code(
    id="JRN501",
    name="renamed-without-moved",
    title="A step that holds people is gone",
    why="Customers wait at a step by its label. Without a word on where they go they would be"
    " lost, so the change is refused.",
    bad="cool_off: wait 5d   ->   breathe: wait 5d",
    good="cool_off: wait 5d   ->   breathe: wait 5d\nmoved in winback: cool_off -> breathe",
    fence="text",
)

CODES = family(globals())
