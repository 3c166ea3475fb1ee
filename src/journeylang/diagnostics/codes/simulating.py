"""JRN87x: dry runs."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code

TOO_EARLY = Code(
    id="JRN871",
    name="simulation-too-early",
    title="A dry run that would begin before the latest tick",
    why="A dry run goes on from where the journeys are. What has happened up to the latest tick is"
    " in the tables already, and would happen once more.",
    bad="journey simulate --from 2026-03-01     # the latest tick was on 31 March",
    good="journey simulate",
    fence="shell",
)

NOT_CLOSED = Code(
    id="JRN872",
    name="simulation-not-closed",
    title="A dry run that cannot be worked out at once",
    why="With `--mode closed` each run's whole life is worked out in one go. That needs a journey"
    " in which nothing that happens to one customer depends on another, on a budget, or on what a"
    " tick does beside.",
    bad="journey simulate --mode closed     # several journeys share their customers",
    good="journey simulate",
    fence="shell",
)

CODES = family(globals())
