"""A tick repeated changes nothing, and the clock never goes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from journeylang.api import Runtime
from tests.runtime.world import HOUR, NOW, contents, make, opened, orders

STEPS = (0, 1, 2, 14, 24, 30, 31, 50, 75)


def busy(runtime: Runtime) -> None:
    """Ticks up to the first orders."""
    for n in STEPS[:5]:
        runtime.tick(NOW + n * HOUR)
    runtime.engine.execute(orders(20, NOW + 29 * HOUR))


def test_the_same_instant_again_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        for n in STEPS:
            if n == 30:
                runtime.engine.execute(orders(20, NOW + 29 * HOUR))
            now = NOW + n * HOUR
            runtime.tick(now)
            before = contents(runtime.engine)
            for _ in range(2):
                again = runtime.tick(now)
                assert (again.entered, again.moved, again.sent, again.skipped) == (0, 0, 0, 0)
                assert contents(runtime.engine) == before, n


def test_the_same_instant_in_a_new_session_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    for n in STEPS:
        now = NOW + n * HOUR
        with opened(tmp_path, NOW - HOUR) as runtime:
            runtime.tick(now)
            before = contents(runtime.engine)
        with opened(tmp_path, NOW - HOUR) as runtime:
            runtime.tick(now)
            assert contents(runtime.engine) == before, n


def test_a_clock_that_goes_back_counts_as_the_latest_instant(tmp_path: Path) -> None:
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        busy(runtime)
        latest = NOW + 31 * HOUR
        runtime.tick(latest)
        before = contents(runtime.engine)
        for back in (timedelta(microseconds=1), HOUR, timedelta(days=7), timedelta(days=20_000)):
            result = runtime.tick(latest - back)
            assert result.now == latest
            assert contents(runtime.engine) == before
        assert runtime.tick(latest + HOUR).now == latest + HOUR


def test_a_jump_ahead_is_one_tick(tmp_path: Path) -> None:
    """After days without a tick one message is due, and the wait behind it starts then."""
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        later = NOW + timedelta(days=5)
        runtime.tick(later)
        most = runtime.engine.query(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM journey.message"
            f" WHERE decided_at = TIMESTAMP '{later}' GROUP BY customer_id)"
        )[0][0]
        assert most == 1
