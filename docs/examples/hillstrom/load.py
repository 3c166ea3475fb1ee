# ruff: noqa: T201
"""Load Hillstrom's e-mail challenge into DuckDB: `python load.py hillstrom.csv hillstrom.duckdb`.

64,000 customers, drawn at random into three groups (column `segment`): mailed about men's
merchandise, about women's, not mailed; and whether each visited and bought within two weeks.
The file has neither keys nor addresses nor instants, so these are made up, always the same:

- key: the row's number, from 1; address: `customer1@hillstrom.example`;
- the mails go out on 2008-03-03 15:00 UTC (10:00 in New York);
- customer n who visits does so 1 + (7919 n mod 13 days) after that, to the second, and who buys
  does so 60 + (104729 n mod 3600) seconds later.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

STATEMENTS = (
    "SET TimeZone = 'UTC'",
    "CREATE SCHEMA shop",
    """CREATE TEMP TABLE line AS
SELECT row_number() OVER () AS customer_id, *
FROM read_csv($path, header = true, columns = {'recency': 'INTEGER',
  'history_segment': 'VARCHAR', 'history': 'DECIMAL(18,4)', 'mens': 'INTEGER',
  'womens': 'INTEGER', 'zip_code': 'VARCHAR', 'newbie': 'INTEGER', 'channel': 'VARCHAR',
  'segment': 'VARCHAR', 'visit': 'INTEGER', 'conversion': 'INTEGER', 'spend': 'DECIMAL(18,4)'})""",
    """CREATE TABLE shop.customers AS
SELECT customer_id, 'customer' || customer_id || '@hillstrom.example' AS email, recency,
  history_segment, history, mens = 1 AS mens, womens = 1 AS womens, zip_code,
  newbie = 1 AS newbie, channel, segment
FROM line ORDER BY customer_id""",
    """CREATE TABLE shop.visits AS
SELECT customer_id AS visit_id, customer_id,
  TIMESTAMP '2008-03-03 15:00:00' + to_seconds(1 + customer_id * 7919 % (13 * 86400)) AS visited_at
FROM line WHERE visit = 1 ORDER BY customer_id""",
    """CREATE TABLE shop.purchases AS
SELECT v.customer_id AS purchase_id, v.customer_id,
  v.visited_at + to_seconds(60 + v.customer_id * 104729 % 3600) AS purchased_at, l.spend
FROM shop.visits AS v JOIN line AS l ON l.customer_id = v.customer_id
WHERE l.conversion = 1 ORDER BY v.customer_id""",
)


def load(source: Path, database: Path) -> tuple[int, int, int]:
    """Write schema `shop` into a new database; counts customers, visits and purchases."""
    with duckdb.connect(database) as connection:
        for statement in STATEMENTS:
            connection.execute(statement, {"path": str(source)} if "$path" in statement else {})
        counted = connection.execute(
            "SELECT (SELECT count(*) FROM shop.customers), (SELECT count(*) FROM shop.visits),"
            " (SELECT count(*) FROM shop.purchases)"
        ).fetchone()
    assert counted is not None
    return counted[0], counted[1], counted[2]


def main(arguments: list[str]) -> int:
    match arguments:
        case [source, database] if not Path(source).is_file():
            print(f"load.py: there is no file {source}", file=sys.stderr)
        case [source, database] if Path(database).exists():
            print(f"load.py: {database} is already there; remove it to load anew", file=sys.stderr)
        case [source, database]:
            customers, visits, purchases = load(Path(source), Path(database))
            print(
                f"{database}: {customers:,} customers, {visits:,} visits, {purchases:,} purchases"
            )
            return 0
        case _:
            print("usage: python load.py hillstrom.csv OUT.duckdb", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
