"""The shop of the month's journey: customers, a consent each, visits and orders around its start.

A third of the events lies ahead of the last tick and is found by nobody; opened mails come as
the journey goes on, from `open_mails`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from tests.benchmarks.population import ZONES, scatter

START = datetime(2026, 3, 2)  # noqa: DTZ001 -- instants are UTC without a zone
SPAN = timedelta(days=45)

# Of a hundred mails of a step so many are opened, within three days.
OPENED = 40


def create_month(path: Path, customers: int, events: int) -> None:
    """Write the shop into a new DuckDB file: a twentieth of the events are orders, the rest visits.

    They lie in the `SPAN` before START and the one behind it. Of the customers 1 % have no
    address, 2 % no consent, and half can be reached by push.
    """
    orders = events // 20
    zones = ", ".join(f"'{zone}'" for zone in ZONES)
    since = f"TIMESTAMP '{START - SPAN}'"
    seconds = int(2 * SPAN.total_seconds())
    statements = (
        *scatter(),
        "CREATE SCHEMA shop",
        f"""CREATE TABLE shop.customers AS
SELECT i AS customer_id,
  CASE WHEN scatter(i, 1) % 100 > 0 THEN 'customer' || i || '@shop.example' END AS email,
  CASE WHEN scatter(i, 2) % 2 = 0 THEN 'device' || i END AS push_token,
  list_extract([{zones}], CAST(1 + scatter(i, 3) % {len(ZONES)} AS INTEGER)) AS tz
FROM range(1, {customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.consents AS
SELECT i AS customer_id, 'email' AS topic,
  CASE WHEN scatter(i, 4) % 50 > 0 THEN 'opt_in' ELSE 'opt_out' END AS status,
  {since} - to_seconds(scatter(i, 5) % 86400) AS changed_at
FROM range(1, {customers} + 1) AS t(i)""",
        # As they come in: by time.
        f"""CREATE TABLE shop.visits AS
SELECT i AS visit_id, 1 + scatter(i, 6) % {customers} AS customer_id,
  {since} + to_microseconds(i * {seconds * 1_000_000 // max(events - orders, 1)}) AS visited_at
FROM range(1, {events - orders} + 1) AS t(i)""",
        f"""CREATE TABLE shop.orders AS
SELECT i AS order_id, 1 + scatter(i, 7) % {customers} AS customer_id,
  {since} + to_microseconds(i * {seconds * 1_000_000 // max(orders, 1)}) AS placed_at,
  CAST(1 + (scatter(i, 8) % 20000) / 100.0 AS DECIMAL(18, 4)) AS total
FROM range(1, {orders} + 1) AS t(i)""",
    )
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


def open_mails(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """What a provider tells in the days to come of the first mails that were decided at `now`."""
    scattered = "(m.customer_id * 2654435761 % 4294967296)"
    connection.execute(
        f"""INSERT INTO journey.message_event (customer_id, message_id, provider, event_id,
  name, "at")
SELECT m.customer_id, m.message_id, 'benchmark', 'opened' || m.message_id, 'opened',
  m.decided_at + to_seconds(600 + {scattered} % 259200)
FROM journey.message AS m JOIN journey.step AS s ON s.step = m.step
WHERE m.decided_at = $now AND s.path LIKE 'subject/%' AND {scattered} // 7 % 100 < {OPENED}""",
        {"now": now},
    )
