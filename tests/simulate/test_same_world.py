"""A forecast, and what then happens in earnest to people who behave as was assumed: the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from journeylang.api.program import template_entry_fields
from journeylang.runtime.session import Session, TickResult
from journeylang.runtime.tick import tick as really_tick
from journeylang.simulate import run as runs
from journeylang.simulate.run import Asked, play
from journeylang.simulate.scratch import beside_a_file
from journeylang.sql.schema import WHY
from tests.runtime.world import DATABASE, JOURNEYS, loaded
from tests.simulate.world import START, STEP, contents, really, shop

DAYS = 5
RARELY = """
assume typical {
  signed_up 10% per 5d
  ordered after signed_up 30% within 40h
}
"""


def forecast(root: Path, seed: int, days: int = DAYS) -> dict[str, list[tuple[Any, ...]]]:
    """What a dry run does, row by row."""
    project = loaded(root)
    asked = Asked(
        now=START,
        days=days,
        step=STEP,
        seed=seed,
        lines=project.project.assumptions["typical"].lines,
        mode="stepped",
    )
    with beside_a_file(str(root / DATABASE)) as (engine, source):
        play(
            engine,
            source,
            project.project,
            asked,
            template_entry_fields=template_entry_fields(project),
            templates=project.template_texts(),
            providers={},
        )
        return contents(engine)


def test_hours_in_which_nothing_can_happen_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journeys = {"welcome": JOURNEYS["welcome"]}
    root = shop(tmp_path / "shop", 30, journeys=journeys, assume=RARELY)
    asked: list[datetime] = []

    def tick(session: Session, now: datetime, *, skip: Iterable[str] = ()) -> TickResult:
        asked.append(now)
        return really_tick(session, now, skip=skip)

    monkeypatch.setattr(runs, "tick", tick)
    some = forecast(root, 3)
    ticks = len(asked)
    monkeypatch.setattr(runs, "may_skip", lambda _ready: False)
    asked.clear()
    assert forecast(root, 3) == some
    assert ticks < len(asked) == 24
    assert some["message"]


def test_the_forecast_comes_true(tmp_path: Path) -> None:
    seed = 1
    root = shop(tmp_path / "shop")
    foreseen = forecast(root, seed)
    real = tmp_path / "real"
    shutil.copytree(root, real)
    happened = really(real, seed, DAYS)
    assert foreseen == happened
    # It is about something: all kinds of things have happened.
    assert len(happened["message"]) > 40
    assert len(happened["suppression"]) > 3
    assert {row[5] for row in happened["decision"]} >= {"suppressed", "no_consent"}
    assert WHY["held"] in {row[6] for row in happened["transition"]}
