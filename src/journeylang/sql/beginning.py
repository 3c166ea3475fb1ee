"""What a tick has to know of those who set out, before it moves them on: one question for all.

Each of the questions is small, and costs a database more to begin than to answer.
"""

from __future__ import annotations

from journeylang.model.binding import Binding
from journeylang.sql.dialects import Dialect
from journeylang.sql.relations import customers

SITUATION = (
    "EXISTS (SELECT 1 FROM journey.consent_change)",
    "EXISTS (SELECT 1 FROM journey.suppression)",
    "EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back)",
)
"""What may stand against a send: the fields of a `Situation`, in their order."""


def fates(d: Dialect) -> str:
    """What the rows of the round {round} are, each combination once.

    -> journey, fate, edge, step, leaf.
    """
    return (
        "SELECT DISTINCT journey, fate, edge, step, leaf FROM trail"
        f" WHERE round = {d.parameter('round')}"
    )


def zones(binding: Binding, d: Dialect, among: str | None = None) -> str:
    """The zone names of the customers of a table, or of all, as they stand there. -> zone."""
    base = customers(binding, d, ("timezone",))
    only = f" WHERE c.customer_id IN (SELECT customer_id FROM {among})" if among else ""
    return f'SELECT DISTINCT c."_zone" FROM {base} AS c{only}'


def beginning(binding: Binding, d: Dialect, *, zoned: bool, situation: bool) -> str:
    """Those questions at once; {round}. -> what, journey, fate, edge, step, leaf, zone.

    A row tells 0: a fate; 1: a zone; 2: the situation, in the columns from `journey` on.
    """
    parts = [f"SELECT 0 AS what, f.*, CAST(NULL AS VARCHAR) AS zone FROM ({fates(d)}) AS f"]
    if zoned:
        found = zones(binding, d, "trail")
        parts.append(f'SELECT 1, NULL, NULL, NULL, NULL, NULL, z."_zone" FROM ({found}) AS z')
    if situation:
        told = ", ".join(f"CASE WHEN {one} THEN 1 ELSE 0 END" for one in SITUATION)
        parts.append(f"SELECT 2, {told}, NULL, NULL, NULL")
    return "\nUNION ALL ".join(parts)
