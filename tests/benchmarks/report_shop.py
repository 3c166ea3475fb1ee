"""A shop whose journey has run for a month: what reports are measured on.

A customer signs up within the first twenty days and goes through the journey in twice-daily ticks;
orders lie in the quarter before the start and in the month behind it. What providers tell of
messages is written between the ticks.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from journeylang.api import Runtime, load
from tests.benchmarks.population import ZONES, scatter

START = datetime(2026, 3, 2)  # noqa: DTZ001 -- instants are UTC without a zone
STEP = timedelta(hours=12)
DAYS = 32
PROJECT = Path(__file__).parent / "reported"
DATABASE = "benchmark.duckdb"

# Of a hundred messages so many; a message may be opened and clicked, or bounced.
FEEDBACK = (("opened", 0, 40), ("clicked", 0, 8), ("bounced", 97, 99), ("unsubscribed", 8, 9))


def create(root: Path, customers: int, orders: int) -> Path:
    """The project's folder, with everything that a report reads in its database."""
    project = root / "reported"
    shutil.copytree(PROJECT, project)
    with duckdb.connect(project / DATABASE) as connection:
        for statement in _shop(customers, orders):
            connection.execute(statement)
    loaded = load(project, "dev").outcome.value
    assert loaded is not None
    runtime = Runtime.open(loaded, "dev", now=START - STEP).value
    assert runtime is not None
    with runtime, duckdb.connect(project / DATABASE) as beside:
        for number in range(2 * DAYS):
            now = START + number * STEP
            runtime.tick(now)
            _tell(beside, now)
        beside.execute("UPDATE journey.batch SET done = TRUE")
        beside.execute("CHECKPOINT")
    return project


def _shop(customers: int, orders: int) -> tuple[str, ...]:
    zones = ", ".join(f"'{zone}'" for zone in ZONES)
    start = f"TIMESTAMP '{START}'"
    before = f"{start} - INTERVAL 90 DAY"
    return (
        *scatter(),
        "CREATE SCHEMA shop",
        f"""CREATE TABLE shop.customers AS
SELECT i AS customer_id,
  CASE WHEN scatter(i, 1) % 100 > 0
    THEN 'customer' || i || '@mail' || scatter(i, 11) % 20 || '.example' END AS email,
  list_extract([{zones}], CAST(1 + scatter(i, 2) % {len(ZONES)} AS INTEGER)) AS tz,
  CASE WHEN scatter(i, 4) % 10 = 0 THEN 'gold' ELSE 'basic' END AS tier
FROM range(1, {customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.consents AS
SELECT i AS customer_id, 'email' AS topic,
  CASE WHEN scatter(i, 5) % 50 > 0 THEN 'opt_in' ELSE 'opt_out' END AS status,
  {before} AS changed_at
FROM range(1, {customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.signups AS
SELECT i AS signup_id, 1 + i * 7919 % {customers} AS customer_id,
  {start} + to_microseconds(i * {20 * 86_400_000_000 // customers}) AS signed_up_at
FROM range(1, {customers} + 1) AS t(i)""",
        f"""CREATE TABLE shop.orders AS
SELECT i AS order_id, 1 + scatter(i, 8) % {customers} AS customer_id,
  {before} + to_microseconds(i * {125 * 86_400_000_000 // orders}) AS placed_at,
  CAST(1 + (scatter(i, 9) % 20000) / 100.0 AS DECIMAL(18, 4)) AS total,
  CAST((scatter(i, 9) % 9000) / 100.0 AS DECIMAL(18, 4)) AS goods
FROM range(1, {orders} + 1) AS t(i)""",
    )


def _tell(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """What the provider says of the messages decided at `now`."""
    scattered = "(m.customer_id * 2654435761 % 4294967296 + m.message_id) % 100"
    for name, low, high in FEEDBACK:
        connection.execute(
            f"""INSERT INTO journey.message_event
  (customer_id, message_id, provider, event_id, name, "at", data)
SELECT m.customer_id, m.message_id, 'benchmark', '{name}' || m.message_id, '{name}',
  m.decided_at + to_seconds(600 + {scattered} * 1000), '{{}}'
FROM journey.message AS m
WHERE m.decided_at = $now AND {scattered} >= {low} AND {scattered} < {high}""",
            {"now": now},
        )
    connection.execute(
        """INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at", given_back)
SELECT m.customer_id, m.message_id, 1, 'delivered', m.decided_at + INTERVAL 60 SECOND, FALSE
FROM journey.message AS m WHERE m.decided_at = $now""",
        {"now": now},
    )
