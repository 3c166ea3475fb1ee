"""Sends to the best channel: shares per day that follow the goal, in both forms."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from random import Random

import pytest

from journeylang.runtime.learning import seed
from tests.agreement.both import Both, Look, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program
from tests.oracle.chance import bucket

STEP = 'hello: send best of { email "t" sms "t" }'
GOAL = "goal ordered within 12h"
NOON = START + 4 * HOUR


def shares(pair: Both) -> list[tuple[int, str, int]]:
    """Per day (from 0) and channel the basis points."""
    rows = pair.engine.query("SELECT day - DATE '2026-03-02', arm, high - low FROM journey.weight")
    return sorted(rows)


def arrive(pair: Both, numbers: range, now: datetime, **values: str | None) -> None:
    people(pair, *numbers, **({"mobile": "+49"} | values))
    for number in numbers:
        happens(pair, "signed_up", now - MINUTE, number)


def by(look: Look, *, above: int = 0) -> dict[int, str]:
    return {row[0]: row[4] for row in look["messages"] if row[0] > above}


def test_as_long_as_nothing_is_known_each_channel_is_as_likely() -> None:
    with both(program(STEP, GOAL), START) as pair:
        now = START + HOUR
        arrive(pair, range(1, 61), now)
        got = by(pair.tick(now))
        assert shares(pair) == [(0, "email", 5_000), (0, "sms", 5_000)]
        assert got == {
            n: "email" if bucket("j/hello:2026-03-02", n) < 5_000 else "sms" for n in got
        }


def test_the_better_channel_gets_more_and_the_other_is_never_left_out() -> None:
    with both(program(STEP, GOAL), START) as pair:
        now = START + HOUR
        arrive(pair, range(1, 41), now)
        for customer, channel in by(pair.tick(now)).items():
            if channel == "sms":
                happens(pair, "ordered", now + HOUR, customer)
        now += DAY
        arrive(pair, range(41, 141), now)
        later = Counter(by(pair.tick(now), above=40).values())
        assert shares(pair)[2:] == [(1, "email", 500), (1, "sms", 9_500)]
        assert later["sms"] > 80
        assert later["email"] > 0


def test_whom_the_best_does_not_reach_gets_the_rest_as_written() -> None:
    step = 'hello: send best of { push "t" email "t" sms "t" } else skip'
    with both(program(step, GOAL), START) as pair:
        now = START + HOUR
        arrive(pair, range(1, 61), now, mobile=None)
        assert set(by(pair.tick(now)).values()) == {"email"}
        arrive(pair, range(61, 121), now + HOUR, email=None, token="t")
        got = Counter(by(pair.tick(now + HOUR), above=60).values())
        # Who was to get an e-mail gets what is written first of the others.
        assert got["push"] > got["sms"] > 0


def test_each_day_draws_anew() -> None:
    with both(program(f"l: repeat up to 3 times {{ {STEP} w: wait 1d }}", GOAL), START) as pair:
        arrive(pair, range(1, 31), NOON)
        looks = [pair.tick(NOON + n * DAY) for n in range(3)]
        days = [
            {row[0]: row[4] for row in look["messages"] if row[5].date() == (NOON + n * DAY).date()}
            for n, look in enumerate(looks)
        ]
        assert all(a != b for a, b in pairwise(days))


@pytest.mark.parametrize("hours", [11, 12])
def test_only_messages_that_had_time_enough_are_judged(hours: int) -> None:
    with both(program(STEP, GOAL), START) as pair:
        evening = START.replace(hour=13)
        arrive(pair, range(1, 21), evening)
        for customer, channel in by(pair.tick(evening)).items():
            if channel == "sms":
                happens(pair, "ordered", evening + MINUTE, customer)
        pair.tick(evening + hours * HOUR)
        assert (shares(pair)[-1][2] > 8_000) is (hours == 12)


def test_what_was_given_back_is_not_judged() -> None:
    with both(program(STEP, GOAL), START) as pair:
        arrive(pair, range(1, 11), NOON)
        for _ in by(pair.tick(NOON)):
            pair.give_back(len(pair.tables.given_back))
        pair.tick(NOON + DAY)
        assert [share for *_, share in shares(pair)] == [5_000] * 4


def test_every_message_is_judged_by_itself_by_the_orders_behind_it() -> None:
    steps = f"l: repeat up to 2 times {{ {STEP} w: wait 2d }}"
    # Of a run's figures there is one, however many messages it has had.
    goal = "goal ordered where count(visited since entry) = 1 within 12h"
    with both(program(steps, goal), START) as pair:
        arrive(pair, range(1, 21), NOON)
        first = by(pair.tick(NOON))
        for number in first:
            happens(pair, "visited", NOON + MINUTE, number)
        second = by(pair.tick(NOON + 2 * DAY), above=0)
        for number in second:
            happens(pair, "ordered", NOON + 2 * DAY + HOUR, number)
        look = pair.tick(NOON + 3 * DAY)
        sent = [(row[4], row[5]) for row in look["messages"]]
        counts = [
            (
                sum(channel == one for channel, _ in sent),
                sum(channel == one and at > NOON + DAY for channel, at in sent),
            )
            for one in ("email", "sms")
        ]
        assert sum(n for n, _ in counts) == 40
        random = Random(seed("j/l/hello", (NOON + 3 * DAY).date()))
        wins = 0
        for _ in range(2_000):
            rates = [random.betavariate(1 + hits, 1 + n - hits) for n, hits in counts]
            wins += rates[0] > rates[1]
        assert shares(pair)[-2][2] == pytest.approx(500 + 9_000 * wins / 2_000, abs=1)
