"""The shop of dry runs: sign-ups in the month behind the start, orders in the year before it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from tests.benchmarks.population import ZONES, scatter

START = datetime(2026, 3, 2)  # noqa: DTZ001 -- instants are UTC without a zone
FIVE = ("cart", "news", "start", "thanks", "winback")


def create_dry(path: Path, customers: int) -> None:
    """Write the shop into a new DuckDB file.

    Everybody signs up once within the thirty days behind START, and has had one order a year
    before it, on average. Of the customers 1 % have no address, 2 % no consent, and half can be
    reached by push.
    """
    zones = ", ".join(f"'{zone}'" for zone in ZONES)
    start = f"TIMESTAMP '{START}'"
    statements = (
        *scatter(),
        "CREATE SCHEMA shop",
        f"""CREATE TABLE shop.customers AS
SELECT i AS customer_id,
  CASE WHEN scatter(i, 1) % 100 > 0 THEN 'customer' || i || '@shop.example' END AS email,
  CASE WHEN scatter(i, 2) % 2 = 0 THEN 'device' || i END AS push_token,
  list_extract([{zones}], CAST(1 + scatter(i, 3) % {len(ZONES)} AS INTEGER)) AS tz,
  {start} - INTERVAL 400 DAY AS changed_at
FROM range(1, {customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.consents AS
SELECT i AS customer_id, 'email' AS topic,
  CASE WHEN scatter(i, 4) % 50 > 0 THEN 'opt_in' ELSE 'opt_out' END AS status,
  {start} - INTERVAL 400 DAY AS changed_at
FROM range(1, {customers} + 1) AS t(i)""",
        # As they come in: by time.
        f"""CREATE TABLE shop.signups AS
SELECT i AS signup_id, 1 + i * 7919 % {customers} AS customer_id,
  {start} + to_microseconds(i * {30 * 86_400_000_000 // customers}) AS signed_up_at
FROM range(1, {customers} + 1) AS t(i)""",
        "CREATE TABLE shop.carts (cart_id BIGINT, customer_id BIGINT, left_at TIMESTAMP)",
        f"""CREATE TABLE shop.orders AS
SELECT i AS order_id, 1 + scatter(i, 8) % {customers} AS customer_id,
  {start} - to_microseconds(({customers} - i) * {360 * 86_400_000_000 // customers}) AS placed_at,
  CAST(1 + (scatter(i, 9) % 20000) / 100.0 AS DECIMAL(18, 4)) AS total
FROM range(1, {customers} + 1) AS t(i)""",
    )
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
