"""The statements of the lease in `journey.lock`, for databases with several processes.

Instants are the database's own: the clocks of two machines may differ, and those of ticks may
be virtual.
"""

from __future__ import annotations

_NOW = "CAST(clock_timestamp() AS TIMESTAMP)"

TAKE = f"""UPDATE journey.lock SET holder = $holder,
  lease_until = {_NOW} + $seconds * INTERVAL '1' SECOND
WHERE name = 'tick' AND (holder IS NULL OR holder = $holder OR lease_until <= {_NOW})
RETURNING token"""
"""{holder, seconds} -> one row, if nobody else holds it."""

OTHER = f"""SELECT holder FROM journey.lock
WHERE name = 'tick' AND holder <> $holder AND lease_until > {_NOW}"""
"""{holder} -> who else has it, without waiting for a tick that is going on."""

GIVE_BACK = """UPDATE journey.lock SET holder = NULL, lease_until = NULL
WHERE name = 'tick' AND holder = $holder"""


def bounded(seconds: float) -> str:
    """A transaction in which nothing happens for so long is ended, and a row that another one
    has is waited for twice as long."""
    span = int(seconds * 1000)
    return f"SET idle_in_transaction_session_timeout = {span}; SET lock_timeout = {2 * span}"
