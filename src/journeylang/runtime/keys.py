"""Customer keys as the runtime's tables have them: what somebody names, and names of nobody."""

from __future__ import annotations

import re
import secrets
from uuid import UUID, uuid4

from journeylang.sql.dialects import text

_BITS = {"SMALLINT": 15, "INTEGER": 31, "UINTEGER": 32, "BIGINT": 63, "UBIGINT": 64, "HUGEINT": 127}
"""Types of whole numbers, and with how many bits they count."""

_NUMBER = re.compile(r"-?[0-9]{1,40}")


def key_literal(key: str, kind: str) -> str | None:
    """A customer's key as SQL of the key's type; None if it can be none."""
    kind = kind.upper()
    if kind in _BITS:
        if not _NUMBER.fullmatch(key) or abs(int(key)) >= 2 ** _BITS[kind]:
            return None
        return str(int(key))
    if kind == "UUID":
        try:
            return f"CAST('{UUID(key)}' AS UUID)"
        except ValueError:
            return None
    return text(key)


def nobody(kind: str) -> str:
    """A key by chance that no customer has, as far as one can tell; as text.

    Numbers are below zero where the type has such.
    """
    kind = kind.upper()
    if kind in _BITS:
        chosen = secrets.randbelow(2 ** (_BITS[kind] - 1))
        if kind in {"UINTEGER", "UBIGINT"}:
            return str(2 ** _BITS[kind] - 1 - chosen)
        return str(-1 - chosen)
    return str(uuid4()) if kind == "UUID" else f"forgotten {secrets.token_hex(12)}"
