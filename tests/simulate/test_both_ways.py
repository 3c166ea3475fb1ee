"""A dry run by whole lives does row by row what one does that goes tick by tick."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeylang.api.program import template_entry_fields
from journeylang.simulate.forecast import Forecast
from journeylang.simulate.run import Asked, Mode, play
from journeylang.simulate.scratch import beside_a_file
from tests.runtime.world import BINDING, DATABASE, loaded, write
from tests.simulate.lives import journeys
from tests.simulate.world import START, contents, shop

TEMPLATES = {
    "m/m.email.txt": "---\nsubject: Hello\n---\nHello\n\n{{ unsubscribe_url }}\n",
    "m/m.sms.txt": "Hello\n",
}
UNMOVED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
Rows = dict[str, list[tuple[Any, ...]]]


def played(root: Path, mode: Mode, seed: int, *, days: int = 4) -> tuple[Forecast, Rows]:
    """What is told, and what is left behind, without what nobody is told of a dry run."""
    project = loaded(root)
    asked = Asked(
        now=START,
        days=days,
        step=timedelta(hours=4),
        seed=seed,
        lines=project.project.assumptions["typical"].lines,
        mode=mode,
    )
    with beside_a_file(str(root / DATABASE)) as (engine, source):
        engine.execute("SET threads = 1")
        told = play(
            engine,
            source,
            project.project,
            asked,
            template_entry_fields=template_entry_fields(project),
            templates=project.template_texts(),
            providers={},
        )
        found = contents(engine)
    # Figures of a decision, contents and quiet times of a message go out with it, or to `why`.
    found["decision"] = sorted((row[:6] for row in found["decision"]), key=str)
    found["message"] = sorted((row[:9] for row in found["message"]), key=str)
    return told, found


def alike(told: Forecast) -> Forecast:
    return replace(told, idle=None, stepped=None)


def world(root: Path, journey: str, more: str) -> Path:
    binding = BINDING[: BINDING.index("policy standard")] + more
    shop(root, 30, assume="")
    return write(root, {"j": journey}, binding=binding, templates=TEMPLATES)


@pytest.mark.slow
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=UNMOVED)
@given(journeys(), st.integers(0, 9))
def test_whole_lives_are_what_ticks_make_of_them(case: tuple[str, str], seed: int) -> None:
    with TemporaryDirectory() as folder:
        root = world(Path(folder) / "shop", *case)
        told, left = played(root, "closed", seed)
        stepped, ticked = played(root, "stepped", seed)
        assert left == ticked
        assert alike(told) == alike(stepped)
        assert told.stepped is None
