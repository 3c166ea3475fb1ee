"""JRN8xx: the database, the project's settings, templates at work, and delivery."""

from journeylang.diagnostics.codes.family import family
from journeylang.diagnostics.model import Code, Severity

DATABASE_UNAVAILABLE = Code(
    id="JRN801",
    name="database-unavailable",
    title="The database cannot be reached or opened",
    why="Nothing was read and nothing was changed. A tick is one transaction; the next one does"
    " what this one could not.",
    bad='database = "acm.duckdb"     # no such file',
    good='database = "acme.duckdb"',
    fence="toml",
)

DATABASE_IN_USE = Code(
    id="JRN802",
    name="database-in-use",
    title="Another process holds the database",
    why="A DuckDB file can be written by one process at a time. `journey run --every` closes it"
    " between ticks; a notebook or a SQL shell that has it open does not. PostgreSQL has any number"
    " of connections, but one runtime at a time moves people: it holds a lease, which ends a minute"
    " after the runtime did.",
    bad="a SQL shell with acme.duckdb open, and `journey run`",
    good="close the shell, then `journey run`",
    fence="text",
)

MISSING_TABLE = Code(
    id="JRN803",
    name="missing-table",
    title="The binding names a table that the database does not have",
    why="Everything that rests on the table is unknown, so what uses it does not run.",
    bad="event order_placed from shop.order as o { … }     # the table is shop.orders",
    good="event order_placed from shop.orders as o { … }",
    fence="text",
)

MISSING_COLUMN = Code(
    id="JRN804",
    name="missing-column",
    title="The binding names a column that the table does not have",
    why="Everything that rests on the column is unknown, so what uses it does not run.",
    bad="at o.placed     # the column is placed_at",
    good="at o.placed_at",
    fence="text",
)

KEY_NOT_UNIQUE = Code(
    id="JRN805",
    name="key-not-unique",
    title="Several rows have the same key",
    why="The key tells customers (or events) apart. With two rows for one customer it is unclear"
    " which address, zone and values are theirs, and one person could be messaged twice. A few such"
    " rows are set aside, all of one key, and everybody else moves; if they are many, what reads"
    " the table does not run.",
    bad="key c.email     # two customers share an address",
    good="key c.customer_id",
    fence="text",
)

KEY_NULL = Code(
    id="JRN806",
    name="key-null",
    title="Rows without a key",
    why="A row without a key belongs to nobody and can be neither entered nor left again. A few are"
    " set aside, and everybody else moves; if they are many, what reads the table does not run.",
    bad="key c.customer_id     # null for guests",
    good="key c.customer_id\nonly where c.customer_id is known",
    fence="text",
)

INVALID_TIMEZONE = Code(
    id="JRN807",
    name="invalid-timezone",
    title="Customers whose time zone is no IANA name",
    why="Their local times are those of the zone behind `else` in the binding, so that messages"
    " may reach them at an odd hour. Everybody else is not concerned.",
    bad="a row with the time zone `Berlin`",
    good="a row with the time zone `Europe/Berlin`",
    severity=Severity.WARNING,
    fence="text",
)

PROJECT_NOT_FOUND = Code(
    id="JRN808",
    name="project-not-found",
    title="No project here or above",
    why="A project is the folder with `journey.toml`; it is looked for from the working folder"
    " upwards.",
    bad="journey check              # in a folder without a project",
    good="journey -C path/to/project check",
    fence="shell",
)

BAD_CONFIG = Code(
    id="JRN809",
    name="bad-config",
    title="journey.toml has something that is not understood",
    why="An unknown key is mostly a slip of the pen, and a setting that is silently ignored is"
    " worse than one that is refused.",
    bad='[env.dev]\ndatabse = "acme.duckdb"',
    good='[env.dev]\ndatabase = "acme.duckdb"',
    fence="toml",
)

SECRET_MISSING = Code(
    id="JRN810",
    name="secret-missing",
    title="A variable that the settings name is not set",
    why="Secrets are named in journey.toml (`env:NAME`) and kept in the environment.",
    bad="journey run prod               # DATABASE_URL is not set",
    good="DATABASE_URL=… journey run prod",
    fence="shell",
)

SMTP_UNAVAILABLE = Code(
    id="JRN811",
    name="smtp-unavailable",
    title="The SMTP server does not answer or does not let anybody in",
    why="No message was handed over, and none is lost: all of them stay queued and are tried"
    " again by the next delivery.",
    bad='host = "smtp.acme.exmaple"',
    good='host = "smtp.acme.example"',
    fence="toml",
)

RECIPIENT_REFUSED = Code(
    id="JRN812",
    name="recipient-refused",
    title="The provider refused one recipient",
    why="The message is marked as bounced or failed, with the provider's words. All other"
    " messages go on.",
    bad="550 5.1.1 no such user",
    good="250 2.1.5 ok",
    severity=Severity.WARNING,
    fence="text",
)

TEMPLATE_FAILED = Code(
    id="JRN813",
    name="template-failed",
    title="A message could not be made",
    why="Its template fails for that customer, or the address is none. It is set aside; never does"
    " a blank or half a message go out. If a template fails for many, the journey pauses.",
    bad="{{ customer.loyalty_points / customer.orders }}",
    good="{{ customer.loyalty_points / customer.orders if customer.orders else 0 }}",
    severity=Severity.WARNING,
    fence="jinja",
)

FILE_UNREADABLE = Code(
    id="JRN814",
    name="file-unreadable",
    title="A file cannot be read or written",
    why="It is a folder, a link to nothing, or not permitted. A check without one of the"
    " project's files would be a check of another project.",
    bad="journeys/welcome.journey -> ../old/welcome.journey     # is gone",
    good="journeys/welcome.journey",
    fence="text",
)

DATABASE_ERROR = Code(
    id="JRN815",
    name="database-error",
    title="The database refused a statement",
    why="The tick was rolled back: nothing of it has happened. The place is that of the journey's"
    " line from which the statement was made.",
    bad="field total: money(EUR) = o.total_text     # a text, not a number",
    good="field total: money(EUR) = o.total_amount",
    fence="text",
)

UNKNOWN_ENVIRONMENT = Code(
    id="JRN816",
    name="unknown-environment",
    title="journey.toml has no such environment",
    why="An environment says which database is meant and how messages leave it.",
    bad="journey run produciton",
    good="journey run production",
    fence="shell",
)

UNKNOWN_PROVIDER = Code(
    id="JRN817",
    name="unknown-provider",
    title="A channel is given to a provider that does not exist",
    why="Messages of the channel would have no way out. A provider is a folder under"
    " `providers/`, of the project or built in.",
    bad='channels = { email = "flie" }',
    good='channels = { email = "file" }',
    fence="toml",
)

BAD_PROVIDER = Code(
    id="JRN818",
    name="bad-provider",
    title="A provider's manifest is not understood",
    why="What a provider can do and how it is asked stands in its `provider.toml`; a manifest"
    " that is half understood would deliver half.",
    bad='kind = "htpp"',
    good='kind = "http"',
    fence="toml",
)

TICK_LOCKED = Code(
    id="JRN819",
    name="tick-locked",
    title="Another run is at work on this environment",
    why="One tick at a time moves people. A run that was killed gives its place up when its"
    " lease is over.",
    bad="journey run prod --every 1m     # twice at the same time",
    good="journey run prod --every 1m     # once",
    fence="shell",
)

JOURNEY_PAUSED = Code(
    id="JRN820",
    name="journey-paused",
    title="A guard has paused a journey",
    why="Something is not as its author said it has to be: more people than are usual would have"
    " entered, or too many complain. Exits act; nobody enters, nobody moves on and nothing of it"
    " is sent until `journey resume`. Without a guard on entries, a journey is paused when three"
    " times as many would enter in 24 hours as in any of the 14 days before, and more than 1,000.",
    bad="guard entries <= 5000 per 1d     # a segment suddenly matches everybody",
    good="journey resume winback           # behind what made it so",
    fence="text",
)

VALUE_UNREADABLE = Code(
    id="JRN821",
    name="value-unreadable",
    title="Values in a bound column that are none of what the binding says",
    why="Such a value is unknown to every condition, and a row whose instant can't be read does"
    " not count. The rest of the row, and everybody else, is not concerned.",
    bad="a row with the birth date `31.12.1980` in a column of text",
    good="a row with the birth date `1980-12-31`",
    severity=Severity.WARNING,
    fence="text",
)

DATABASE_NEWER = Code(
    id="JRN822",
    name="database-newer",
    title="A later release has changed the runtime's tables",
    why="Tables of the schema `journey` only go forward. What a later release keeps in them is not"
    " known here, so nothing was read and nothing was changed.",
    bad="journey run      # an older release, behind `journey run` of a later one",
    good="pip install --upgrade journeylang",
    fence="shell",
)

CHANNEL_PAUSED = Code(
    id="JRN823",
    name="channel-paused",
    title="A channel is paused, because too much of it came back",
    why="Of the messages of 24 hours, 200 at least, more bounced or were complained about than the"
    " channel's `max_bounces` and `max_complaints` allow. Mailbox providers stop a sender that"
    " goes on. Its messages wait, but for those that people have to be told.",
    bad="5,000 addresses of which nobody knows where they are from",
    good="journey resume email live --channel     # without them",
    severity=Severity.WARNING,
    fence="text",
)

CUSTOMERS_MISSING = Code(
    id="JRN824",
    name="customers-missing",
    title="Too many customers are missing at once",
    why="More than 100 runs, and more than half of all, are of people who are no longer in"
    " `customers`. So it looks when a table is loaded anew in several transactions, and a run that"
    " has ended does not begin again. The tick is undone and nothing is sent: nobody moves until"
    " they are back, or two ticks find that as many are missing and no longer too many, or a person"
    " says that they have left.",
    bad="DELETE FROM crm.customers;      -- and the new rows in another transaction",
    good="BEGIN; DELETE FROM crm.customers; INSERT INTO crm.customers SELECT …; COMMIT;",
    fence="sql",
)

RESTART_NEEDED = Code(
    id="JRN825",
    name="restart-needed",
    title="Settings have changed since the server began",
    why="`journey serve` follows what is applied later, and reads `journey.toml` once: its tokens,"
    " keys, providers and addresses are those of its start. Half of a new file is never served.",
    bad="a new `token` in journey.toml, and a server that goes on with the former one",
    good="systemctl restart journey-serve     # what comes in meanwhile is sent once more",
    severity=Severity.WARNING,
    fence="text",
)

NO_SUCH_CUSTOMER = Code(
    id="JRN829",
    name="no-such-customer",
    title="Nobody has this key",
    why="`journey why` takes a customer's key as the binding has it. A key of the wrong type is"
    " nobody's. Somebody who is no longer among the customers is still found by what the runtime"
    " has written about them.",
    bad="journey why ada@shop.example     # the key is a number",
    good="journey why 4711",
    fence="shell",
)

EXTRA_MISSING = Code(
    id="JRN830",
    name="extra-missing",
    title="A part of the package is not installed",
    why="What not everybody needs comes as an extra, so that the rest starts quickly and anywhere.",
    bad="pip install journeylang                 # and then `journey serve`",
    good="pip install 'journeylang[server]'",
    fence="shell",
)

CODES = family(globals())
