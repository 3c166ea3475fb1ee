"""A forecast, and what then happens in earnest to people who behave as was assumed: the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from journeylang.api.program import template_entry_fields
from journeylang.simulate.run import Asked, play
from journeylang.simulate.scratch import beside_a_file
from journeylang.sql.schema import WHY
from tests.runtime.world import DATABASE, loaded
from tests.simulate.world import START, STEP, contents, really, shop

DAYS = 5


def forecast(root: Path, seed: int, days: int = DAYS) -> dict[str, list[tuple[Any, ...]]]:
    """What a dry run does, row by row."""
    project = loaded(root)
    asked = Asked(
        now=START,
        days=days,
        step=STEP,
        seed=seed,
        lines=project.project.assumptions["typical"].lines,
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
    assert len(happened["suppression"]) > 5
    assert {row[5] for row in happened["decision"]} >= {"suppressed", "no_consent"}
    assert WHY["held"] in {row[6] for row in happened["transition"]}
