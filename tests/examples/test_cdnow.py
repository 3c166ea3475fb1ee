"""CDNOW: loaded, run, and held against independent SQL.

The file here is a made-up one of the same form. With `JOURNEY_CDNOW` set to the path of the
real `CDNOW_master.txt` that one is taken, and all of its eighteen months.
"""

from __future__ import annotations

import json
import os
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.examples.examples import Example

REAL = os.environ.get("JOURNEY_CDNOW")

# Not a whole number of days: decisions fall into day and night, and held ones are let go.
SHORT = ("1997-01-01", "1997-11-01", "156")
LONG = ("1997-01-01", "1998-07-01", "24")

pytestmark = pytest.mark.slow


def made_up(path: Path, customers: int) -> Path:
    """A file of CDNOW's form: all buy first in early 1997, some again, sooner or later."""
    chance = random.Random(1997)
    lines = [" customer_id  date number_of_cds  dollar_value"]
    for customer in range(1, customers + 1):
        day = date(1997, 1, 1) + timedelta(days=chance.randrange(84))
        while day < date(1998, 7, 1):
            discs = chance.randint(1, 5)
            lines.append(
                f" {customer:05d} {day:%Y%m%d} {discs:2d} {discs * chance.uniform(0, 20):7.2f}"
            )
            if chance.random() < 0.3:
                break
            day += timedelta(days=chance.choice((0, 1, 5, 12, 40, 100, 130, 200)))
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    return path


def run(example: Example, source: Path, grid: tuple[str, str, str]) -> None:
    loaded = example.python("load.py", str(source), "cdnow.duckdb")
    assert loaded.returncode == 0, loaded.stderr
    start, end, hours = grid
    assert example.journey("check") == "checked 5 files: nothing found\n"
    example.journey("run", "--no-deliver", "--from", start, "--to", end, "--step", f"{hours}h")


def verify(example: Example, grid: tuple[str, str, str]) -> tuple[int, dict[str, tuple[int, int]]]:
    """The exit code, and the number of rows and of differences for each check."""
    start, end, hours = grid
    done = example.python(
        "verify.py", "cdnow.duckdb", "--from", start, "--to", end, "--step", hours
    )
    assert done.stderr == ""
    checks = {}
    for line in done.stdout.splitlines()[1:]:
        name, rows, differ = line.rsplit(maxsplit=2)
        checks[name] = int(rows.replace(",", "")), int(differ.replace(",", ""))
    return done.returncode, checks


def test_everything_that_happened_was_to_happen(tmp_path: Path) -> None:
    example = Example.copy("cdnow", tmp_path)
    grid = LONG if REAL else SHORT
    run(example, Path(REAL) if REAL else made_up(tmp_path / "cdnow.txt", 250), grid)
    code, checks = verify(example, grid)
    assert {name: differ for name, (_, differ) in checks.items() if differ} == {}
    assert code == 0
    # A check of nothing would hold, too.
    assert {name for name, (rows, _) in checks.items() if rows == 0} == set()
    with duckdb.connect(example.root / "cdnow.duckdb") as connection:
        reasons = connection.execute("SELECT DISTINCT reason FROM journey.non_sends").fetchall()
        ends = connection.execute("SELECT DISTINCT status, reason FROM journey.runs").fetchall()
    assert {"no_address", "no_consent", "quiet", "capped"} < {reason for (reason,) in reasons}
    assert {reason for _, reason in ends} >= {"bought", "bought_again", "small", "untouched", "end"}
    assert {status for status, _ in ends} >= {"active", "held_out"}


def test_cohorts_and_the_grid_are_those_of_the_file(tmp_path: Path) -> None:
    source = Path(REAL) if REAL else made_up(tmp_path / "cdnow.txt", 120)
    example = Example.copy("cdnow", tmp_path)
    assert example.python("load.py", str(source), "cdnow.duckdb").returncode == 0
    example.journey(
        *("run", "--no-deliver", "--from", "1998-06-30", "--to", "1998-07-01", "--step", "12h")
    )
    told = json.loads(example.journey("report", "--customers", "--output", "json"))
    # By the loaded instants: a purchase's date is that of its customer's zone.
    bought: dict[int, list[tuple[datetime, Decimal]]] = {}
    with duckdb.connect(example.root / "cdnow.duckdb", read_only=True) as connection:
        for who, at, amount in connection.execute(
            "SELECT customer_id, purchased_at, amount FROM shop.purchases WHERE purchased_at <= ?",
            [told["now"]],
        ).fetchall():
            bought.setdefault(who, []).append((at, amount))
    tables = {table["name"]: table["rows"] for table in told["parts"][0]["tables"]}
    months: dict[str, list[list[tuple[datetime, Decimal]]]] = {}
    for orders in bought.values():
        months.setdefault(f"{min(at for at, _ in orders):%Y-%m}-01", []).append(orders)
    assert [row["cohort"] for row in tables["cohorts"]] == sorted(months)
    for row in tables["cohorts"]:
        of = months[row["cohort"]]
        assert row["customers"] == len(of)
        assert row["again"] == pytest.approx(sum(len(one) > 1 for one in of) / len(of))
        assert row["orders_each"] == pytest.approx(sum(map(len, of)) / len(of))
        value = float(sum(amount for one in of for _, amount in one)) / len(of)
        assert float(row["value_each"]) == pytest.approx(value, abs=0.005)
    often = {"once": (1, 1), "twice": (2, 2), "3 to 4": (3, 4), "5 to 9": (5, 9)}
    for name, (least, most) in often.items():
        counted = sum(least <= len(one) <= most for one in bought.values())
        assert sum(row[name] for row in tables["rfm"]) == counted


def test_what_should_not_have_happened_is_found(tmp_path: Path) -> None:
    example = Example.copy("cdnow", tmp_path)
    grid = ("1997-01-01", "1997-01-14", "24")
    run(example, made_up(tmp_path / "cdnow.txt", 100), grid)
    with duckdb.connect(example.root / "cdnow.duckdb") as connection:
        connection.execute(
            """UPDATE journey.message SET decided_at = TIMESTAMP '1997-01-14 09:00:00'
WHERE (customer_id, message_id) = (SELECT min((customer_id, message_id)) FROM journey.message)"""
        )
    code, checks = verify(example, grid)
    wrong = {name for name, (_, differ) in checks.items() if differ}
    assert code == 1
    assert wrong == {
        "messages: who got which, decided in which tick",
        "kept: nothing decided between 21:00 and 08:00 local",
    }


@pytest.mark.parametrize("script", ["load.py", "verify.py"])
def test_a_missing_file_is_said(tmp_path: Path, script: str) -> None:
    example = Example.copy("cdnow", tmp_path)
    arguments = ["nothing", "cdnow.duckdb"] if script == "load.py" else ["nothing"]
    done = example.python(script, *arguments)
    assert (done.returncode, done.stderr) == (2, f"{script}: there is no file nothing\n")
