"""Drawing in a database that many tests share: by the customer's own name, or as assigned.

In the database a customer's key has more to it than the test gives: a number, since two tests may
mean the same name, and the bucket under each salt for which the test assigns something. Whatever
is drawn, is drawn from that key alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5

from journeylang.sql.dialects import Dialect

_MARK = "\x1f"
"""Separates the parts of a key; nothing that people write has it."""
_DIGITS = 12


def key_with(key: str, number: int, buckets: Mapping[str, int]) -> str:
    """A key of its own for the customer of a test; `buckets` are those assigned, by salt."""
    assigned = "".join(f"{_MARK}{_short(salt)}={bucket}" for salt, bucket in buckets.items())
    return f"{key}{_MARK}{number}{assigned}"


def is_plain(key: str) -> bool:
    """Whether more can be said in a key."""
    return _MARK not in key


class AssignedDialect(Dialect):
    """DuckDB's, where a customer's bucket stands in the key if it was assigned."""

    def drawn(self, salt: str, key: str) -> str:
        """See `Dialect`."""
        key = self.as_text(key)
        named = f"'{_MARK}' || substr(md5({salt}), 1, {_DIGITS}) || '=([0-9]+)'"
        assigned = f"TRY_CAST(regexp_extract({key}, {named}, 1) AS INTEGER)"
        own = super().drawn(salt, f"split_part({key}, '{_MARK}', 1)")
        return f"coalesce({assigned}, {own})"


def _short(salt: str) -> str:
    return md5(salt.encode(), usedforsecurity=False).hexdigest()[:_DIGITS]
