"""The small shop behind the SQL of the documentation: what its statements are run on.

Forty customers, the demo's binding and policy, and the journey that docs/sql-views.md shows.
Half a month of ticks, twelve hours apart; messages become files.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from journeylang import resources
from journeylang.api import Runtime, load
from tests.docs.fences import ROOT, fences

JOURNEY = ROOT / "docs" / "sql-views.md"
PAGES = (JOURNEY, ROOT / "docs" / "operations.md")
FIRST = datetime.fromisoformat("2026-03-02T00:00")
LAST = datetime.fromisoformat("2026-03-14T12:00")

TABLES = """
CREATE SCHEMA crm; CREATE SCHEMA shop;
CREATE TABLE crm.customers AS
SELECT 'c' || lpad(i::VARCHAR, 2, '0') AS customer_id,
  CASE WHEN i % 8 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END AS tz, 'de-DE' AS lang,
  TIMESTAMP '2026-01-01' AS updated_at,
  CASE WHEN i % 13 <> 0 THEN 'person' || i || '@example.com' END AS email,
  CASE WHEN i % 3 = 0 THEN '+49151000' || i END AS mobile, NULL::VARCHAR AS push_token,
  'Person ' || i AS first_name, 'DE' AS country, 'basic' AS tier, i AS loyalty_points,
  NULL::TIMESTAMP AS deleted_at
FROM range(1, 41) AS r(i);
CREATE TABLE crm.consents AS
SELECT customer_id, topic, TIMESTAMP '2026-01-01' AS changed_at, 'opt_in' AS status,
  'form' AS source
FROM crm.customers, (VALUES ('email'), ('sms')) AS v(topic) WHERE loyalty_points % 9 <> 4;
CREATE TABLE shop.orders AS
SELECT 'o' || i AS order_id, 'c' || lpad(i::VARCHAR, 2, '0') AS customer_id,
  TIMESTAMP '2026-03-02 08:00' + to_minutes(45 * i) AS placed_at,
  (12 + i)::DECIMAL(10, 2) AS total_amount, 1 AS items, 'Colombia Huila' AS product,
  'paid' AS status
FROM range(1, 41) AS r(i)
UNION ALL
SELECT 'p' || i, 'c' || lpad(i::VARCHAR, 2, '0'),
  TIMESTAMP '2026-03-03 20:00' + to_hours(7 * i), 20.00, 1, 'Kenya Nyeri', 'paid'
FROM range(5, 41, 5) AS r(i);
CREATE TABLE crm.signups AS SELECT '' AS signup_id, customer_id, updated_at AS signed_up_at,
  'web' AS source FROM crm.customers LIMIT 0;
CREATE TABLE shop.carts AS SELECT '' AS event_id, customer_id, updated_at AS happened_at,
  0.00 AS total, '' AS product, '' AS kind FROM crm.customers LIMIT 0;
CREATE TABLE shop.visits AS SELECT '' AS visit_id, customer_id, updated_at AS visited_at,
  '' AS page FROM crm.customers LIMIT 0;
CREATE TABLE shop.app_sessions AS SELECT '' AS session_id, customer_id, updated_at AS opened_at
  FROM crm.customers LIMIT 0;
"""

TEMPLATES = {
    "refill/note.email.txt": "---\nsubject: Time for {{ coffee }}?\n---\n{{ unsubscribe_url }}\n",
    "refill/again.email.txt": "---\nsubject: Still time\n---\n{{ unsubscribe_url }}\n",
    "refill/again.sms.txt": "Still time for coffee. Reply STOP to end.\n",
}


def with_results(text: str) -> str:
    """The page with what each statement answers in the `text` fence behind it."""

    def answered(found: re.Match[str]) -> str:
        return f"```sql\n{found['sql']}```\n\n```text\n{answer(found['sql'])}\n```\n"

    return _ASKED.sub(answered, text)


_ASKED = re.compile(r"```sql\n(?P<sql>.*?)```\n\n```text\n.*?```\n", re.DOTALL)


@cache
def answer(sql: str) -> str:
    """The rows of a statement (a script's last one) as a table of text."""
    cursor = database().execute(sql)
    heads = [column[0] for column in cursor.description or ()]
    return shown(heads, cursor.fetchall())


def shown(heads: list[str], rows: list[tuple[Any, ...]]) -> str:
    """Columns as wide as their widest value, numbers to the right."""
    lines = [heads, *([_value(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [_numbers([row[n] for row in rows]) for n in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _numbers(values: list[object]) -> bool:
    return bool(values) and all(isinstance(value, int | float | Decimal) for value in values)


def _value(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case _:
            return str(value)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """The shop after its ticks, in memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "project" / "acme.duckdb"
        file.parent.mkdir()
        run(file.parent, file)
        copied = duckdb.connect(":memory:")
        copied.execute(f"ATTACH '{file}' AS made (READ_ONLY)")
        copied.execute("COPY FROM DATABASE made TO memory; DETACH made")
    copied.execute("SET TimeZone = 'UTC'")
    return copied


def run(root: Path, file: Path) -> None:
    """Make the project in `root` and tick it to its end."""
    with duckdb.connect(file) as connection:
        connection.execute(TABLES)
    (root / "journeys").mkdir()
    shutil.copyfile(resources.journeys() / "journey.toml", root / "journey.toml")
    for name in ("binding", "policy"):
        shutil.copyfile(
            resources.journeys() / f"{name}.journey", root / "journeys" / f"{name}.journey"
        )
    journey = next(fence for fence in fences(JOURNEY) if fence.language == "journey")
    (root / "journeys" / "refill.journey").write_text(journey.text, encoding="utf-8")
    for path, text in TEMPLATES.items():
        target = root / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    loading = load(root, "dev")
    assert loading.outcome.ok, loading.diagnostics
    assert loading.outcome.value is not None
    opened = Runtime.open(loading.outcome.value, "dev", now=FIRST)
    assert opened.value is not None, opened.diagnostics
    with opened.value as runtime:
        for result in runtime.ticks(FIRST, LAST, timedelta(hours=12)):
            runtime.deliver(result.now)
        assert not [p for p in runtime.problems if p.is_error], runtime.problems
