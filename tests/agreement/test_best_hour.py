"""Waits for the hour at which a customer opens most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from journeylang.engines.base import Engine
from tests.agreement.both import Both, both
from tests.agreement.prelude import instant
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, journey, people, project, sent

MAIL = journey("mail", 'm: send email "t"', "reenter always")
DAYS = [instant(f"2026-03-{day:02}T00:00") for day in range(3, 10)]
NOW = instant("2026-03-11T08:30")


def waiting(within: str = "24h") -> str:
    steps = f"b: wait until best hour within {within}\nexit as done"
    return project(MAIL, journey("wait", steps, enter="enter on visited"))


def opens(pair: Both, whose: Mapping[int, tuple[float, ...]]) -> None:
    """A message a day to each, opened at so many hours (UTC) of the next day."""
    for number, day in enumerate(DAYS):
        opened = {who: hours[number] for who, hours in whose.items() if number < len(hours)}
        before = len(pair.memory.messages)
        for who in opened:
            happens(pair, "signed_up", day, who)
        pair.tick(day + MINUTE)
        for index, message in enumerate(pair.memory.messages[before:], before):
            pair.say(index, "opened", day + DAY + opened[message.customer] * HOUR)


def wakes(pair: Both, customer: int, arrival: datetime = NOW) -> datetime | str:
    """When somebody who arrives at the wait goes on; how the run ended if that was at once."""
    happens(pair, "visited", arrival, customer)
    look = pair.tick(arrival)
    (run,) = [row for row in look["runs"] if row[:2] == (customer, "wait")]
    return str(run[8]) if run[7] is None else run[7]


def test_the_hour_at_which_somebody_opens_most() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1)
        opens(
            pair,
            {
                1: (
                    19.5,
                    7.2,
                    19,
                    7.9,
                    19.99,
                )
            },
        )
        assert wakes(pair, 1) == instant("2026-03-11T19:00")
        assert pair.tick(instant("2026-03-11T20:00"))["runs"]


def test_of_equally_frequent_ones_the_earlier() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1)
        opens(
            pair,
            {
                1: (
                    21.5,
                    12.2,
                    21,
                    12,
                )
            },
        )
        assert wakes(pair, 1) == instant("2026-03-11T12:00")


def test_the_hour_is_that_of_the_customers_own_clock() -> None:
    """Opened at 7 o'clock in the winter, so it is 7 o'clock when clocks have changed."""
    with both(waiting(), START) as pair:
        people(pair, 1, tz="Europe/Berlin")
        opens(
            pair,
            {
                1: (
                    6.5,
                    6.5,
                )
            },
        )
        assert wakes(pair, 1, instant("2026-03-30T08:30")) == instant("2026-03-31T05:00")


@pytest.mark.parametrize(("opened", "at"), [((18, 18, 9), "18:00"), ((), "10:00")])
def test_who_has_opened_nothing_is_like_all_others(opened: tuple[int, ...], at: str) -> None:
    with both(waiting(), START) as pair:
        people(pair, 1, 2)
        opens(pair, {2: opened})
        assert wakes(pair, 1) == instant(f"2026-03-11T{at}")


def test_all_others_open_on_their_own_clocks() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1, 2)
        people(pair, 3, tz="America/New_York")
        opens(pair, {3: (14, 14, 14), 2: (15, 15)})
        assert wakes(pair, 1) == instant("2026-03-11T09:00")


def test_opens_of_long_ago_do_not_count() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1, 2)
        opens(pair, {1: (18,)})
        late = DAYS[1] + 18 * HOUR + 90 * DAY
        assert wakes(pair, 1, late - MINUTE) == late
        assert wakes(pair, 2, late) == (late + DAY).replace(hour=10)


def test_those_who_are_gone_do_not_count() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1, 2)
        opens(pair, {1: (18,)})
        pair.put("crm.customers", [r for r in pair.tables.rows["crm.customers"] if r["id"] == 2])
        assert wakes(pair, 2) == instant("2026-03-11T10:00")


@pytest.mark.parametrize(
    ("within", "arrival", "at"),
    [
        ("24h", "2026-03-11T19:00", "2026-03-12T19:00"),
        ("24h", "2026-03-11T19:20", "2026-03-12T19:00"),
        ("23h", "2026-03-11T19:20", "done"),
        ("3h", "2026-03-11T16:00", "2026-03-11T19:00"),
        ("3h", "2026-03-11T15:59:59", "done"),
        ("1d", "2026-03-11T19:00", "2026-03-12T19:00"),
    ],
)
def test_what_is_too_far_is_not_waited_for(within: str, arrival: str, at: str) -> None:
    with both(waiting(within), START) as pair:
        people(pair, 1)
        opens(pair, {1: (19,)})
        found = wakes(pair, 1, instant(arrival))
        assert found == (at if at == "done" else instant(at))


def test_what_is_opened_later_does_not_move_those_who_wait() -> None:
    with both(waiting(), START) as pair:
        people(pair, 1, 2)
        opens(pair, {1: (19,)})
        assert wakes(pair, 1) == instant("2026-03-11T19:00")
        for number in range(2):
            pair.say(0, "opened", NOW - number * MINUTE)
        look = pair.tick(NOW + HOUR)
        (run,) = [row for row in look["runs"] if row[1] == "wait"]
        assert run[7] == instant("2026-03-11T19:00")
        assert len(sent(look)) == 1


def test_all_are_asked_only_when_somebody_may_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    with both(waiting(), START) as pair:
        people(pair, 1)
        opens(pair, {1: (19,)})
        asked: list[str] = []
        query = pair.engine.query

        def heard(statement: str, *rest: object) -> object:
            asked.extend([statement] * ("opens DESC" in statement))
            return query(statement, *rest)  # type: ignore[arg-type]

        engine: Engine = pair.engine
        monkeypatch.setattr(engine, "query", heard)
        pair.tick(NOW - HOUR)
        happens(pair, "signed_up", NOW - HOUR, 1)
        pair.tick(NOW - MINUTE)
        assert len(asked) == 0
        wakes(pair, 1)
        assert len(asked) == 1
        pair.tick(NOW + HOUR)
        assert len(asked) == 1
