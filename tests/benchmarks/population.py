"""A made-up shop of any size, for whoever measures something.

Everything is arithmetic on the row's number, so that the same size gives the same tables on
every machine and every version of the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo")

# A 32-bit integer hash (two rounds of multiply and xor-shift) of a row's number and a purpose.
_SCATTER = (
    """CREATE TEMP MACRO fold(x) AS xor(x, x >> 16) * 73244475 % 4294967296""",
    """CREATE TEMP MACRO scatter(number, purpose) AS
fold(fold((number * 31 + purpose) * 2654435761 % 4294967296))""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How many rows, and the instant (UTC, naive) up to which everything has happened.

    Sign-ups lie in the hour before `until`, one a customer; purchases in the 400 days before it.
    """

    customers: int
    purchases: int = 0
    until: datetime = datetime(2026, 3, 2, 10)  # noqa: DTZ001 -- instants are UTC without a zone


def create(path: Path, population: Population) -> None:
    """Write the shop into a new DuckDB file: schema `shop`, four tables.

    Of the customers 80 % have a `score` under 80, 1 % have no address and 2 % no consent; 10 %
    are of tier `gold`. A purchase is worth 1 to 201.
    """
    with duckdb.connect(path) as connection:
        for statement in (*scatter(), *_tables(population)):
            connection.execute(statement)


def scatter() -> tuple[str, ...]:
    """Statements that define `scatter(number, purpose)`: 0 to 2^32 - 1, the same everywhere."""
    return _SCATTER


def _tables(population: Population) -> tuple[str, ...]:
    zones = ", ".join(f"'{zone}'" for zone in ZONES)
    until = f"TIMESTAMP '{population.until}'"
    return (
        "CREATE SCHEMA shop",
        f"""CREATE TABLE shop.customers AS
SELECT i AS customer_id,
  CASE WHEN scatter(i, 1) % 100 > 0 THEN 'customer' || i || '@shop.example' END AS email,
  list_extract([{zones}], CAST(1 + scatter(i, 2) % {len(ZONES)} AS INTEGER)) AS tz,
  CAST(scatter(i, 3) % 100 AS INTEGER) AS score,
  CASE WHEN scatter(i, 4) % 10 = 0 THEN 'gold' ELSE 'basic' END AS tier
FROM range(1, {population.customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.consents AS
SELECT i AS customer_id, 'email' AS topic,
  CASE WHEN scatter(i, 5) % 50 > 0 THEN 'opt_in' ELSE 'opt_out' END AS status,
  {until} - INTERVAL 1 DAY - to_seconds(scatter(i, 6) % 86400) AS changed_at
FROM range(1, {population.customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.signups AS
SELECT i AS signup_id, i AS customer_id,
  {until} - to_seconds(scatter(i, 7) % 3600) AS signed_up_at
FROM range(1, {population.customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.orders AS
SELECT i AS order_id, 1 + scatter(i, 8) % {population.customers} AS customer_id,
  {until} - to_seconds(scatter(i, 9) % (400 * 86400)) AS placed_at,
  CAST(1 + (scatter(i, 10) % 20000) / 100.0 AS DECIMAL(18, 4)) AS total
FROM range(1, {population.purchases} + 1) AS t(i)""",
    )
