"""Caps for some: of a segment, by a customer's own wish, about a topic."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.agreement.both import both
from tests.agreement.prelude import instant, record
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    enters,
    happens,
    journey,
    program,
    project,
    refusals,
    sent,
)

MAIL = 'hello: send email "t"'


@pytest.mark.parametrize(("below", "reasons"), [(10, []), (11, ["capped"])])
def test_a_cap_for_a_segment_binds_its_members_alone(below: int, reasons: list[str]) -> None:
    text = project(
        journey("j", MAIL, "reenter always"),
        f"segment few = customer.points < {below}",
        policy="cap email 1 per 7d for few then skip cap any 9 per 7d",
    )
    with both(text, START) as pair:
        enters(pair, points=10)
        happens(pair, "signed_up", START + 2 * HOUR)
        assert refusals(pair.tick(START + 2 * HOUR)) == reasons


def test_membership_is_that_of_the_tick() -> None:
    text = project(
        journey("j", MAIL, "reenter always"),
        "segment mailed = exists(sent of email)",
        policy="cap email 1 per 7d for mailed",
    )
    with both(text, START) as pair:
        enters(pair)
        happens(pair, "signed_up", START + 2 * HOUR)
        held = [r for r in pair.tick(START + 2 * HOUR)["runs"] if r[4] == "active"]
        assert [row[7:] for row in held] == [(START + HOUR + 7 * DAY, "capped")]


@pytest.mark.parametrize(
    ("wish", "reasons"), [(1, ["capped"]), (2, []), (None, []), (0, ["capped"] * 2)]
)
def test_a_customers_wish_is_their_cap(wish: int | None, reasons: list[str]) -> None:
    text = program(MAIL, "reenter always", policy="cap email customer.points per 7d then skip")
    with both(text, START) as pair:
        enters(pair, points=wish)
        happens(pair, "signed_up", START + 2 * HOUR)
        assert refusals(pair.tick(START + 2 * HOUR)) == reasons


@pytest.mark.parametrize("own", ["", " else hold 1d"])
def test_who_wants_none_is_not_made_to_wait(own: str) -> None:
    text = program(MAIL + own, policy="cap email customer.points per 7d then hold")
    with both(text, START) as pair:
        assert refusals(enters(pair, points=-1)) == ["capped"]


def test_a_wish_that_is_used_up_is_waited_for() -> None:
    text = program(MAIL, "reenter always", policy="cap email customer.points per 1d")
    with both(text, START) as pair:
        enters(pair, points=1)
        happens(pair, "signed_up", START + 2 * HOUR)
        look = pair.tick(START + 2 * HOUR)
        assert [r[7] for r in look["runs"] if r[4] == "active"] == [START + HOUR + DAY]


def test_a_topics_cap_counts_and_binds_messages_about_it() -> None:
    text = project(
        journey("a", 'one: send email "t" about offers', "priority 2"),
        journey("b", 'two: send sms "t" about offers', "priority 1"),
        journey("c", 'three: send email "t"'),
        policy="cap about offers 1 per 7d then skip",
    )
    with both(text, START) as pair:
        said = {"at": instant("2025-01-01T00:00"), "topic": "offers", "status": "in"}
        pair.add("crm.consents", record("crm.consents", customer_id=1, **said))
        look = enters(pair, mobile="+49")
        assert sorted(m[0] for m in sent(look)) == ["one", "three"]
        assert refusals(look) == ["capped"]


def test_what_was_decided_about_nothing_does_not_count_for_a_topic() -> None:
    text = project(
        journey("a", 'one: send email "t"', "priority 2"),
        journey("b", 'two: send email "t" about offers'),
        policy="cap about offers 1 per 7d then skip",
    )
    with both(text, START) as pair:
        said = {"at": instant("2025-01-01T00:00"), "topic": "offers", "status": "in"}
        pair.add("crm.consents", record("crm.consents", customer_id=1, **said))
        happens(pair, "signed_up", START + MINUTE)
        assert len(sent(enters(pair))) == 2


@pytest.mark.parametrize(("after", "reasons"), [(DAY - MINUTE, ["capped"]), (DAY, [])])
def test_the_old_end_of_the_shorter_of_two_windows(after: timedelta, reasons: list[str]) -> None:
    policy = "cap email 1 per 1d then skip cap any 9 per 7d"
    with both(program(MAIL, "reenter always", policy=policy), START) as pair:
        enters(pair)
        now = START + HOUR + after
        happens(pair, "signed_up", now)
        assert refusals(pair.tick(now)) == reasons


@pytest.mark.parametrize(("first", "reasons"), [("00:00", ["capped"]), ("-00:01", [])])
def test_a_day_begins_with_its_midnight(first: str, reasons: list[str]) -> None:
    midnight = instant("2026-03-04T00:00")
    decided = midnight - MINUTE if first.startswith("-") else midnight
    policy = "cap email 1 per day then skip cap any 9 per 7d"
    with both(program(MAIL, "reenter always", policy=policy), START) as pair:
        enters(pair, decided)
        happens(pair, "signed_up", midnight + 2 * HOUR)
        assert refusals(pair.tick(midnight + 2 * HOUR)) == reasons


def test_who_waits_for_a_cap_waits_for_the_oldest_message() -> None:
    policy = "cap email 2 per 7d then hold"
    with both(program(MAIL, "reenter always", policy=policy), START) as pair:
        look = enters(pair)
        for hours in (5, 9):
            happens(pair, "signed_up", START + hours * HOUR)
            look = pair.tick(START + hours * HOUR)
        held = [r for r in look["runs"] if r[4] == "active"]
        assert [row[7] for row in held] == [START + HOUR + 7 * DAY]


@pytest.mark.parametrize(("given_back", "reasons"), [(True, []), (False, ["capped"])])
def test_what_was_given_back_does_not_count(given_back: bool, reasons: list[str]) -> None:
    policy = "cap email 1 per 7d then skip"
    with both(program(MAIL, "reenter always", policy=policy), START) as pair:
        enters(pair)
        if given_back:
            pair.give_back(0)
        happens(pair, "signed_up", START + 3 * HOUR)
        assert refusals(pair.tick(START + 3 * HOUR)) == reasons
