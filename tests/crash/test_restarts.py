"""The database is stopped and started again in the midst of ticks and deliveries."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from journeylang.runtime.tick import tick
from tests.crash.story import ACTS, HOURS, MOMENTS, Stage, letters, load, outcome
from tests.engines.databases import open_engine
from tests.engines.server import Server, another, new_database
from tests.engines.watched import Watched

pytestmark = pytest.mark.slow

RESTARTS = int(os.environ.get("JOURNEY_TEST_RESTARTS", "5"))
"""How many, at least."""


class Caretaker:
    """Restarts a server at chosen statements, while it is on duty."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.on_duty = False
        self.restarts = 0
        self.left = self._next()

    def _next(self) -> int:
        return self.chance.randint(1, 160)

    def __call__(self, _: str) -> None:
        if not self.on_duty:
            return
        self.left -= 1
        if self.left == 0:
            self.left = self._next()
            self.restarts += 1
            self.server.restart()


def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path) -> None:
    engine = open_engine("postgres")
    load(engine)
    stage = Stage(engine, tmp_path / "uncut")
    stage.play()
    meant, written = outcome(engine), letters(tmp_path / "uncut")
    stage.close()
    own = another()
    fresh = new_database(at=own)
    engine = open_engine("postgres", fresh)
    load(engine)
    engine.close()
    seed = restarts = 0
    while restarts < RESTARTS:
        seed += 1
        caretaker = Caretaker(own, seed)
        folder = tmp_path / str(seed)
        engine = open_engine("postgres", new_database(like=fresh, at=own))
        stage = Stage(Watched(engine, caretaker), folder)
        for hour, now in zip(HOURS, MOMENTS, strict=True):
            if hour in ACTS:
                ACTS[hour](stage.engine, now)
            caretaker.on_duty = True
            tick(stage.session, now)
            stage.deliver(now)
            caretaker.on_duty = False
        assert outcome(engine) == meant, seed
        assert letters(folder) == written, seed
        twice = "SELECT message_id, attempt, state FROM journey.receipt"
        assert not engine.query(f"{twice} GROUP BY message_id, attempt, state HAVING count(*) > 1")
        restarts += caretaker.restarts
        stage.close()
    own.stop()
