"""Runs of one journey side by side, and entries by what happens to messages."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.agreement.both import Look, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    happens,
    journey,
    people,
    program,
    project,
    refusals,
    sent,
)

PER = "enter on ordered per items"


def entered(look: Look) -> list[datetime]:
    return sorted(row[3] for row in look["runs"])


def test_a_run_for_each_key() -> None:
    with both(program("w: wait 30d", "reenter never", enter=PER), START) as pair:
        people(pair, 1)
        for minutes, items in enumerate((1, 2, 1, None, None), 1):
            happens(pair, "ordered", START + minutes * MINUTE, items=items)
        look = pair.tick(START + HOUR)
        assert entered(look) == [START + n * MINUTE for n in (1, 2, 4)]
        assert refusals(look) == ["active", "active"]
        happens(pair, "ordered", START + 2 * HOUR, items=2)
        happens(pair, "ordered", START + 2 * HOUR, items=3)
        look = pair.tick(START + 2 * HOUR)
        assert len(look["runs"]) == 4
        assert refusals(look) == ["active"] * 3


def test_the_rule_of_reentry_is_for_each_key() -> None:
    with both(program("", "reenter after 1d", enter=PER), START) as pair:
        people(pair, 1)
        look: Look = {}
        for hours, items in ((1, 1), (2, 2), (3, 1), (26, 2), (27, 2)):
            happens(pair, "ordered", START + hours * HOUR, items=items)
            look = pair.tick(START + hours * HOUR)
        assert entered(look) == [START + n * HOUR for n in (1, 2, 26)]
        assert refusals(look) == ["reentry", "reentry"]


@pytest.mark.parametrize("field", ["total", "gift", "due"])
def test_keys_of_every_type(field: str) -> None:
    with both(program("w: wait 1d", enter=f"enter on ordered per {field}"), START) as pair:
        people(pair, 1)
        for hours in (1, 2):
            happens(pair, "ordered", START + hours * HOUR)
            pair.tick(START + hours * HOUR)
        assert refusals(pair.tick(START + 3 * HOUR)) == ["active"]


def test_runs_of_one_customer_at_one_send_are_decided_in_turn() -> None:
    cap = "cap email 1 per 1d then skip"
    text = program('hello: send email "t"', enter=PER, policy=cap)
    with both(text, START) as pair:
        people(pair, 1)
        for items in (1, 2, 3):
            happens(pair, "ordered", START + items * MINUTE, items=items)
        look = pair.tick(START + HOUR)
        assert len(look["messages"]) == 1
        assert refusals(look) == ["capped", "capped"]


def test_an_exposure_is_the_earliest_of_a_tick() -> None:
    steps = 'x: experiment salt "x" { arm a 50% { } arm b 50% { } }'
    with both(program(steps, 'holdout 1% salt "h"', enter=PER), START) as pair:
        people(pair, 1)
        for items in (3, 2, 1):
            happens(pair, "ordered", START + items * MINUTE, items=items)
        look = pair.tick(START + HOUR)
        assert [row[5] for row in look["exposures"]] == [START + MINUTE] * 2


# --- messages -----------------------------------------------------------------

FIRST = journey("first", 'hello: send email "t"\nbye: send push "t"', enter="enter on signed_up")


def two(enter: str, steps: str = "", *headers: str) -> str:
    return project(FIRST, journey("second", steps, *headers, enter=enter))


def second(look: Look) -> list[tuple[int, datetime]]:
    return sorted((row[0], row[3]) for row in look["runs"] if row[1] == "second")


@pytest.mark.parametrize(
    ("of", "enters"),
    [
        ("opened", True),
        ("opened of email", True),
        ("opened of first/hello", True),
        ('opened of email where device = "a"', True),
        ('opened of email where device = "b"', False),
        ("opened of push", False),
        ("opened of first/bye", False),
        ("clicked of email", False),
    ],
)
def test_what_happens_to_a_message_lets_people_in(of: str, enters: bool) -> None:
    with both(two(f"enter on {of}"), START) as pair:
        people(pair, 1, 2)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        at = START + HOUR + MINUTE
        pair.say(0, "opened", at, device="a")
        look = pair.tick(START + 2 * HOUR)
        assert second(look) == ([(1, at)] if enters else [])


def test_feedback_may_come_a_day_late() -> None:
    with both(two("enter on opened of email", "w: wait 1h"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.tick(START + DAY)
        pair.say(0, "opened", START + HOUR, device="a")
        assert second(pair.tick(START + DAY + HOUR)) == [(1, START + HOUR)]


def test_a_decision_is_seen_by_the_next_tick() -> None:
    with both(two("enter on sent of email where cost > 0 EUR", 'm: send push "t"'), START) as pair:
        people(pair, 1, token="t", mobile="+49")
        happens(pair, "signed_up", START + MINUTE)
        assert second(pair.tick(START + HOUR)) == []
        look = pair.tick(START + 2 * HOUR)
        assert second(look) == [(1, START + HOUR)]
        assert second(pair.tick(START + 3 * HOUR)) == [(1, START + HOUR)]
        assert [step for step, _, _ in sent(look)].count("m") == 1


def test_the_entry_keeps_what_the_provider_said() -> None:
    steps = 'if entry.device = "a" { exit as right } else { exit as wrong }'
    with both(two("enter on opened of email per device", steps, "reenter never"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        for device in ("a", "b", "a"):
            pair.say(0, "opened", START + HOUR, device=device)
        look = pair.tick(START + 2 * HOUR)
        ends = sorted(row[8] for row in look["runs"] if row[1] == "second")
        assert ends == ["right", "wrong"]
