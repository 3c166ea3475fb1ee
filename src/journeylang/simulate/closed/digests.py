"""The engine's draws, as whole numbers from the start.

An md5 is hex digits elsewhere, and making a number of fifteen of them takes as long as the md5.
Here its bytes are one number already, and only have to be turned round. The number is named eight
times in that: where a digest stands in a branch of a CASE it would be made as often.
"""

from __future__ import annotations

from journeylang.simulate.population import SCHEMA
from journeylang.sql.dialects import text

_LOW = "CAST(md5_number(joined) & CAST(18446744073709551615 AS UHUGEINT) AS UBIGINT)"
_TURNED = " | ".join(f"((({_LOW} >> {8 * n}) & 255) << {8 * (7 - n)})" for n in range(8))

CREATE_FIRST60 = f"CREATE MACRO {SCHEMA}.first60(joined) AS CAST(({_TURNED}) >> 4 AS BIGINT)"
"""As the dialect's `hash60`."""


def first60(prefix: str, *parts: str) -> str:
    """The first 60 bits of an md5 over a constant and texts, joined by ':'; outside of a CASE.

    None of them may be NULL.
    """
    joined = ", ':', ".join(parts)
    return f"{SCHEMA}.first60(concat({text(prefix + ':')}, {joined}))"


def bucket(salt: str, key: str) -> str:
    """As the dialect's: 0 to 9999; outside of a CASE."""
    return f"({first60(salt, f'CAST({key} AS VARCHAR)')} % 10000)"
