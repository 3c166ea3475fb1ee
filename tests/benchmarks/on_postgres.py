"""The same shops on PostgreSQL, and what a server spends on one: its processes' CPU time.

The server is the tests' own (`tests.engines.server`): no write is waited for, so that what is
compared is work and not the disk. Each database is given the `work_mem` that docs/operations.md
recommends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.benchmarks.measure import Side
from tests.engines.server import new_database, server

Connection = psycopg.Connection[Any]

WORK_MEM = "64MB"
_TICKS = os.sysconf("SC_CLK_TCK")
_TYPES = {"INTEGER": "integer", "BIGINT": "bigint", "VARCHAR": "text", "TIMESTAMP": "timestamp"}


def connect(url: str) -> Connection:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(
        "SET TimeZone = 'UTC'; SET jit = off; SET default_statistics_target = 10;"
        " SET temp_buffers = '64MB'"
    )
    return connection


def copied(shop: Path, indexes: Sequence[str]) -> str:
    """The URL of a new database with the tables of a DuckDB file's schema `shop`, and indexes."""
    url = new_database()
    name = url.partition("?")[0].rpartition("/")[2]
    with duckdb.connect(shop, read_only=True) as origin, connect(url) as connection:
        connection.execute(f"ALTER DATABASE \"{name}\" SET work_mem = '{WORK_MEM}'")
        connection.execute("CREATE SCHEMA shop")
        tables = origin.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'shop' ORDER BY 1"
        ).fetchall()
        for (table,) in tables:
            copy_table(origin, connection, f"shop.{table}")
        for index in indexes:
            connection.execute(f"CREATE INDEX ON shop.{index}")
        connection.execute("VACUUM ANALYZE")
    return url


def copy_table(
    origin: duckdb.DuckDBPyConnection, connection: Connection, table: str, *, create: bool = True
) -> None:
    """The rows of a table, as `schema.name`; it is made, or there with the same columns."""
    columns = origin.execute(f"DESCRIBE {table}").fetchall()
    if create:
        listed = ", ".join(f"{name} {_TYPES.get(kind, kind)}" for name, kind, *_ in columns)
        connection.execute(f"CREATE TABLE {table} ({listed})")
    names = ", ".join(f'"{name}"' for name, *_ in columns)
    folder = Path(tempfile.mkdtemp())
    try:
        file = folder / "rows.csv"
        origin.execute(f"COPY {table} TO '{file}' (HEADER FALSE)")
        with (
            file.open("rb") as rows,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy,
        ):
            while block := rows.read(1 << 20):
                copy.write(block)
    finally:
        shutil.rmtree(folder)


def server_seconds() -> float:
    """CPU seconds of the server so far: of its processes, and of those that have ended."""
    parent = server().process.pid
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        mine = int(stat.parent.name) == parent
        if mine or int(fields[1]) == parent:
            total += sum(map(int, fields[11:13]))
        if mine:
            total += sum(map(int, fields[13:15]))
    return total / _TICKS


def timed(side: Side, work: Callable[[], None]) -> None:
    """Add a round to the side: by the clock, and CPU seconds of this process and the server."""
    there, mine, wall = server_seconds(), time.process_time(), time.perf_counter()
    work()
    side.wall.append(time.perf_counter() - wall)
    mine = time.process_time() - mine
    side.cpu.append(mine + server_seconds() - there)
