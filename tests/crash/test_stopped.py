"""A runtime is stopped in the midst of a tick, another one takes over, and the first goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from journeylang.engines.base import DatabaseBusyError
from tests.crash.kills import URL, Errand, nursery, open_at
from tests.crash.story import Stage, load, outcome
from tests.engines.databases import open_engine
from tests.engines.server import new_database

LEASE = 2.0
"""Seconds."""

pytestmark = pytest.mark.slow


def test_nothing_of_it_is_kept(tmp_path: Path) -> None:
    """At statements of every kind of tick; both have played the whole story in the end."""
    engine = open_engine("postgres")
    load(engine)
    stage = Stage(engine, tmp_path)
    stage.play(deliver=False)
    meant = outcome(engine)
    stage.close()
    fresh = new_database()
    engine = open_engine("postgres", fresh)
    load(engine)
    engine.close()
    with nursery() as processes:
        for at in (3, 9, 40, 71, 190, 333):
            folder = tmp_path / str(at)
            folder.mkdir()
            (folder / URL).write_text(new_database(like=fresh))
            errand = Errand(engine="postgres", folder=folder, at=at, patience=LEASE)
            assert processes.send(errand) == "stopped"
            second = Stage(open_at("postgres", folder), folder, LEASE)
            while True:
                try:
                    second.session.lease.hold()
                except DatabaseBusyError:
                    time.sleep(0.1)
                else:
                    break
            second.play(deliver=False)
            found = outcome(second.engine)
            assert found == meant, at
            assert processes.go_on() == "failed", "it says that another has taken over"
            assert outcome(second.engine) == meant, at
            second.close()
