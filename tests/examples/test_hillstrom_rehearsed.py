"""A dry run of Hillstrom's campaign from half of its data, against what then happened."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.examples.examples import Example
from tests.examples.test_hillstrom import REAL, made_up

pytestmark = pytest.mark.slow

Customers = list[dict[str, str]]
ASSUMED = Path("journeys/assumed.journey")
SIMULATE = ("simulate", "--from", "2008-03-03T15:00", "--days", "14", "--step", "1d")
MAILED = {"mens": "Mens E-Mail", "womens": "Womens E-Mail"}


def _share(customers: Sequence[dict[str, str]], what: str) -> float:
    return sum(int(c[what]) for c in customers) / len(customers)


def _rates(customers: Customers) -> list[float]:
    """In percent: of the lines of the file's `assume`, in their order."""
    groups: dict[str, Customers] = defaultdict(list)
    for customer in customers:
        groups[customer["segment"]].append(customer)
    alone = _share(groups["No E-Mail"], "visit")
    more = [1 - (1 - _share(groups[name], "visit")) / (1 - alone) for name in MAILED.values()]
    bought = _share([c for c in customers if c["visit"] == "1"], "conversion")
    return [round(100 * max(rate, 0.0001), 2) for rate in (alone, *more, bought)]


def _rehearsed(tmp_path: Path) -> tuple[Example, Customers]:
    """The example before anything is sent, with what is assumed measured in the odd lines."""
    source = Path(REAL) if REAL else made_up(tmp_path / "hillstrom.csv", 900)
    with source.open(encoding="utf-8", newline="") as file:
        customers = list(csv.DictReader(file))
    example = Example.copy("hillstrom", tmp_path)
    assert example.python("load.py", str(source), "hillstrom.duckdb").returncode == 0
    measured = _rates(customers[::2])
    for path in (example.root / ASSUMED, example.root / "planned/assumed.journey"):
        text = path.read_text(encoding="utf-8")
        stands = [float(rate) for rate in re.findall(r"([\d.]+)%", text)]
        if REAL:
            assert stands == measured
        for old, new in zip(stands, measured, strict=True):
            text = text.replace(f" {old:.2f}%", f" {new:.2f} %", 1)
        path.write_text(text.replace(" %", "%"), encoding="utf-8")
    return example, customers


def _simulated(example: Example) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(example.journey(*SIMULATE, "--output", "json"))
    return found


def _near(foretold: float, happened: float, of: int) -> bool:
    """Both are drawn, and so were the rates: four standard deviations of their difference."""
    p = happened / of
    return bool(abs(foretold - happened) <= 4 * (3 * of * p * (1 - p)) ** 0.5)


def test_the_dry_run_foretells_what_happened(tmp_path: Path) -> None:
    example, customers = _rehearsed(tmp_path)
    assert example.journey("check") == "checked 4 files: nothing found\n"
    [course] = _simulated(example)["journeys"]
    steps = {step["step"]: step for step in course["steps"]}
    mailed = [c for c in customers if c["segment"] in MAILED.values()]
    visited = sum(c["visit"] == "1" for c in mailed)
    bought = sum(c["conversion"] == "1" for c in mailed)
    # Who is mailed was drawn in 2008.
    for name, segment in MAILED.items():
        assert steps[name]["sent"] == sum(c["segment"] == segment for c in customers)
    assert _near(steps["look/buy"]["came"], visited, len(mailed))
    assert _near(course["ended"]["bought"], bought, len(mailed))
    if REAL:
        assert (steps["look/buy"]["came"], visited) == (7145, 7132)
        assert (course["ended"]["bought"], bought) == (429, 456)


def test_the_dry_run_tells_what_the_experiment_would_see(tmp_path: Path) -> None:
    example, customers = _rehearsed(tmp_path)
    for path in (example.root / "planned").glob("*.journey"):
        shutil.copy(path, example.root / "journeys")
    told = _simulated(example)
    [power] = told["experiments"]
    exposed = {arm["arm"]: arm["exposed"] for arm in power["arms"]}
    assert sum(exposed.values()) == len(customers)
    assert all(arm["judged"] == arm["exposed"] for arm in power["arms"])
    alone = [c for c in customers if c["segment"] == "No E-Mail"]
    assert _near(
        power["rate_of_control"] * len(alone), _share(alone, "conversion") * len(alone), len(alone)
    )
    if REAL:
        rates = {a["arm"]: round(100 * a["reached"] / a["judged"], 2) for a in power["arms"]}
        assert rates == {"none": 0.64, "mens": 1.18, "womens": 0.98}
        assert round(power["smallest_lift_seen"], 2) == 0.37
