"""A tick that is cut anywhere leaves the state before it or after it."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from journeylang.api import Runtime
from tests.crash.world import PEOPLE, nursery, play, small, uncut
from tests.runtime.world import HOUR, NOW, Contents, contents, meaning, opened, orders

KILLS = int(os.environ.get("JOURNEY_TEST_KILLS", "20"))
"""How many processes are killed at random; a soak has more."""


class CutError(Exception):
    pass


class Knife:
    """Raises before the `at`-th statement from when it was set; 0: counts only."""

    def __init__(self) -> None:
        self.at = 0
        self.seen = 0

    def set(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, statement: str) -> None:
        self.seen += 1
        if self.seen == self.at:
            raise CutError(statement)


def again(runtime: Runtime) -> Contents:
    """Everything of the runtime's, watermarks and lock too: a cut tick may not write them."""
    return contents(runtime.engine, without=())


# A tick with entries and sends, one with wakes and retries, one with exits and races.
@pytest.mark.parametrize("hour", [1, 24, 30])
def test_cut_before_any_statement(tmp_path: Path, hour: int) -> None:
    small(tmp_path)
    knife = Knife()
    now = NOW + hour * HOUR
    with opened(tmp_path, NOW - HOUR, knife) as runtime:
        for n in (h for h in (0, 1, 2, 24) if h < hour):
            runtime.tick(NOW + n * HOUR)
        before = again(runtime)
        cuts = 0
        while True:
            cuts += 1
            knife.set(cuts)
            try:
                runtime.tick(now)
            except CutError:
                assert again(runtime) == before, cuts
            else:
                break
        assert cuts > 15
        knife.set(0)
        cut = contents(runtime.engine)
    shutil.rmtree(tmp_path)
    small(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        for n in (h for h in (0, 1, 2, 24) if h < hour):
            runtime.tick(NOW + n * HOUR)
        runtime.tick(now)
        assert contents(runtime.engine) == cut


def test_cut_while_applying(tmp_path: Path) -> None:
    """Cut before any statement of the opening, the next opening does it all."""
    meant = uncut(tmp_path / "meant")
    small(tmp_path / "cut")
    knife = Knife()
    for cut in range(1, 200):
        knife.set(cut)
        try:
            with opened(tmp_path / "cut", NOW - HOUR, knife) as runtime:
                knife.set(0)
                play(runtime)
                assert meaning(runtime.engine) == meant
        except CutError:
            continue
        assert cut > 20
        return
    raise AssertionError("it never opens")


@pytest.mark.slow
def test_a_process_that_dies_before_a_statement(tmp_path: Path) -> None:
    """On a file: what another process finds, and goes on from, after every k-th statement."""
    meant = uncut(tmp_path / "meant")
    fresh = small(tmp_path / "fresh")
    whole = shutil.copytree(fresh, tmp_path / "whole")
    knife = Knife()
    with opened(whole, NOW - HOUR, knife) as runtime:
        play(runtime)
    statements = knife.seen
    assert statements > 100
    with nursery() as processes:
        for at in range(1, statements + 1, max(1, statements // max(1, KILLS // 2))):
            root = shutil.copytree(fresh, tmp_path / f"cut{at}")
            assert processes.play(root, at=at) == "cut"
            with opened(root, NOW - HOUR) as runtime:
                play(runtime)
                assert meaning(runtime.engine) == meant, at


@pytest.mark.slow
def test_processes_killed_at_random(tmp_path: Path) -> None:
    """Kill -9 again and again in one world; nothing is lost, and nothing is there twice."""
    meant = uncut(tmp_path / "meant")
    fresh = small(tmp_path / "fresh")
    root = tmp_path / "killed"
    chance = random.Random(20260302)
    killed = 0
    with nursery() as processes:
        while killed < KILLS:
            if not root.exists():
                shutil.copytree(fresh, root)
            if processes.play(root, seconds=chance.uniform(0.02, 1.0)) == "killed":
                killed += 1
                continue
            # It was through before it was killed: that world is done, and the next begins.
            with opened(root, NOW - HOUR) as runtime:
                assert meaning(runtime.engine) == meant
            shutil.rmtree(root)
    if root.exists():
        with opened(root, NOW - HOUR) as runtime:
            play(runtime)
            assert meaning(runtime.engine) == meant


def test_nobody_twice(tmp_path: Path) -> None:
    """What is unique without a key to watch it."""
    small(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        play(runtime)
        runtime.engine.execute(orders(PEOPLE, NOW + 60 * HOUR, base=1000, every=1))
        runtime.tick(NOW + 61 * HOUR)
        for table, key in (
            ("run", "customer_id, run_id"),
            ("message", "message_id"),
            ("message", "customer_id, run_id, step, occurrence"),
            ("exposure", "customer_id, experiment"),
            ("batch", "batch_id"),
            ("tick", "tick"),
        ):
            twice = f"SELECT {key} FROM journey.{table} GROUP BY {key} HAVING count(*) > 1"
            assert runtime.engine.query(twice) == [], table
