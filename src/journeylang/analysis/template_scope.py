"""What a template may use besides the names that its step gives.

The renderer has the same names; a test compares the two.
"""

GIVEN = frozenset(
    {
        "customer",
        "profile",
        "entry",
        "journey",
        "step",
        "link",
        "qr",
        "unsubscribe_url",
        "preference_url",
        "answer_url",
        "response_code",
    }
)
"""Names in every template. Of `customer`, `profile` and `entry` it is the fields that count."""

GLOBALS = frozenset({"range"})
"""Of Jinja's own functions the one that stays; the others fill the memory or tell nothing."""

FILTERS = frozenset(
    {
        *("money", "date", "number"),
        *("abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape"),
        *("first", "float", "forceescape", "groupby", "int", "items", "join", "last", "length"),
        *("list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse"),
        *("round", "safe", "select", "selectattr", "sort", "string", "striptags", "sum"),
        *("title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
    }
)
"""The first three write by the customer's locale; the others are Jinja's that cannot run away."""

EXTENSIONS = ("html", "mjml", "txt", "md")
"""Of template files, in the order in which they are looked for."""

FRONT_MATTER = ("subject", "preheader", "from", "reply_to")
"""Keys between the `---` lines; their values are templates themselves."""

LARGEST = 512 * 1024
"""Characters of the largest template file that is rendered."""
