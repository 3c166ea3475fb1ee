"""Kill -9 again and again while the story is played and delivered: nothing lost, nothing twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.kills import Kills, nursery
from tests.engines.databases import ENGINES

KILLS = int(os.environ.get("JOURNEY_TEST_KILLS", "40"))
"""How many processes; `python -m tests.crash` has many more."""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_again_and_again(engine: str, tmp_path: Path) -> None:
    with nursery() as processes:
        kills = Kills(engine=engine, folder=tmp_path, number=KILLS, seed=20260302)
        kills.run(processes)
    assert kills.worlds > 1
