"""Guards and pauses: who stands still, since when, and how they go on."""

from __future__ import annotations

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    journey,
    people,
    program,
    project,
    refusals,
    sent,
)

MAIL = 'hello: send email "t"'
WAITING = 'pause_: wait 2h\nhello: send email "t"'
NOW = START + HOUR


def pauses(pair: Both) -> list[tuple[object, ...]]:
    return pair.engine.query("SELECT cause, until IS NULL, detail FROM journey.pause")


def test_too_many_entries_let_nobody_in() -> None:
    with both(program(MAIL, "guard entries <= 2 per 1d"), START) as pair:
        people(pair, 1, 2, 3)
        for number in (1, 2, 3):
            happens(pair, "signed_up", NOW - number * MINUTE, number)
        look = pair.tick(NOW)
        assert look["runs"] == []
        assert refusals(look) == ["guard"] * 3
        assert pauses(pair) == [("guard", True, "guard entries <= 2 over 1d: 3")]
        pair.resume("j")
        # Those are not tried again; whoever comes now may enter.
        happens(pair, "signed_up", NOW + MINUTE, 1)
        assert len(sent(pair.tick(NOW + HOUR))) == 1


def test_entries_of_the_window_count() -> None:
    text = program(MAIL, "guard entries <= 2 per 1d", "reenter always")
    with both(text, START) as pair:
        for hours, runs in ((1, 1), (2, 2), (3, 2)):
            people(pair, hours)
            happens(pair, "signed_up", START + hours * HOUR, hours)
            assert len(pair.tick(START + hours * HOUR)["runs"]) == runs


def test_whoever_fulfils_a_condition_is_asked_again_behind_a_pause() -> None:
    text = program(
        MAIL, "guard entries <= 1 per 1d", enter="enter when customer.points > 5 every 1h"
    )
    with both(text, START) as pair:
        people(pair, 1, 2)
        look = pair.tick(NOW)
        assert (look["runs"], look["decisions"]) == ([], [])
        pair.resume("j")
        rows = pair.tables.rows["crm.customers"]
        pair.put("crm.customers", [r | {"points": 5 + r["id"] * (r["id"] == 1)} for r in rows])
        assert len(pair.tick(NOW + HOUR)["runs"]) == 1


def test_who_woke_as_too_many_came_rests_on() -> None:
    text = program(WAITING, "guard entries <= 1 per 1d")
    with both(text, START) as pair:
        enters(pair)
        people(pair, 2, 3)
        for number in (2, 3):
            happens(pair, "signed_up", START + 3 * HOUR - MINUTE, number)
        look = pair.tick(START + 3 * HOUR)
        assert (sent(look), refusals(look)) == ([], ["guard", "guard"])
        pair.resume("j")
        assert len(sent(pair.tick(START + 4 * HOUR))) == 1


@pytest.mark.parametrize(
    "guard", ["sends <= 1 over 1d", "cost < 0.06 EUR over 1d", "sends of sms < 1 over 1d"]
)
def test_a_guard_of_the_last_state_pauses(guard: str) -> None:
    steps = 'one: send sms "t"\ntwo: send email "t"\nw: wait 1h\nthree: send email "t"'
    with both(program(steps, f"guard {guard}"), START) as pair:
        assert len(sent(enters(pair, mobile="+49"))) == 2
        assert len(sent(pair.tick(START + 3 * HOUR))) == 2
        assert [p[:2] for p in pauses(pair)] == [("guard", True)]
        pair.resume("j")
        assert len(sent(pair.tick(START + 4 * HOUR))) == 3


def test_exits_act_in_a_pause() -> None:
    text = program(WAITING, "exit when exists(ordered since entry) as bought")
    with both(text, START) as pair:
        enters(pair)
        pair.pause("j")
        happens(pair, "ordered", START + 2 * HOUR)
        assert ends(pair.tick(START + 4 * HOUR)) == [("exited", "bought")]


def test_entries_of_a_pause_do_not_enter_and_are_counted() -> None:
    with both(program(MAIL, "reenter always"), START) as pair:
        enters(pair)
        pair.pause("j")
        happens(pair, "signed_up", START + 2 * HOUR)
        assert refusals(pair.tick(START + 2 * HOUR)) == ["paused"]
        pair.resume("j")
        look = pair.tick(START + 2 * HOUR + MINUTE)
        assert len(look["runs"]) == 1


def test_what_happened_in_a_pause_wakes_behind_it() -> None:
    steps = "r: wait for ordered up to 10d { on ordered { exit as bought } timeout { } }"
    with both(program(steps), START) as pair:
        enters(pair)
        pair.pause("j")
        at = START + 2 * HOUR
        happens(pair, "ordered", at)
        for days in (1, 2, 3):
            assert ends(pair.tick(START + days * DAY)) == [("active", None)]
        pair.resume("j")
        look = pair.tick(START + 4 * DAY)
        assert ends(look) == [("finished", "bought")]
        assert look["runs"][0][6] == at


def test_waits_go_on_behind_a_pause_as_after_a_late_tick() -> None:
    steps = 'a: wait 1h\none: send email "t"\nb: wait 1h\ntwo: send email "t"'
    with both(program(steps), START) as pair:
        enters(pair)
        pair.pause("j")
        pair.tick(START + 5 * HOUR)
        pair.resume("j")
        assert [m[0] for m in sent(pair.tick(START + 6 * HOUR))] == ["one"]
        assert len(sent(pair.tick(START + 7 * HOUR))) == 2


def test_other_journeys_go_on() -> None:
    text = project(journey("j", MAIL), journey("k", 'other: send email "t"'))
    with both(text, START) as pair:
        pair.pause("j")
        assert [m[0] for m in sent(enters(pair))] == ["other"]


@pytest.mark.parametrize(("count", "paused"), [(199, 0), (200, 1)])
def test_rates_need_two_hundred_messages(count: int, paused: int) -> None:
    with both(program(MAIL, "guard complaint_rate < 0.5% over 1d"), START) as pair:
        people(pair, *range(1, count + 1))
        for number in range(1, count + 1):
            happens(pair, "signed_up", NOW - MINUTE, number)
        pair.tick(NOW)
        pair.say(7, "complained", NOW + MINUTE)
        pair.tick(NOW + HOUR)
        assert len(pauses(pair)) == paused
