"""Values that nobody expects in a table, by the type of the column that holds them.

Each is a text; it is stored as it is in a column of text, else as what the database makes of it.
"""

from __future__ import annotations

TEXTS = {
    "null": None,
    "empty": "",
    "blank": "   ",
    "the word null": "NULL",
    "nul": "a\0b",
    "only nul": "\0",
    "surrogate": "\ud800",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "right to left": "\u202eabc\u202c \u05d0\u05d1",
    "line separator": "a\u2028b\u2029c",
    "vertical tab": "a\vb\fc\x1cd",
    "crlf": "a@x.example\r\nBcc: b@x.example",
    "controls": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "combining": "e" + "\u0301" * 500,
    "marks": "\ufeffa\uffff\U0010ffff",
    "full width": "１２３",
    "quotes": "' \" ` '' \\' $$ $1 $now",
    "comment": "'; DROP TABLE journey.run; -- /*",
    "percent": "100% %s %(now)s {0} {{ 1 }} {% if %}",
    "backslash": "\\ \\x00 \\u0000 \\N",
    "json object": '{"a": 1, "$.a": {"b": [null]}}',
    "json list": "[1, 2",
    "json text": '"\\ud800"',
    "long": "x" * 100_000,
    "no address": "nobody at all",
    "two addresses": "a@x.example, b@x.example",
    "invalid zone": "Mars/Olympus",
    "path": "../../etc/passwd",
    "zone in small letters": "europe/berlin",
    "zone with a line": "Europe/Berlin\n",
    "zone of a machine": "posixrules",
    "zone that is a folder": "America/Argentina",
    "true": "true",
    "yes": "y",
    "huge number": "1e400",
    "huge negative": "-1e400",
    "many digits": "9" * 400,
    "not a number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-infinity",
    "negative zero": "-0.0",
    "negative": "-1",
    "least int": str(-(2**63)),
    "beyond int": str(2**63),
    "hexadecimal": "0x10",
    "underscored": "1_000",
    "comma": "1,50",
    "fifth decimal": "0.00005",
    "tiny": "5e-324",
    "first year": "0001-01-01",
    "last year": "9999-12-31 23:59:59.999999",
    "year 10000": "10000-01-01",
    "before Christ": "0044-03-15 BC",
    "no such day": "2026-02-30",
    "epoch": "epoch",
    "today": "today",
    "day before month": "31.12.2026",
    "end of day": "24:00:00",
    "odd offset": "2026-03-02T08:00:00+25:00",
    "named zone": "2026-03-02 08:00:00 Europe/Berlin",
    "nanoseconds": "2026-03-02 08:00:00.123456789",
}

_INTS = ("null", "negative", "least int", "infinity")
_ENDS = (
    *("null", "infinity", "minus infinity", "first year", "last year", "year 10000"),
    *("before Christ", "epoch"),
)
STORED = {
    "BIGINT": (*_INTS, "true"),
    "DOUBLE": (*_INTS, "not a number", "minus infinity", "negative zero", "tiny", "huge number"),
    "DECIMAL(14,4)": ("null", "negative", "fifth decimal"),
    "DECIMAL(38,4)": ("null", "negative", "fifth decimal", "beyond int", "least int"),
    "BOOLEAN": ("null", "true"),
    "DATE": _ENDS,
    "TIMESTAMP": _ENDS,
    "TIME": ("null", "end of day"),
}
"""Which of them a column of another type may hold."""
MORE = {
    "BIGINT": {"greatest int": str(2**63 - 1), "zero": "0"},
    "DOUBLE": {"greatest": "1.7976931348623157e308", "least": "-1.7976931348623157e308"},
    "DECIMAL(14,4)": {"greatest": "9999999999.9999", "least": "-9999999999.9999"},
    "DECIMAL(38,4)": {"greatest": "9" * 34, "least": "-" + "9" * 34},
    "DATE": {"far": "5874897-12-31", "long ago": "4700-01-01 BC"},
    "TIMESTAMP": {"far": "294246-12-31 00:00:00", "long ago": "4700-01-01 00:00:00 BC"},
    "TIME": {"last": "23:59:59.999999", "first": "00:00:00"},
}


def values(kind: str) -> dict[str, str | None]:
    """What to try in a column of a type, by name."""
    if kind == "VARCHAR":
        return dict(TEXTS)
    return {name: TEXTS[name] for name in STORED[kind]} | MORE.get(kind, {})
