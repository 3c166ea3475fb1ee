"""Several processes deliver from one PostgreSQL: nothing twice, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from journeylang.delivery.outbox import own_key
from journeylang.engines.base import Engine
from tests.crash.story import Stage, letters, load
from tests.crash.workers import IN_FLIGHT, Work, Workers, deliver, workers
from tests.engines.databases import open_engine
from tests.engines.server import new_database

pytestmark = pytest.mark.slow

LEASE = 2.0
"""Seconds."""


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with all messages of the story, none of which has gone out."""
    url = new_database()
    engine = open_engine("postgres", url)
    load(engine)
    stage = Stage(engine, tmp_path_factory.mktemp("story"))
    stage.play(deliver=False)
    # Small batches: there is something to claim for everybody. Quiet hours are over.
    with engine.transaction():
        engine.execute(
            "UPDATE journey.message SET batch_id = 1000 + message_id % 12,"
            " expires_at = TIMESTAMP '2027-01-01', quiet_until = NULL"
        )
        engine.execute("DELETE FROM journey.batch")
        engine.execute(
            "INSERT INTO journey.batch (batch_id, decided_at, messages, done, token)"
            " SELECT batch_id, min(decided_at), CAST(count(*) AS INTEGER), FALSE, 0"
            " FROM journey.message GROUP BY batch_id"
        )
    stage.close()
    return url


@pytest.fixture(scope="module")
def three() -> Iterator[list[Workers]]:
    with ExitStack() as stack:
        yield [stack.enter_context(workers()) for _ in range(3)]


def counts(engine: Engine) -> dict[str, int]:
    return dict(
        engine.query(
            "SELECT s.state, CAST(count(*) AS INTEGER) FROM (SELECT state FROM journey.messages"
            " UNION ALL SELECT state FROM journey.calls) AS s GROUP BY s.state"
        )
    )


def nothing_twice(engine: Engine) -> None:
    slots = "SELECT message_id, attempt, state FROM journey.receipt"
    assert engine.query(f"{slots} GROUP BY message_id, attempt, state HAVING count(*) > 1") == []


def handed_over_twice(engine: Engine) -> list[tuple[object, ...]]:
    return engine.query(
        "SELECT message_id FROM journey.receipt WHERE state = 'submitting'"
        " GROUP BY message_id HAVING count(*) > 1"
    )


@pytest.mark.parametrize("round_", range(2))
def test_three_at_once(decided: str, three: list[Workers], tmp_path: Path, round_: int) -> None:
    url = new_database(like=decided)
    for one in three:
        one.send(Work(url=url, folder=str(tmp_path)))
    assert [one.answer() for one in three] == ["done"] * 3
    engine = open_engine("postgres", url)
    found = counts(engine)
    nothing_twice(engine)
    assert handed_over_twice(engine) == []
    assert found.keys() <= {"accepted", "cancelled"}
    assert found["accepted"] == len({Path(name).stem for name in letters(tmp_path)}) > 40
    holders = engine.query("SELECT 1 FROM journey.batch WHERE NOT done OR holder IS NOT NULL")
    assert holders == []
    engine.close()


@pytest.mark.parametrize("keyed", [False, True])
def test_one_stands_still_past_its_lease(
    decided: str, three: list[Workers], tmp_path: Path, keyed: bool
) -> None:
    """At statements of every kind, those before a commit among them; then it goes on."""
    stopped, nobody = three[0], 0
    for at in range(4, 40, 5 if keyed else 3):
        folder = tmp_path / str(at)
        url = new_database(like=decided)
        stopped.send(Work(url=url, folder=str(folder), at=at, lease=LEASE, keyed=keyed))
        assert stopped.answer() == "stopped"
        engine = open_engine("postgres", url)
        # By its own clock the lease of the other is over; the database ends what stands still.
        second = Work(url=url, folder=str(folder), lease=LEASE, hours=1, keyed=keyed)
        deliver(engine, second)
        stopped.go_on()
        deliver(engine, second)
        found = counts(engine)
        nothing_twice(engine)
        unknown = found.pop("unknown", 0)
        assert unknown <= (0 if keyed else IN_FLIGHT), at
        assert found.keys() <= {"accepted", "cancelled"}, (at, found)
        if not keyed:
            assert handed_over_twice(engine) == [], at
        nobody += unknown == 0
        engine.close()
    assert nobody > 0


def test_runtimes_that_begin_together_sign_with_one_key(tmp_path: Path) -> None:
    """The first to keep a key has made it for all: links of the others would lead nowhere."""
    url = new_database()
    engines = [open_engine("postgres", url) for _ in range(4)]
    load(engines[0])
    Stage(engines[0], tmp_path)
    together = Barrier(len(engines))

    def key(engine: Engine) -> bytes:
        together.wait()
        return own_key(engine)

    with ThreadPoolExecutor(len(engines)) as threads:
        keys = set(threads.map(key, engines))
    assert len(keys) == 1
    for engine in engines:
        engine.close()
