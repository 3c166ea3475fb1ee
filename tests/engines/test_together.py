"""Several processes on one PostgreSQL: one ticks, and nothing is lost or done twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from journeylang.api import Runtime
from journeylang.engines.base import ConflictError
from journeylang.runtime.lease import TakenOverError
from tests.engines.server import database
from tests.engines.test_running import PEOPLE, shop
from tests.engines.watched import COMMIT
from tests.runtime.world import HOUR, NOW, loaded, meaning

# Everybody signs up, and every fifth is loyal.
ENTERED = PEOPLE + PEOPLE // 5 - 1


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with database() as url:
        shop(tmp_path, monkeypatch, url)
        yield url


def opened(root: Path) -> Runtime:
    found = Runtime.open(loaded(root), "dev", now=NOW)
    assert found.value is not None, found.diagnostics
    return found.value


def test_the_other_says_so(tmp_path: Path, address: str) -> None:
    with opened(tmp_path) as first:
        assert first.tick(NOW + HOUR).entered == ENTERED
        second = Runtime.open(loaded(tmp_path), "dev", now=NOW)
        assert second.value is None
        (told,) = second.diagnostics
        assert told.code.id == "JRN802"
        assert first.session.lease.holder in told.message
    with opened(tmp_path) as second_now:
        assert second_now.tick(NOW + HOUR).entered == 0


def test_a_lease_that_is_over_is_taken(tmp_path: Path, address: str) -> None:
    """The first was stopped: what it would do then is refused, and nothing is done twice."""
    first = opened(tmp_path)
    first.tick(NOW + HOUR)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("UPDATE journey.lock SET lease_until = now() - INTERVAL '1 day'")
    with opened(tmp_path) as second:
        second.tick(NOW + 2 * HOUR)
        before = meaning(second.engine)
        with pytest.raises(TakenOverError) as refused:
            first.tick(NOW + 26 * HOUR)
        assert refused.value.holder == second.session.lease.holder
        assert meaning(second.engine) == before
        second.tick(NOW + 26 * HOUR)
    first.close()


@pytest.mark.parametrize("at", ["trail", "journey.run", "journey.message", COMMIT])
def test_a_lost_connection_is_replaced(tmp_path: Path, address: str, at: str) -> None:
    """Cut at a statement, the tick is done again from its beginning on a new connection."""
    with opened(tmp_path) as runtime:
        engine = runtime.engine
        cuts: list[str] = []

        def cut(statement: str) -> None:
            if at in statement and not cuts:
                cuts.append(statement)
                with psycopg.connect(address, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'journeylang'"
                    )

        engine.before = cut  # type: ignore[attr-defined]
        assert runtime.tick(NOW + HOUR).entered == ENTERED
        assert cuts
        once = meaning(engine)
        runtime.tick(NOW + HOUR)
        assert meaning(engine) == once
        assert len(once["run"]) == ENTERED


def test_a_transaction_in_the_way_is_waited_for(tmp_path: Path, address: str) -> None:
    """Another's write to the tick's own row: the tick is done again."""
    with opened(tmp_path) as runtime:
        cuts: list[str] = []

        def interfere(statement: str) -> None:
            # Behind the beginning of the transaction, and before its first write.
            if "UPDATE journey.lock" in statement and "token + 1" in statement and not cuts:
                cuts.append(statement)
                runtime.engine.query("SELECT 1")
                with psycopg.connect(address, autocommit=True) as other:
                    other.execute("UPDATE journey.lock SET next_batch = next_batch")

        runtime.engine.before = interfere  # type: ignore[attr-defined]
        assert runtime.tick(NOW + HOUR).entered == ENTERED
        assert cuts
        assert runtime.tick(NOW + HOUR).entered == 0


def test_a_runtime_that_stands_still_in_a_tick_is_cut_off(tmp_path: Path, address: str) -> None:
    """It has locked its row: the database ends its transaction, and the other goes on."""
    first = opened(tmp_path)
    first.session.lease.length = timedelta(seconds=1)
    first.session.lease.forget()
    first.tick(NOW)
    began = first.engine.transaction()
    began.__enter__()
    first.engine.execute("UPDATE journey.lock SET token = token WHERE name = 'tick'")
    time.sleep(1.2)
    with opened(tmp_path) as second:
        assert second.tick(NOW + HOUR).moved > 0
        with pytest.raises(ConflictError):
            first.engine.query("SELECT 1")
        with pytest.raises(TakenOverError):
            first.tick(NOW + HOUR)
    began.__exit__(None, None, None)
    first.close()
