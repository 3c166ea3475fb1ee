"""Adaptive experiments: shares that follow the goal, in both forms."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from tests.agreement.both import Both, Look, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program
from tests.oracle.chance import bucket

STEPS = """which: experiment adaptive salt "s" {
    arm plain 50% control { hello: send email "t" }
    arm named 50% { hallo: send email "t" }
  }"""
GOAL = "goal ordered within 12h"


def arms(look: Look) -> Counter[str]:
    return Counter(row[4] for row in look["exposures"])


def shares(pair: Both) -> list[tuple[int, int]]:
    """Per day (from 0) the basis points of `named`."""
    rows = pair.engine.query(
        "SELECT day - DATE '2026-03-02', high - low FROM journey.weight WHERE arm = 'named'"
    )
    return sorted(rows)


def arrive(pair: Both, numbers: range, now: datetime) -> None:
    people(pair, *numbers)
    for number in numbers:
        happens(pair, "signed_up", now - MINUTE, number)


def test_the_better_arm_gets_more_and_the_other_is_never_left_out() -> None:
    with both(program(STEPS, GOAL), START) as pair:
        now = START + HOUR
        arrive(pair, range(1, 41), now)
        look = pair.tick(now)
        assert shares(pair) == [(0, 5_000)], "as written, until somebody can be judged"
        named = [row[0] for row in look["exposures"] if row[4] == "named"]
        for customer in named:
            happens(pair, "ordered", now + HOUR, customer)
        now += DAY
        arrive(pair, range(41, 101), now)
        look = pair.tick(now)
        assert shares(pair)[1] == (1, 9_500), "who never gets less than 5%"
        later = Counter(row[4] for row in look["exposures"] if row[0] > 40)
        assert later["named"] > 50
        assert later["plain"] > 0


def test_who_got_which_arm_follows_from_the_stored_tables() -> None:
    with both(program(STEPS, GOAL), START) as pair:
        for day in range(4):
            now = START + day * DAY + HOUR
            arrive(pair, range(40 * day + 1, 40 * day + 41), now)
            look = pair.tick(now)
            for row in look["exposures"]:
                if row[0] > 40 * day and row[4] == "named" and row[0] % 3:
                    happens(pair, "ordered", now + HOUR, row[0])
        ranges = {
            (day, salt, arm): (low, high)
            for day, salt, arm, low, high in pair.engine.query(
                "SELECT day, salt, arm, low, high FROM journey.weight"
            )
        }
        exposures = pair.engine.query(
            'SELECT customer_id, salt, arm, CAST("at" AS DATE) FROM journey.exposure'
        )
        assert len(exposures) == 160
        assert len({ranges[day, "s", "named"] for day, _, _ in ranges}) > 1, "shares have moved"
        for customer, salt, arm, day in exposures:
            low, high = ranges[day, salt, arm]
            assert low <= bucket(salt, customer) < high


def test_an_arm_once_given_is_kept() -> None:
    with both(program(STEPS, GOAL, "reenter after 1d"), START) as pair:
        now = START + HOUR
        arrive(pair, range(1, 41), now)
        before = {row[0]: row[4] for row in pair.tick(now)["exposures"]}
        for customer, arm in before.items():
            if arm == "named":
                happens(pair, "ordered", now + HOUR, customer)
        now += DAY
        for customer in before:
            happens(pair, "signed_up", now - MINUTE, customer)
        look = pair.tick(now)
        assert {row[0]: row[4] for row in look["exposures"]} == before
        sent = {row[0]: row[3] for row in look["messages"] if row[5] == now}
        assert sent == {
            c: f"which/{a}/{'hello' if a == 'plain' else 'hallo'}" for c, a in before.items()
        }


def test_shares_are_drawn_once_a_day_and_also_by_an_idle_tick() -> None:
    with both(program(STEPS, GOAL), START) as pair:
        for now in (START, START + HOUR, START + DAY, START + DAY + HOUR, START + 3 * DAY):
            pair.tick(now)
        assert [day for day, _ in shares(pair)] == [0, 1, 3]


@pytest.mark.parametrize("hours", [11, 12])
def test_only_who_had_time_enough_is_judged(hours: int) -> None:
    with both(program(STEPS, GOAL), START) as pair:
        evening = START.replace(hour=13)
        arrive(pair, range(1, 21), evening)
        look = pair.tick(evening)
        for row in look["exposures"]:
            if row[4] == "named":
                happens(pair, "ordered", evening + MINUTE, row[0])
        pair.tick(evening - MINUTE + hours * HOUR)
        judged = hours == 12
        assert (shares(pair)[-1][1] > 8_000) is judged


SEND = 'm: send best of { email "t" sms "t" }'
PINNED = ("reenter always", "upgrade pin", "goal ordered within 3h")
DAYS = 5


def learns_in_two_versions(steps: str, other: str, *headers: str) -> None:
    """People come each day, some before and some behind an apply, and half of them order."""
    with both(program(f"early: wait 20h\n{steps}", *headers), START) as pair:
        people(pair, *range(1, 31), mobile="+49", country="DE")
        for day in range(DAYS):
            now = START + day * DAY + HOUR
            for number in range(1, 31):
                if (number + day) % 3:
                    happens(pair, "signed_up", now - MINUTE, number)
            pair.tick(now)
            if day in (1, 3):
                text = program(f"early: wait {20 * 60 + day}m\n{other}", *headers)
                assert pair.apply(text, now + MINUTE)
            sent = [r for r in pair.tick(now + 22 * HOUR)["messages"] if r[5] == now + 22 * HOUR]
            assert sent
            for row in sent:
                if row[4] == "sms" or row[3].endswith("hallo"):
                    happens(pair, "ordered", row[5] + MINUTE, row[0])


def test_each_version_learns_its_best_channel_by_itself() -> None:
    learns_in_two_versions(SEND, f"{SEND}\nlater: wait 1h", *PINNED)


def test_one_salt_is_one_experiment_in_all_versions() -> None:
    learns_in_two_versions(STEPS, f"{STEPS}\nlater: wait 1h", *PINNED)


def test_an_experiment_that_only_an_earlier_version_has_goes_on() -> None:
    """Who has an arm keeps it, also where the newest version has no such experiment."""
    learns_in_two_versions(f"{STEPS}\n{SEND}", SEND, *PINNED)
