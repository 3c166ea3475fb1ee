"""Ticks over those alone to whom something may happen do what ticks over everybody do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylang.api import load
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.runtime.pauses import too_many
from journeylang.simulate import awake
from journeylang.simulate.forecast import Forecast
from journeylang.simulate.run import Asked, play
from journeylang.simulate.scratch import beside_a_file
from journeylang.sql.pauses import usual
from tests.benchmarks.dry_run import shop
from tests.benchmarks.dry_shop import FIVE, START
from tests.simulate.lives import journeys
from tests.simulate.test_both_ways import GUARDED, OFTEN, UNMOVED, Rows, alike, played, world
from tests.simulate.world import contents

STEP = timedelta(hours=4)
NEVER = 10**9


@contextmanager
def parted(worth: int) -> Iterator[list[datetime]]:
    """From so many customers on they are put aside; until when, each time."""
    until: list[datetime] = []
    with pytest.MonkeyPatch.context() as patch:
        part = awake.Awake._part

        def told(self: awake.Awake, now: datetime, last: datetime) -> None:
            until.append(last)
            part(self, now, last)

        patch.setattr(awake.Awake, "_part", told)
        patch.setattr(awake, "WORTH", worth)
        patch.setattr(awake, "LEAST", 2)
        yield until


def both_ways(root: Path, seed: int = 1, days: int = 4) -> tuple[list[datetime], Forecast, Rows]:
    """The same with people put aside and with everybody in place: until when, and what came."""
    with parted(0) as until:
        told, left = played(root, "stepped", seed, days=days)
    with parted(NEVER):
        whole, everybody = played(root, "stepped", seed, days=days)
    assert left == everybody
    assert alike(told) == alike(whole)
    return until, told, left


@pytest.mark.slow
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=UNMOVED)
@given(journeys(), st.integers(0, 9), st.sampled_from((0, 1, 3, 12)))
def test_the_same_happens_to_the_same_people(case: tuple[str, str], seed: int, before: int) -> None:
    with TemporaryDirectory() as folder:
        root = world(Path(folder) / "shop", *case, before)
        both_ways(root, seed)


def test_a_guard_counts_those_who_are_put_aside(tmp_path: Path) -> None:
    guarded = GUARDED.replace("<= 4 over 1d", "<= 14 over 3d").replace("wait 1d", "wait 5d")
    root = world(tmp_path / "shop", guarded, OFTEN.replace("90% per 1d", "30% per 1d"))
    until, told, left = both_ways(root, days=3)
    assert until
    # It was broken when most of those who count had been put aside.
    assert [v.met for v in told.verdicts] == [False]
    assert {row[5] for row in left["decision"]} >= {"guard", "paused"}


@pytest.mark.slow
def test_journeys_that_share_a_budget_and_a_schedule(tmp_path: Path) -> None:
    root = shop(tmp_path / "shop", 400)
    with parted(0) as until:
        told, left, counted = _five(root)
    with parted(NEVER):
        whole, everybody, all_counted = _five(root)
    assert left == everybody
    assert counted == all_counted
    assert told == whole
    assert len(until) > 6


def _five(root: Path) -> tuple[Forecast, Rows, list[Any]]:
    """And what is counted of entries in each tick in which somebody may enter."""
    loaded = load(root, "dev").outcome.value
    assert loaded is not None
    counted: list[Any] = []
    asked = Asked(
        now=START,
        days=9,
        step=STEP,
        journeys=FIVE,
        lines=loaded.project.assumptions["typical"].lines,
        mode="stepped",
    )
    with pytest.MonkeyPatch.context() as patch:

        def told(*given: Any) -> str | None:
            plan, _, now, dialect, query, resting = given
            counted.append((plan.name, now, query(usual(dialect, plan.journey, resting))))
            return too_many(*given)

        patch.setattr("journeylang.runtime.tick.too_many", told)
        with beside_a_file(str(root / "benchmark.duckdb")) as (engine, source):
            engine.execute("SET threads = 1")
            forecast = play(
                engine,
                source,
                loaded.project,
                asked,
                template_entry_fields={},
                templates=loaded.template_texts(),
                providers={},
            )
            return forecast, _left(engine), counted


def _left(engine: DuckDbEngine) -> Rows:
    found = contents(engine)
    # In which order channels were asked is nobody's.
    found["message"] = sorted((row[:9] for row in found["message"]), key=str)
    return found
