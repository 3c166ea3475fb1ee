"""What pictures are made of, against the tables of the same report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from journeylang.plan.numbering import step_paths
from journeylang.report.daily import looks, sent, ways
from journeylang.report.experiments import experiments, trials
from journeylang.report.funnel import funnel, overview
from journeylang.report.html import section
from journeylang.report.pictures import effects, over_time
from journeylang.report.read import Asked, journey, report
from journeylang.report.source import Source
from journeylang.stats import sequences
from journeylang.stats.comparison import Interval
from tests.engines.databases import ENGINES
from tests.report import shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=ENGINES)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    root = shop.make(tmp_path_factory.mktemp("shop"), request.param)
    with shop.source(root) as found:
        yield found


def test_ways_add_up_to_entries_and_steps(read: Source) -> None:
    of = read.project.journeys["welcome"]
    found = ways(read, of)
    came: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for way in found:
        if way.to is not None:
            came[way.to] += int(way.runs)
        else:
            ended[way.outcome or ""] += int(way.runs)
    entries: dict[tuple[Any, Any], Any] = {
        (state, reason): runs for state, reason, runs, *_ in overview(read, of).rows
    }
    assert sum(way.runs for way in found if way.origin is None) == entries["entered", None]
    assert ended["held out"] == entries["held out", None]
    assert ended["silent"] == entries["came to the end", "silent"]
    inside = {("entered", None), ("still inside", None)}
    assert ended.total() == sum(runs for key, runs in entries.items() if key not in inside)
    # Nobody comes to a step of this journey twice.
    for path, _, runs, *_ in funnel(read, of).rows:
        assert came[str(path)] == runs, path


def test_days_add_up_to_messages(read: Source) -> None:
    found = sent(read)
    (decided, cost) = read.query(
        "SELECT count(*), sum(cost) FROM journey.message WHERE action IS NULL"
    )[0]
    assert sum(one.messages for one in found) == decided
    assert sum(one.cost or 0 for one in found) == pytest.approx(float(cost))
    assert {one.journey for one in found} == {"welcome"}
    assert len({one.day for one in found}) > 2


def test_the_last_look_is_that_of_the_table(read: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few have been converted that there would be no answer.
    monkeypatch.setattr(sequences, "CONVERSIONS", 3)
    of = read.project.journeys["welcome"]
    [trial] = trials(of)
    table = next(t for t in experiments(read, of) if t.name.endswith(":1:any_day"))
    daily = list(looks(read, of, trial, trial.goals[0]))
    at = {column.name: n for n, column in enumerate(table.columns)}
    assert len(table.rows) == 1
    for row in table.rows:
        mine = [one for one in daily if one.arm == row[0]]
        assert mine[-1].found.difference == pytest.approx(row[at["difference"]])
        limits = row[at["interval"]]
        assert isinstance(limits, Interval)
        assert mine[-1].found.interval.low == pytest.approx(limits.low)
        assert [one.customers for one in mine] == sorted(one.customers for one in mine)


def test_intervals_are_those_of_the_tables(read: Source) -> None:
    part = journey(read, read.project.journeys["welcome"], Asked())
    assert part.pictures == ()
    of = {table.name: table for table in part.tables}
    made = effects(of["caused:1"])
    assert made is not None
    assert [row[0] for row in made.rows] == [
        row[0] for row in of["caused:1"].rows if row[1] is not None
    ]
    assert effects(of["funnel"]) is None


def test_a_section_is_the_same_again_and_stands_alone(read: Source) -> None:
    asked = Asked(pictures=True)
    [part] = report(read, "dev", ["welcome"], asked).parts
    drawn = section(part)
    assert drawn == section(part)
    assert drawn.startswith("<section><h2")
    assert drawn.endswith("</section>")
    assert [p.title for p in part.pictures][:2] == [
        "who went where",
        "caused by the journey: ordered within 2d, of customers",
    ]
    assert "<svg" not in section(replace(part, pictures=()))
    assert len(step_paths(read.project.journeys["welcome"])) > 3


def test_experiments_over_time(read: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "CONVERSIONS", 3)
    made = over_time(read, read.project.journeys["welcome"])
    assert made is not None
    assert made.legend == ("style: bold, ordered within 2d",)
    assert "The bands may be looked at on any day." in made.told
    assert len(made.rows) == len({day for day, *_ in made.rows})
