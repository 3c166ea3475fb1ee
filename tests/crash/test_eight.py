"""Eight runtimes have one PostgreSQL; seven stand still past their lease, and go on later."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

import pytest

from tests.crash.relay import Runner, Turn, relay, runner
from tests.crash.story import Stage, letters, load, outcome
from tests.engines.databases import open_engine
from tests.engines.server import new_database

LEASE = 3.0
"""Seconds."""

AT = (3, 9, 24, 41, 58, 71, 90)
"""The statement of its ticks at which each of seven stops; the eighth comes last, and does not."""

pytestmark = pytest.mark.slow


def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path) -> None:
    url = new_database()
    engine = open_engine("postgres", url)
    load(engine)
    uncut = Stage(engine, tmp_path / "uncut")
    uncut.play()
    meant, written = outcome(engine), letters(tmp_path / "uncut")
    uncut.close()

    url, folder = new_database(), str(tmp_path / "eight")
    engine = open_engine("postgres", url)
    load(engine)
    # Applied by one, and let go, as a deployment does.
    first = Stage(engine, Path(folder), LEASE)
    first.session.lease.give_back()
    first.close()
    with ExitStack() as stack:
        waiting = [stack.enter_context(runner()) for _ in AT]
        for one, at in zip(waiting, AT, strict=True):
            one.wait(Turn(url=url, folder=folder, at=at, lease=LEASE))
        still: list[Runner] = []
        while waiting:
            one = _next(waiting)
            assert one.answer() == "stopped"
            waiting.remove(one)
            if len(still) % 2:
                # While the lease is that of the one that has just stopped.
                assert still.pop().go_on() == "failed", "it says that another has taken over"
            still.append(one)
        last = relay(Turn(url=url, folder=folder, at=0, lease=60.0))
        assert outcome(last.engine) == meant
        assert [one.go_on() for one in still] == ["failed"] * len(still)
        assert outcome(last.engine) == meant
        assert letters(Path(folder)) == written
        twice = "SELECT 1 FROM journey.receipt GROUP BY message_id, attempt, state"
        assert last.engine.query(f"{twice} HAVING count(*) > 1") == []
        last.close()


def _next(waiting: Iterable[Runner]) -> Runner:
    """The one that has an answer first."""
    with DefaultSelector() as selector:
        for one in waiting:
            assert one.process.stdout is not None
            selector.register(one.process.stdout, EVENT_READ, one)
        ((key, _), *_) = selector.select()
        assert isinstance(key.data, Runner)
        return key.data
