"""Adjusted, capped and per event, against the same sums by hand; looks as they were planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from journeylang.model.journey import Experiment
from journeylang.report.experiments import experiments, trials
from journeylang.report.goals import goals
from journeylang.report.groups import by_arm
from journeylang.report.outcomes import outcomes
from journeylang.report.refined import Refine, metric_before, refined
from journeylang.report.source import Source
from journeylang.report.sums import Before
from journeylang.report.tables import Table
from journeylang.stats import cuped, means, ratios
from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Pairs, Sample
from journeylang.stats.sequential import Spending, bounds
from tests.engines.databases import ENGINES
from tests.report import shop
from tests.report.test_figures import WINDOW, rows

pytestmark = pytest.mark.slow

EARLIER = timedelta(days=3)
EXPERIMENT = "experiment:style:1"


@pytest.fixture(scope="module", params=ENGINES)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    root = shop.make(tmp_path_factory.mktemp("shop"), request.param)
    with shop.source(root) as found:
        yield found


Customer = tuple[bool, Decimal, Decimal, int]
"""Reached, value, what they had spent before, events."""


def arms(read: Source) -> dict[str, list[Customer]]:
    """By hand, of the experiment's customers whose window is over."""
    orders: dict[Any, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for who, at, total in read.query('SELECT customer_id, "at", total FROM shop.orders'):
        orders[who].append((at, total or Decimal(0)))
    found: dict[str, list[Customer]] = defaultdict(list)
    for who, arm, at in read.query('SELECT customer_id, arm, "at" FROM journey.exposures'):
        if at + WINDOW > read.now:
            continue
        since = [total for when, total in orders[who] if at < when <= at + WINDOW]
        before = [total for when, total in orders[who] if at - EARLIER < when <= at]
        value = sum(since, Decimal(0))
        found[arm].append((bool(since), value, sum(before, Decimal(0)), len(since)))
    assert any(before for arm in found.values() for _, _, before, _ in arm)
    return found


def pairs(of: list[tuple[Any, Any]]) -> Pairs:
    return Pairs(
        n=len(of),
        y=sum(y for y, _ in of),
        x=sum(x for _, x in of),
        yy=sum(y * y for y, _ in of),
        xx=sum(x * x for _, x in of),
        xy=sum(x * y for y, x in of),
    )


def only(table: Table) -> dict[str, Any]:
    (row,) = rows(table)
    return dict(row)


def same(row: dict[str, Any], found: Comparison) -> None:
    assert row["difference"] == pytest.approx(found.difference, rel=1e-6)
    assert row["interval"].low == pytest.approx(found.interval.low, rel=1e-6)
    assert row["interval"].high == pytest.approx(found.interval.high, rel=1e-6)
    assert row["p"] == pytest.approx(found.p, rel=1e-6)
    assert row["verdict"] == found.verdict.value


def before(read: Source) -> Before:
    found = metric_before(read.project, "spent_before")
    assert isinstance(found, Before)
    return found


def test_what_was_spent_before_is_taken_off(read: Source) -> None:
    journey = read.project.journeys["welcome"]
    tables = {t.name: t for t in refined(read, journey, Refine(before=before(read)))}
    by_hand = arms(read)
    for kind, column in (("value", 1), ("shares", 0)):
        both = [pairs([(one[column], one[2]) for one in by_hand[arm]]) for arm in ("plain", "bold")]
        found = cuped.compare(*both)
        assert isinstance(found, cuped.Adjusted)
        same(only(tables[f"{EXPERIMENT}:before:{kind}"]), found.comparison)
    # So it is for those held out.
    assert "caused:1:held_out:before:value" in tables


def test_a_metric_without_a_window_is_none_of_the_time_before(read: Source) -> None:
    assert metric_before(read.project, "spent_ever") == "it has no window (`within 90d`)"


def test_values_above_the_cap_count_as_the_cap(read: Source) -> None:
    journey = read.project.journeys["welcome"]
    tables = {t.name: t for t in refined(read, journey, Refine(cap_at=Decimal("0.6")))}
    by_hand = arms(read)
    known = sorted(one[1] for arm in by_hand.values() for one in arm if one[1] > 0)
    cap = known[-(-len(known) * 6 // 10) - 1]
    samples = []
    for arm in ("plain", "bold"):
        values = [min(one[1], cap) for one in by_hand[arm]]
        squares = sum(value * value for value in values)
        samples.append(Sample(n=len(values), total=sum(values), squares=squares))
    found = means.compare(*samples)
    assert isinstance(found, Comparison)
    table = tables[f"{EXPERIMENT}:capped"]
    same(only(table), found)
    assert f"{cap:,.2f}" in table.notes[-1]


def test_value_per_order_by_the_delta_method(read: Source) -> None:
    journey = read.project.journeys["welcome"]
    by_hand = arms(read)
    both = [pairs([(one[1], one[3]) for one in by_hand[arm]]) for arm in ("plain", "bold")]
    found = ratios.compare(*both)
    assert isinstance(found, Comparison)
    tables = {table.name: table for table in experiments(read, journey)}
    same(only(tables[f"{EXPERIMENT}:ratio"]), found)
    assert "caused_ratio:1" in {table.name for table in goals(read, journey)}
    # What is sold besides is no value of a click.
    assert "experiment:style:2:ratio" not in tables


def test_planned_looks_are_held_against_their_bounds(read: Source) -> None:
    journey = read.project.journeys["welcome"]
    (trial,) = trials(journey)
    (table,) = refined(read, journey, Refine(looks=2))
    assert trial.expect == "+5pp by the bold one"
    # Far too few have come for a look at half of what is planned.
    assert rows(table) == []
    assert any("planned are" in note for note in table.notes)
    less = replace(read, project=_expecting(read, "+70pp"))
    (table,) = refined(less, less.project.journeys["welcome"], Refine(looks=2))
    found = rows(table)
    assert [row["look"] for row in found] == [1, 2][: len(found)] != []
    looks = bounds([float(str(row["part"])) for row in found], Spending.OBRIEN_FLEMING)
    assert isinstance(looks, tuple)
    assert [row["bound"] for row in found] == [look.bound for look in looks]
    groups = {one.arm: one for one in outcomes(read, journey, trial.goals[0], _groups(read))}
    assert found[-1]["mature"] == sum(one.mature for one in groups.values())


def _groups(read: Source) -> Any:
    (trial,) = trials(read.project.journeys["welcome"])
    assert trial.salt is not None
    return by_arm(read, read.project.journeys["welcome"], trial.path, trial.salt)


def _expecting(read: Source, expect: str) -> Any:
    journey = read.project.journeys["welcome"]
    first, *rest = journey.body
    assert isinstance(first, Experiment)
    changed = replace(journey, body=(replace(first, expect=expect), *rest))
    return replace(read.project, journeys={"welcome": changed})
