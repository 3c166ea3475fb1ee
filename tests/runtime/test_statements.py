"""How many statements a tick takes: what it costs does not follow the audience."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.world import HOUR, NOW, WELCOME, Count, make, opened, orders


def counts(root: Path, journeys: dict[str, str], number: int, ticks: int = 60) -> list[int]:
    """Statements of each hourly tick of a world."""
    make(root, journeys, number=number)
    seen = Count()
    with opened(root, NOW - HOUR, seen) as runtime:
        found = []
        for n in range(ticks):
            if n == 30:
                runtime.engine.execute(orders(number, NOW + n * HOUR))
            now = NOW + n * HOUR
            found.append(seen.of(lambda now=now: runtime.tick(now)))  # type: ignore[misc]
        return found


def test_an_idle_tick_is_lock_and_probe(tmp_path: Path) -> None:
    make(tmp_path, {"welcome": WELCOME})
    whole: list[str] = []
    with opened(tmp_path, NOW - HOUR, whole.append) as runtime:
        runtime.tick(NOW + 2 * HOUR)
        last = runtime.engine.query("SELECT max(wake_at) FROM journey.run")[0][0]
        for n in range(3, 8):
            whole.clear()
            now = NOW + n * HOUR
            assert now < last
            assert runtime.tick(now).idle
            kinds = [statement.split()[0] for statement in whole]
            assert kinds == ["BEGIN", "UPDATE", "SELECT", "COMMIT"], whole


NEWS = """journey news {
  owner "a@shop.example"
  enter every monday at 10:00 local when customer.points >= 0
  reenter after 1d
  policy standard
  pause: wait 3d
}
"""
STARTED = """journey started {
  owner "a@shop.example"
  enter by start
  policy standard
  pause: wait 3d
}
"""


def test_schedules_add_no_statement_to_an_idle_tick(tmp_path: Path) -> None:
    """Whether it is due on some customer's clock is part of the probe."""
    make(tmp_path, {"news": NEWS, "started": STARTED})
    whole: list[str] = []
    with opened(tmp_path, NOW - HOUR, whole.append) as runtime:
        runtime.tick(NOW)
        idle = 0
        for n in range(1, 24 * 8):
            whole.clear()
            if runtime.tick(NOW + n * HOUR).idle:
                idle += 1
                kinds = [statement.split()[0] for statement in whole]
                assert kinds == ["BEGIN", "UPDATE", "SELECT", "COMMIT"], whole
        entered = runtime.engine.query("SELECT count(*) FROM journey.run")[0][0]
        assert entered > 0
        assert idle > 24 * 4


def test_the_first_tick_of_a_session_also_reads_its_marks(tmp_path: Path) -> None:
    make(tmp_path, {"welcome": WELCOME})
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 2 * HOUR)
    seen = Count()
    with opened(tmp_path, NOW, seen) as runtime:
        assert seen.of(lambda: runtime.tick(NOW + 3 * HOUR)) == 3
        assert seen.of(lambda: runtime.tick(NOW + 4 * HOUR)) == 2


@pytest.mark.slow
def test_customers_add_no_statement(tmp_path: Path) -> None:
    few = counts(tmp_path / "few", {"welcome": WELCOME}, 120)
    many = counts(tmp_path / "many", {"welcome": WELCOME}, 2_000)
    # The hundred and twenty of the small world are of every kind that the two thousand are of.
    assert sum(few) > 3 * len(few)
    assert max(many) <= max(few)
    assert sum(many) <= sum(few) + 12


def waits(number: int) -> str:
    steps = "\n".join(f"  w{n}: wait {n + 1}d" for n in range(number))
    return (
        'journey long {\n  owner "a@shop.example"\n  enter on signed_up\n  policy standard\n'
        f"{steps}\n}}\n"
    )


def test_steps_without_work_add_no_statement(tmp_path: Path) -> None:
    def long(number: int) -> list[int]:
        return counts(tmp_path / str(number), {"long": waits(number)}, 10, ticks=30)

    assert long(3) == long(30)


def test_steps_with_work_add_no_statement(tmp_path: Path) -> None:
    """People at thirty different steps move in as many statements as people at one."""

    def spread(number: int) -> int:
        root = make(tmp_path / str(number), {"long": waits(30)}, number=60)
        seen = Count()
        with opened(root, NOW - HOUR, seen) as runtime:
            runtime.tick(NOW + HOUR)
            steps = runtime.engine.query(
                f"SELECT step FROM journey.step WHERE kind = 'wait' ORDER BY step LIMIT {number}"
            )
            listed = ", ".join(str(step) for (step,) in steps)
            runtime.engine.execute(
                f"UPDATE journey.run SET step = [{listed}][customer_id % {number} + 1]"
            )
            return seen.of(lambda: runtime.tick(NOW + 30 * HOUR))

    assert spread(1) == spread(30)


def test_the_bound_is_per_journey_with_work_and_round(tmp_path: Path) -> None:
    """A tick in which `n` like journeys work costs at most some statements more for each."""

    def like(number: int) -> dict[str, str]:
        return {
            f"like{n}": WELCOME.replace("journey welcome", f"journey like{n}").replace(
                "welcome-", f"like{n}-"
            )
            for n in range(number)
        }

    one = counts(tmp_path / "one", like(1), 60, ticks=32)
    five = counts(tmp_path / "five", like(5), 60, ticks=32)
    # Each journey more: its exits, its entries, and for everybody's next rank two in a round.
    rounds = 3
    assert max(five) <= max(one) + 4 * (2 + 2 * rounds)
