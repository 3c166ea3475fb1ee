# ruff: noqa: T201
"""Load the CDNOW purchases into DuckDB: `python load.py CDNOW_master.txt cdnow.duckdb`.

The file has a header and then one purchase a line, in columns of fixed width:

     00001 19970101  1   11.77

customer, date, number of CDs, dollars. It names no person and no hour, so what a journey needs
besides is made up here, from the customer's number and the line's alone, the same every time:

- address: `customer00001@cdnow.example`, none for those whose number mod 40 is 5;
- time zone by number mod 20: 0-6 New York, 7-11 Chicago, 12-16 Los Angeles, 17 St John's,
  18 London, 19 unknown (NULL);
- consent: given on 1996-12-31, never by those whose number mod 25 is 11, and taken back at
  noon (UTC) of 1998-01-15 by those whose number mod 20 is 3;
- hour: line n of the purchases happens 7919 n mod 50400 seconds after 08:00 of its date, in the
  customer's zone (Chicago if unknown);
- key of a purchase: its line's number, from 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

STATEMENTS = (
    "SET TimeZone = 'UTC'",
    "CREATE SCHEMA shop",
    # One text column a line: the separator is a character that no such file holds.
    """CREATE TEMP TABLE line AS
SELECT row_number() OVER () AS number, trim(line) AS line
FROM read_csv($path, header = false, skip = 1, delim = chr(1), quote = '', escape = '',
  columns = {'line': 'VARCHAR'})""",
    """CREATE TEMP TABLE parsed AS
SELECT number,
  CAST(substr(line, 1, 5) AS INTEGER) AS customer_id,
  strptime(substr(line, 7, 8), '%Y%m%d') AS bought_on,
  CAST(trim(substr(line, 15, 3)) AS INTEGER) AS discs,
  CAST(trim(substr(line, 18)) AS DECIMAL(18, 4)) AS amount
FROM line WHERE line <> ''""",
    """CREATE TABLE shop.customers AS
SELECT customer_id,
  CASE WHEN customer_id % 40 <> 5
    THEN 'customer' || lpad(CAST(customer_id AS VARCHAR), 5, '0') || '@cdnow.example' END AS email,
  CASE WHEN customer_id % 20 <= 6 THEN 'America/New_York'
    WHEN customer_id % 20 <= 11 THEN 'America/Chicago'
    WHEN customer_id % 20 <= 16 THEN 'America/Los_Angeles'
    WHEN customer_id % 20 = 17 THEN 'America/St_Johns'
    WHEN customer_id % 20 = 18 THEN 'Europe/London' END AS timezone
FROM (SELECT DISTINCT customer_id FROM parsed) ORDER BY customer_id""",
    """CREATE TABLE shop.purchases AS
SELECT p.number AS purchase_id, p.customer_id,
  timezone('UTC', timezone(coalesce(c.timezone, 'America/Chicago'),
    p.bought_on + INTERVAL 8 HOUR + to_seconds(p.number * 7919 % 50400))) AS purchased_at,
  p.discs, p.amount
FROM parsed AS p JOIN shop.customers AS c ON c.customer_id = p.customer_id
ORDER BY p.number""",
    """CREATE TABLE shop.consents AS
SELECT customer_id, 'opt_in' AS status, TIMESTAMP '1996-12-31 00:00:00' AS changed_at
FROM shop.customers WHERE customer_id % 25 <> 11
UNION ALL
SELECT customer_id, 'opt_out', TIMESTAMP '1998-01-15 12:00:00'
FROM shop.customers WHERE customer_id % 20 = 3
ORDER BY customer_id, changed_at""",
)


def load(source: Path, database: Path) -> tuple[int, int]:
    """Write schema `shop` into a new database; returns how many customers and purchases."""
    with duckdb.connect(database) as connection:
        for statement in STATEMENTS:
            connection.execute(statement, {"path": str(source)} if "$path" in statement else {})
        counted = connection.execute(
            "SELECT (SELECT count(*) FROM shop.customers), (SELECT count(*) FROM shop.purchases)"
        ).fetchone()
    assert counted is not None
    return counted[0], counted[1]


def main(arguments: list[str]) -> int:
    match arguments:
        case [source, database] if not Path(source).is_file():
            print(f"load.py: there is no file {source}", file=sys.stderr)
        case [source, database] if Path(database).exists():
            print(f"load.py: {database} is already there; remove it to load anew", file=sys.stderr)
        case [source, database]:
            customers, purchases = load(Path(source), Path(database))
            print(f"{database}: {customers:,} customers, {purchases:,} purchases")
            return 0
        case _:
            print("usage: python load.py CDNOW_master.txt OUT.duckdb", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
