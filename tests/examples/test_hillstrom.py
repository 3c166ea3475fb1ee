"""Hillstrom's mail test: loaded, run, and counted against the file itself.

The file here is a made-up one of the same form. With `JOURNEY_HILLSTROM` set to the path of the
real `hillstrom.csv` that one is taken.
"""

from __future__ import annotations

import csv
import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.examples.examples import Example

REAL = os.environ.get("JOURNEY_HILLSTROM")

COLUMNS = (
    "recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,"
    "conversion,spend"
)

pytestmark = pytest.mark.slow


def made_up(path: Path, customers: int) -> Path:
    """A file of the same columns: a third visit, half of those buy."""
    chance = random.Random(2008)
    lines = [COLUMNS]
    for _ in range(customers):
        visit = chance.random() < 1 / 3
        conversion = visit and chance.random() < 1 / 2
        lines.append(
            f"{chance.randint(1, 12)},2) $100 - $200,{chance.uniform(30, 900):.2f},"
            f"{chance.randint(0, 1)},1,Rural,{chance.randint(0, 1)},Web,"
            f"{chance.choice(('Mens E-Mail', 'Womens E-Mail', 'No E-Mail'))},"
            f"{visit:d},{conversion:d},{chance.uniform(30, 300) if conversion else 0:.2f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_journey_is_the_campaign_of_the_file(tmp_path: Path) -> None:
    source = Path(REAL) if REAL else made_up(tmp_path / "hillstrom.csv", 900)
    with source.open(encoding="utf-8", newline="") as file:
        customers = list(csv.DictReader(file))
    example = Example.copy("hillstrom", tmp_path)
    loaded = example.python("load.py", str(source), "hillstrom.duckdb")
    assert loaded.returncode == 0, loaded.stderr
    assert example.journey("check") == "checked 4 files: nothing found\n"
    ticks = ("--from", "2008-03-03T15:00", "--to", "2008-03-20T15:00", "--step", "1d")
    example.journey("run", "--no-deliver", *ticks)

    told = example.journey(
        *("report", "spring", "--drawn", "assigned", "--control", "No E-Mail"),
        *("--output", "json"),
    )
    assert _reported(json.loads(told)) == _counted(customers)

    with duckdb.connect(example.root / "hillstrom.duckdb") as connection:
        sent = connection.execute(
            "SELECT step, count(*) FROM journey.messages GROUP BY step"
        ).fetchall()
        ended = connection.execute(
            "SELECT reason, count(*) FROM journey.runs GROUP BY reason"
        ).fetchall()
        mailed = connection.execute(
            """SELECT count(*) FROM journey.messages AS m
JOIN shop.customers AS c ON c.customer_id = m.customer_id WHERE c.segment = 'No E-Mail'"""
        ).fetchall()

    assert dict(ended) == Counter(_end(customer) for customer in customers)
    assert dict(sent) == _messages(customers)
    assert mailed == [(0,)]


Figures = dict[str, tuple[int, int, int, float]]


def _reported(report: dict[str, Any]) -> Figures:
    """Per group: customers, how many visited and how many bought, and what they spent."""
    tables = {table["name"]: table["rows"] for table in report["parts"][0]["tables"]}
    bought = {row["group"]: row for row in tables["drawn:assigned:1"]}
    visited = {row["group"]: row for row in tables["drawn:assigned:2"]}
    assert next(iter(bought)) == "No E-Mail"
    return {
        name: (row["mature"], visited[name]["reached"], row["reached"], float(row["value"]))
        for name, row in bought.items()
    }


def _counted(customers: list[dict[str, str]]) -> Figures:
    found: Figures = {}
    for customer in customers:
        n, visited, bought, spent = found.get(customer["segment"], (0, 0, 0, 0.0))
        found[customer["segment"]] = (
            n + 1,
            visited + int(customer["visit"]),
            bought + int(customer["conversion"]),
            round(spent + float(customer["spend"]), 2),
        )
    return found


def _end(customer: dict[str, str]) -> str:
    if customer["segment"] == "No E-Mail":
        return "not_mailed"
    if customer["conversion"] == "1":
        return "bought"
    return "looked" if customer["visit"] == "1" else "silent"


def _messages(customers: list[dict[str, str]]) -> Counter[str]:
    steps = {"Mens E-Mail": "mens", "Womens E-Mail": "womens"}
    sent = Counter(steps[c["segment"]] for c in customers if c["segment"] in steps)
    sent["look/buy/again"] = sum(
        _end(customer) == "looked" and float(customer["history"]) >= 500 for customer in customers
    )
    return sent
