"""Customer keys as the runtime's tables have them: what somebody names, and names of nobody."""

from __future__ import annotations

import re
from datetime import date, datetime
from uuid import UUID, uuid4

from journeylang.sql.dialects import text

_SIGNED = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63, "HUGEINT": 127}
_UNSIGNED = {"UTINYINT": 8, "USMALLINT": 16, "UINTEGER": 32, "UBIGINT": 64, "UHUGEINT": 128}
_BITS = _SIGNED | _UNSIGNED
"""Types of whole numbers, and with how many bits they count."""

_NUMBER = re.compile(r"-?[0-9]{1,40}")

_DECIMAL = re.compile(r"(?:NUMERIC|DECIMAL)(?:\(([0-9]+)(?:, ?(-?[0-9]+))?\))?")
_FIGURES = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")

_DOUBLES = {"FLOAT", "REAL", "DOUBLE", "DOUBLE PRECISION"}

_LETTERS = re.compile(
    r"(?:CHARACTER VARYING|CHARACTER|VARCHAR|BPCHAR|TEXT|NAME|CITEXT)(?:\(([0-9]+)\))?"
)


def key_literal(key: str, kind: str) -> str | None:
    """A customer's key as SQL of the key's type; None if it can be none."""
    kind = kind.upper()
    if kind in _BITS:
        if not _NUMBER.fullmatch(key) or abs(int(key)) >= 2 ** _BITS[kind]:
            return None
        return str(int(key))
    if _DECIMAL.fullmatch(kind):
        return key if _FIGURES.fullmatch(key) else None
    if kind in _DOUBLES:
        return f"CAST('{key}' AS {kind})" if _FIGURES.fullmatch(key) else None
    try:
        if kind == "UUID":
            return f"CAST('{UUID(key)}' AS UUID)"
        if kind == "DATE":
            return f"DATE '{date.fromisoformat(key)}'"
        if kind.startswith("TIMESTAMP"):
            return f"CAST('{datetime.fromisoformat(key).isoformat(sep=' ')}' AS {kind})"
    except ValueError:
        return None
    return text(key)


def nobody(kind: str) -> str | None:
    """A key by chance that no customer has, as far as one can tell; as text.

    Numbers are below zero where the type has such. None: of the type none can be made that is
    not somebody's as likely as not, as of dates.
    """
    # Imports what signs and hashes, and who explains something makes no key.
    import secrets

    kind = kind.upper()
    if kind in _BITS:
        chosen = secrets.randbelow(2 ** (_BITS[kind] - 1))
        if kind in _UNSIGNED:
            return str(2 ** _BITS[kind] - 1 - chosen)
        return str(-1 - chosen)
    if decimal := _DECIMAL.fullmatch(kind):
        digits = min(18, int(decimal[1] or 18) - int(decimal[2] or 0))
        return str(-1 - secrets.randbelow(10**digits - 1)) if digits > 0 else None
    if letters := _LETTERS.fullmatch(kind):
        token = f"forgotten {secrets.token_hex(12)}"
        # The end is what differs.
        return token[-int(letters[1]) :] if letters[1] else token
    return str(uuid4()) if kind == "UUID" else None
