"""JRN88x: projects that are drafted from what is there."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code

MANIFEST_UNREADABLE = Code(
    id="JRN881",
    name="manifest-unreadable",
    title="No manifest of dbt, or one that cannot be read",
    why="`journey init --from` takes `target/manifest.json` as dbt 1.0 and later write it, and"
    " `catalog.json` beside it for the columns' types. Nothing was written.",
    bad="journey init --from dbt_project.yml",
    good="dbt parse\njourney init --from target/manifest.json",
    fence="shell",
)

NO_CUSTOMERS_FOUND = Code(
    id="JRN882",
    name="no-customers-found",
    title="No table seems to be one of customers",
    why="A binding begins with the customers: a table with a row and a key for each of them."
    " `journey init --from` looks for one that is called so, or that has addresses and is pointed"
    " to by others. Nothing was written.",
    bad="journey init --from events.duckdb     # a table of clicks, and no other",
    good="journey init                          # then name the tables in binding.journey",
    fence="shell",
)

ADDRESS_WITH_PASSWORD = Code(
    id="JRN883",
    name="address-with-password",
    title="An address with a password on the command line",
    why="It would stay in the shell's history, be seen by others on the machine, and stand in"
    " journey.toml, which is for git. Secrets are named, and kept in the environment.",
    bad="journey init --from postgresql://me:secret@db/shop",
    good="DATABASE_URL=postgresql://me:secret@db/shop journey init --from env:DATABASE_URL",
    fence="shell",
)

CODES = family(globals())
