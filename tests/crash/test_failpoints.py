"""Every statement of a tick and of a delivery is a place to be cut at; the story stays the same."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from journeylang.delivery import delivering
from journeylang.engines.base import Engine
from journeylang.runtime.tick import tick
from tests.crash.story import ACTS, HOURS, MOMENTS, Stage, letters, load, outcome
from tests.engines.databases import ENGINES, open_engine
from tests.engines.watched import COMMITTED, Watched
from tests.runtime.world import Contents, contents

CUTS = int(os.environ.get("JOURNEY_TEST_CUTS", "60"))
"""At how many statements of the story it is cut; more than there are: at each."""

pytestmark = pytest.mark.slow


class CutError(Exception):
    pass


class Knife:
    """Raises at the `at`-th statement from when it was set; 0: never."""

    def __init__(self) -> None:
        self.at = 0
        self.seen = 0
        self.last = ""

    def set(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, statement: str) -> None:
        self.seen += 1
        self.last = statement
        if self.seen == self.at:
            raise CutError(statement)


def everything(engine: Engine) -> Contents:
    """All of the runtime's tables but for the lease."""
    found = contents(engine, without=())
    return found | {"lock": [row[:5] for row in found["lock"]]}


class Meant:
    """The story uncut: what it comes to, and how many statements each part of it takes."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        load(engine)
        knife = Knife()
        stage = Stage(Watched(engine, knife), folder)
        self.points: dict[tuple[int, str], int] = {}
        for hour, now in zip(HOURS, MOMENTS, strict=True):
            if hour in ACTS:
                ACTS[hour](engine, now)
            knife.set(0)
            tick(stage.session, now)
            self.points[hour, "tick"] = knife.seen
            knife.set(0)
            stage.deliver(now)
            self.points[hour, "delivery"] = knife.seen
        self.outcome = outcome(engine)
        self.letters = letters(folder)
        stage.close()


def chosen(points: dict[tuple[int, str], int], number: int) -> dict[tuple[int, str], list[int]]:
    """About `number` of all points, each part of the story with its share, in order."""
    chance = random.Random(number)
    share = number / sum(points.values())
    return {
        part: sorted(n for n in range(1, count + 1) if chance.random() < share)
        for part, count in points.items()
    }


@pytest.mark.parametrize("name", ENGINES)
def test_cut_at_any_statement(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(name)
    meant = Meant(engine, tmp_path / "meant")
    cuts = chosen(meant.points, CUTS)
    engine = open_engine(name)
    load(engine)
    knife = Knife()
    stage = Stage(Watched(engine, knife), tmp_path / "cut")
    done = 0
    for hour, now in zip(HOURS, MOMENTS, strict=True):
        if hour in ACTS:
            ACTS[hour](engine, now)
        committed = False
        for at in cuts[hour, "tick"]:
            before = everything(engine)
            knife.set(at)
            try:
                tick(stage.session, now)
            except CutError:
                # A tick that was cut behind its commit is done.
                committed = knife.last == COMMITTED
                assert (everything(engine) == before) is not committed, (hour, at)
            done += 1
            if done % 5 == 0:
                knife.set(0)
                stage = Stage(Watched(engine, knife), tmp_path / "cut")
        knife.set(0)
        if not committed:
            tick(stage.session, now)
        for at in cuts[hour, "delivery"]:
            knife.set(at)
            try:
                stage.deliver(now)
            except CutError:
                done += 1
                # To the batches that it held, whoever comes next is another process.
                monkeypatch.setattr(delivering, "_PROCESS", str(done))
                knife.set(0)
                stage = Stage(Watched(engine, knife), tmp_path / "cut")
        knife.set(0)
        stage.deliver(now)
    assert done > CUTS // 2
    found = outcome(engine)
    assert found.keys() == meant.outcome.keys()
    for table, rows in meant.outcome.items():
        assert found[table] == rows, table
    assert letters(tmp_path / "cut") == meant.letters
    stage.close()


@pytest.mark.parametrize("name", ENGINES)
def test_cut_while_applying(name: str, tmp_path: Path) -> None:
    """Before any statement of an apply: the next one does it all."""
    engine = open_engine(name)
    load(engine)
    knife, stage, at = Knife(), None, 0
    while stage is None:
        at += 1
        knife.set(at)
        try:
            stage = Stage(Watched(engine, knife), tmp_path)
        except CutError:
            assert at < 1000
    knife.set(0)
    assert at > 30
    versions = engine.query("SELECT name, version FROM journey.version ORDER BY name")
    assert versions == [("lunch", 1), ("second", 1), ("welcome", 1)]
    tick(stage.session, MOMENTS[0])
    assert engine.query("SELECT count(*) FROM journey.run") != [(0,)]
    stage.close()
