"""How long a report takes over a month of a large shop, on DuckDB or PostgreSQL.

    python -m tests.benchmarks.report_run --customers 1000000 --orders 5000000
    python -m tests.benchmarks.report_run --customers 1000000 --orders 5000000 --engine postgres

writes the shop (see `report_shop`), runs `journey report` in a process of its own, and prints what
it used; `--html` for the page with its pictures. `--keep FOLDER` leaves the shop there, and takes
one that it finds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb

from journeylang.api import Runtime, load
from tests.benchmarks.measure import Finished, run
from tests.benchmarks.on_postgres import WORK_MEM, connect, copy_table, server_seconds
from tests.benchmarks.report_shop import DATABASE, START, STEP, create
from tests.engines.server import new_database

VARIABLE = "BENCHMARK_DATABASE"
INDEXES = ("customers (customer_id)", "orders (customer_id)", "orders (placed_at)")
TABLES = ("run", "transition", "message", "receipt", "message_event", "exposure", "decision")


def rows(project: Path) -> dict[str, int]:
    """How many rows there are of what a report reads."""
    with duckdb.connect(project / DATABASE, read_only=True) as connection:
        tables = {"orders": "shop.orders"} | {name: f"journey.{name}" for name in TABLES}
        found = {}
        for name, table in tables.items():
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert row is not None
            found[name] = int(row[0])
        return found


def on_postgres(project: Path) -> str:
    """A new database with everything that stands in the project's file, which it then is of."""
    url = new_database()
    name = url.partition("?")[0].rpartition("/")[2]
    config = project / "journey.toml"
    text = config.read_text(encoding="utf-8").replace(f'"{DATABASE}"', f'"env:{VARIABLE}"')
    config.write_text(text, encoding="utf-8")
    os.environ[VARIABLE] = url
    with duckdb.connect(project / DATABASE, read_only=True) as origin:
        with closing(connect(url)) as connection:
            connection.execute(f"ALTER DATABASE \"{name}\" SET work_mem = '{WORK_MEM}'")
            connection.execute("CREATE SCHEMA shop")
            for table in ("customers", "consents", "signups", "orders"):
                copy_table(origin, connection, f"shop.{table}")
            for index in INDEXES:
                connection.execute(f"CREATE INDEX ON shop.{index}")
        loaded = load(project, "dev").outcome.value
        assert loaded is not None
        runtime = Runtime.open(loaded, "dev", now=START - STEP).value
        assert runtime is not None
        runtime.close()
        with closing(connect(url)) as connection:
            for table in TABLES:
                copy_table(origin, connection, f"journey.{table}", create=False)
            now = origin.execute("SELECT now FROM journey.lock WHERE name = 'tick'").fetchone()
            assert now is not None
            connection.execute("UPDATE journey.lock SET now = %s", now)
            connection.execute("VACUUM ANALYZE")
    return url


def report(project: Path, *more: str) -> Finished:
    """`journey report` in a process of its own."""
    return run(["-m", "journeylang", "-C", str(project), "report", *more])


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=500_000)
    parser.add_argument("--engine", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--html", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--times", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        project = root / "reported"
        if not project.exists():
            create(root, asked.customers, asked.orders)
        counts = rows(project)
        if asked.engine == "postgres":
            on_postgres(project)
        for _ in range(asked.times):
            before = server_seconds() if asked.engine == "postgres" else 0.0
            done = report(project, *(("--output", "html") if asked.html else ()))
            there = server_seconds() - before if asked.engine == "postgres" else 0.0
            print(
                f"{asked.engine}: {done.cpu + there:.2f} s of CPU time, {done.wall:.1f} s by the"
                f" clock, {len(done.output.encode()):,} bytes, {done.peak / 2**20:,.0f} MiB held"
            )
        if asked.engine == "postgres":
            config = project / "journey.toml"
            text = config.read_text(encoding="utf-8").replace(f"env:{VARIABLE}", DATABASE)
            config.write_text(text, encoding="utf-8")
    print(f"{asked.customers:,} customers; {counts}")


if __name__ == "__main__":
    main()
