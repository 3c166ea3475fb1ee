"""Which message leaves, on which channel, and when: in both forms."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.agreement.both import Both, both
from tests.agreement.prelude import instant, record
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
    person,
    program,
    project,
    refusals,
    sent,
)


def test_quiet_hours_hold_until_they_end() -> None:
    quiet = "quiet email 22:00 to 07:00"
    with both(program('hello: send email "t"', policy=quiet), START) as pair:
        night = START.replace(hour=23)
        look = enters(pair, night)
        assert look["runs"][0][4:] == (
            "active",
            "hello",
            night - MINUTE,
            START.replace(hour=7) + DAY,
            "quiet",
        )
        assert sent(pair.tick(START.replace(hour=7) + DAY - MINUTE)) == []
        morning = START.replace(hour=7) + DAY
        assert sent(pair.tick(morning)) == [("hello", "email", morning)]


def test_quiet_hours_that_touch_are_one() -> None:
    quiet = "quiet email 22:00 to 00:00 quiet email 00:00 to 07:00"
    with both(program('hello: send email "t"', policy=quiet), START) as pair:
        look = enters(pair, START.replace(hour=23))
        assert look["runs"][0][7] == START.replace(hour=7) + DAY


def test_the_end_of_quiet_hours_is_not_quiet() -> None:
    quiet = "quiet email 07:00 to 09:00 then skip"
    with both(program('hello: send email "t"', policy=quiet), START) as pair:
        assert sent(enters(pair, START.replace(hour=9)))


def test_a_message_carries_its_next_quiet_time_whatever_is_done_in_it() -> None:
    """It may leave late, and must not leave in the quiet time that begins meanwhile."""
    quiet = "quiet email 20:00 to 22:00 quiet email 22:00 to 07:00 then skip"
    with both(program('hello: send email "t"', policy=quiet), START) as pair:
        look = enters(pair)
        evening, morning = START.replace(hour=20), START.replace(hour=7) + DAY
        assert [row[7:9] for row in look["messages"]] == [(evening, morning)]


@pytest.mark.parametrize(("hours", "reason"), [(23, "capped"), (24, None)])
def test_a_rolling_cap_counts_up_to_its_width(hours: int, reason: str | None) -> None:
    cap = "cap email 1 per 1d then skip"
    with both(program('hello: send email "t"', "reenter always", policy=cap), START) as pair:
        now = START + HOUR
        enters(pair, now)
        happens(pair, "signed_up", now + hours * HOUR)
        look = pair.tick(now + hours * HOUR)
        assert refusals(look) == ([reason] if reason else [])


def test_each_of_several_caps_counts_by_its_own_width() -> None:
    caps = "cap email 1 per 1d then skip cap email 5 per 7d"
    with both(program('hello: send email "t"', "reenter always", policy=caps), START) as pair:
        enters(pair)
        happens(pair, "signed_up", START + HOUR + DAY)
        assert len(sent(pair.tick(START + HOUR + DAY))) == 2


def test_a_cap_counts_its_own_channel() -> None:
    steps = 'one: send sms "t"\ntwo: send email "t"'
    with both(program(steps, policy="cap email 1 per 1d then skip"), START) as pair:
        assert len(sent(enters(pair, mobile="+49"))) == 2


def test_a_message_of_the_first_instant_of_a_day_counts_for_it() -> None:
    cap = "cap email 1 per day then skip"
    with both(program('hello: send email "t"', "reenter always", policy=cap), START) as pair:
        midnight = START.replace(hour=0) + DAY
        enters(pair, midnight)
        happens(pair, "signed_up", midnight + HOUR)
        assert refusals(pair.tick(midnight + HOUR)) == ["capped"]


def test_a_calendar_cap_counts_from_the_start_of_the_local_day() -> None:
    cap = "cap email 1 per day"
    text = program('hello: send email "t"', "reenter always", policy=cap)
    with both(text, START) as pair:
        enters(pair, START + HOUR, tz="Asia/Kathmandu")
        happens(pair, "signed_up", START + 2 * HOUR)
        look = pair.tick(START + 2 * HOUR)
        midnight = START.replace(hour=18, minute=15)
        held = [row for row in look["runs"] if row[4] == "active"]
        assert [(row[7], row[8]) for row in held] == [(midnight, "capped")]
        assert len(sent(pair.tick(midnight))) == 2


def test_several_caps_hold_until_the_last_of_them_opens() -> None:
    caps = "cap email 1 per 2d cap any 1 per day"
    with both(program('hello: send email "t"', "reenter always", policy=caps), START) as pair:
        enters(pair)
        happens(pair, "signed_up", START + 2 * HOUR)
        look = pair.tick(START + 2 * HOUR)
        held = [row for row in look["runs"] if row[4] == "active"]
        assert [row[7] for row in held] == [START + HOUR + 2 * DAY]


def test_what_is_given_back_does_not_count() -> None:
    cap = "cap email 1 per 1d then skip"
    with both(program('hello: send email "t"', "reenter always", policy=cap), START) as pair:
        enters(pair)
        pair.give_back(0)
        happens(pair, "signed_up", START + 2 * HOUR)
        assert len(sent(pair.tick(START + 2 * HOUR))) == 2


def test_service_messages_keep_caps_and_do_not_count() -> None:
    text = project(
        journey("a", 'one: send email "t"', "purpose service", "priority 2"),
        journey("b", 'two: send email "t"', "priority 1"),
        journey("c", 'three: send email "t"', "purpose service"),
        policy="cap email 1 per 1d then skip",
    )
    with both(text, START) as pair:
        look = enters(pair)
        assert {message[0] for message in sent(look)} == {"one", "two"}
        assert refusals(look) == ["capped"]


@pytest.mark.parametrize(("ignored", "reasons"), [("caps", ["quiet"]), ("caps, quiet", [])])
def test_service_messages_ignore_what_the_policy_lets_them(
    ignored: str, reasons: list[str]
) -> None:
    rules = f"cap email 1 per 7d then skip quiet email 22:00 to 07:00 service ignores {ignored}"
    text = project(
        journey("a", 'one: send email "t"', "reenter always"),
        journey("b", 'two: send email "t" else skip', "purpose service", enter="enter on visited"),
        policy=rules,
    )
    with both(text, START) as pair:
        enters(pair)
        happens(pair, "visited", START.replace(hour=23))
        assert refusals(pair.tick(START.replace(hour=23))) == reasons


def test_a_transactional_message_needs_an_address_alone() -> None:
    text = program(
        'hello: send email "t"',
        'purpose transactional "a booking"',
        policy="cap email 1 per 1d quiet email 00:00 to 23:59",
    )
    with both(text, START) as pair:
        pair.add("crm.customers", person(1))
        happens(pair, "signed_up", START + MINUTE)
        assert len(sent(pair.tick(START + HOUR))) == 1


@pytest.mark.parametrize(
    ("reason", "reasons"),
    [("hard_bounce", ["suppressed"]), ("complaint", ["suppressed"]), ("unsubscribe", [])],
)
def test_hard_suppression_binds_transactional_messages_too(reason: str, reasons: list[str]) -> None:
    text = program('hello: send email "t"', 'purpose transactional "a booking"')
    with both(text, START) as pair:
        pair.suppress(1, "email", START, reason)
        assert refusals(enters(pair)) == reasons


def test_whoever_unsubscribed_gets_no_service_either() -> None:
    with both(program('hello: send email "t"', "purpose service"), START) as pair:
        pair.suppress(1, "email", START, "unsubscribe")
        assert refusals(enters(pair)) == ["suppressed"]


def test_priority_then_arrival_then_name_decide_who_goes_first() -> None:
    text = project(
        journey("z", 'one: send email "t"', "priority 5"),
        journey("a", 'two: send email "t"'),
        policy="cap email 1 per 1d",
    )
    with both(text, START) as pair:
        assert [message[0] for message in sent(enters(pair))] == ["one"]


def test_of_equal_priority_the_earlier_arrival_goes_first() -> None:
    text = project(
        journey("z", 'one: send email "t"', enter="enter on ordered"),
        journey("a", 'two: send email "t"'),
        policy="cap email 1 per 1d",
    )
    with both(text, START) as pair:
        happens(pair, "ordered", START + MINUTE)
        assert [message[0] for message in sent(enters(pair))] == ["one"]


def test_a_send_that_comes_too_late_is_skipped() -> None:
    with both(program('w: wait 1h\nhello: send email "t" expires 12h'), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        assert refusals(pair.tick(START + MINUTE + 13 * HOUR)) == ["expired"]


def test_a_held_send_is_skipped_with_the_last_reason() -> None:
    quiet = "quiet email 22:00 to 07:00"
    with both(program('hello: send email "t" else hold 2h', policy=quiet), START) as pair:
        night = START.replace(hour=23)
        look = enters(pair, night)
        assert look["runs"][0][7] == night - MINUTE + 2 * HOUR
        look = pair.tick(night + 2 * HOUR)
        assert (refusals(look), ends(look)) == (["quiet"], [("finished", "end")])


def test_the_reason_of_a_hold_does_not_stick_to_the_next_send() -> None:
    steps = 'one: send email "t" else hold 2h\ntwo: send sms "t" expires 1h'
    with both(program(steps, policy="quiet email 22:00 to 07:00"), START) as pair:
        night = START.replace(hour=23)
        enters(pair, night)
        assert refusals(pair.tick(night + 2 * HOUR)) == ["no_address", "quiet"]


def test_several_channels_give_the_reason_of_the_one_that_waits() -> None:
    steps = 'hello: send first of { sms "t" email "t" }'
    with both(program(steps, policy="quiet email 22:00 to 07:00"), START) as pair:
        assert enters(pair, START.replace(hour=23))["runs"][0][8] == "quiet"


def test_a_hold_lasts_until_the_first_channel_is_free() -> None:
    quiet = "quiet email 22:00 to 07:00 quiet sms 22:00 to 06:00"
    steps = 'hello: send first of { email "t" sms "t" }'
    with both(program(steps, policy=quiet), START) as pair:
        look = enters(pair, START.replace(hour=23), mobile="+49")
        assert look["runs"][0][7] == START.replace(hour=6) + DAY


def test_a_hold_lasts_until_all_rules_of_a_channel_let_it_through() -> None:
    rules = "cap email 1 per day quiet email 22:00 to 07:00"
    with both(program('hello: send email "t"', "reenter always", policy=rules), START) as pair:
        enters(pair, START.replace(hour=21))
        happens(pair, "signed_up", START.replace(hour=23))
        look = pair.tick(START.replace(hour=23))
        held = [row[7:] for row in look["runs"] if row[4] == "active"]
        assert held == [(START.replace(hour=7) + DAY, "quiet")]


def test_nothing_waits_behind_a_rule_that_may_not_be_waited_for() -> None:
    rules = "cap email 1 per day then skip quiet email 22:00 to 07:00"
    with both(program('hello: send email "t"', "reenter always", policy=rules), START) as pair:
        enters(pair, START.replace(hour=21))
        happens(pair, "signed_up", START.replace(hour=23))
        assert refusals(pair.tick(START.replace(hour=23))) == ["quiet"]


def test_several_channels_give_the_reason_of_the_first_whose_condition_holds() -> None:
    steps = 'hello: send first of { push "t" when customer.vip sms "t" push "t" }'
    with both(program(steps), START) as pair:
        assert refusals(enters(pair, mobile="+49", country="FR")) == ["no_consent"]


def test_no_channel_is_left_when_no_condition_holds() -> None:
    steps = 'hello: send first of { sms "t" when customer.vip email "t" when customer.vip }'
    with both(program(steps), START) as pair:
        assert refusals(enters(pair)) == ["no_channel"]


def test_else_skip_never_holds() -> None:
    quiet = "quiet email 22:00 to 07:00"
    with both(program('hello: send email "t" else skip', policy=quiet), START) as pair:
        assert refusals(enters(pair, START.replace(hour=23))) == ["quiet"]


def test_else_hold_holds_what_the_policy_would_skip() -> None:
    quiet = "quiet email 22:00 to 07:00 then skip"
    with both(program('hello: send email "t" else hold 12h', policy=quiet), START) as pair:
        assert enters(pair, START.replace(hour=23))["runs"][0][8] == "quiet"


def says(pair: Both, status: str | None, at: datetime) -> None:
    row = record("crm.consents", customer_id=1, at=at, topic="email", status=status)
    pair.add("crm.consents", row)


@pytest.mark.parametrize("status", ["out", None])
def test_of_a_yes_and_a_no_at_once_the_no_counts(status: str | None) -> None:
    with both(program('hello: send email "t"'), START) as pair:
        says(pair, status, instant("2025-01-01T00:00"))
        assert refusals(enters(pair)) == ["no_consent"]


def test_consent_with_a_later_instant_does_not_exist_yet() -> None:
    with both(program('hello: send email "t"'), START) as pair:
        says(pair, "out", START + DAY)
        assert len(sent(enters(pair))) == 1


def test_what_was_said_at_the_very_instant_of_the_tick_counts() -> None:
    with both(program('hello: send email "t"'), START) as pair:
        says(pair, "out", START + HOUR)
        assert refusals(enters(pair, START + HOUR)) == ["no_consent"]


@pytest.mark.parametrize(("at", "messages"), [(instant("2024-01-01T00:00"), 1), (START, 0)])
def test_the_newer_of_both_words_decides(at: datetime, messages: int) -> None:
    with both(program('hello: send email "t"'), START) as pair:
        pair.prefer(1, "email_ok", at, False)
        assert len(sent(enters(pair))) == messages


def test_a_refusal_wins_over_consent_by_a_predicate() -> None:
    with both(program('hello: send sms "t"'), START) as pair:
        pair.prefer(1, "sms_ok", START, False)
        assert refusals(enters(pair, mobile="+49")) == ["no_consent"]


def test_a_topic_has_a_consent_of_its_own() -> None:
    with both(program('hello: send email "t" about offers'), START) as pair:
        assert refusals(enters(pair)) == ["no_consent"]


FAVOURITE = 'hello: send preferred of { email "t" sms "t" when customer.vip email "t" sms "t" }'


@pytest.mark.parametrize(
    ("favourite", "channel"),
    [("sms", "sms"), ("email", "email"), (None, "email"), ("fax", "email")],
)
def test_the_favourite_channel_goes_first(favourite: str | None, channel: str) -> None:
    with both(program(FAVOURITE), START) as pair:
        assert [m[1] for m in sent(enters(pair, mobile="+49", favourite=favourite))] == [channel]


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ((("clicked", 0),), "sms"),
        ((("replied", 0), ("opened", 1)), "sms"),
        ((("clicked", 0), ("answered", 1)), "email"),
        ((("opened", 0), ("delivered", 0)), "email"),
        ((), "email"),
    ],
)
def test_who_has_no_favourite_gets_the_channel_of_the_last_answer(
    said: tuple[tuple[str, int], ...], channel: str
) -> None:
    steps = """by_sms: send sms "t"
      by_email: send email "t"
      w: wait 2h
      hello: send preferred of { email "t" sms "t" }"""
    with both(program(steps), START) as pair:
        assert [m[1] for m in sent(enters(pair, mobile="+49"))] == ["sms", "email"]
        for n, (name, message) in enumerate(said):
            pair.say(message, name, START + HOUR + MINUTE * (n + 1))
        assert [m[1] for m in sent(pair.tick(START + 4 * HOUR))][2:] == [channel]


def test_a_favourite_goes_before_the_last_answer() -> None:
    steps = """by_sms: send sms "t"
      w: wait 2h
      hello: send preferred of { email "t" sms "t" }"""
    with both(program(steps), START) as pair:
        enters(pair, mobile="+49", favourite="email")
        pair.say(0, "clicked", START + HOUR + MINUTE)
        assert [m[1] for m in sent(pair.tick(START + 4 * HOUR))] == ["sms", "email"]


def test_behind_the_favourite_the_order_is_as_written() -> None:
    steps = 'hello: send preferred of { push "t" email "t" sms "t" }'
    with both(program(steps), START) as pair:
        assert [m[1] for m in sent(enters(pair, mobile="+49", favourite="sms", country="FR"))] == [
            "email"
        ]


def test_the_reason_is_that_of_the_favourite() -> None:
    steps = 'hello: send preferred of { push "t" sms "t" }'
    with both(program(steps), START) as pair:
        look = enters(pair, mobile="+49", favourite="sms", country="FR")
        assert refusals(look) == ["no_consent"]


def test_the_cheapest_channel_goes_first_and_of_equal_ones_the_first_written() -> None:
    steps = 'hello: send cheapest of { sms "t" email "t" push "t" when customer.vip }'
    with both(program(steps), START) as pair:
        people(pair, 2, mobile="+49", token="t", vip=True)
        happens(pair, "signed_up", START + MINUTE, 2)
        look = enters(pair, mobile="+49", token="t")
        assert sorted(m[1] for m in sent(look)) == ["email", "push"]


@pytest.mark.parametrize("choice", ["preferred", "best"])
def test_a_choice_of_one_beside_a_plain_send(choice: str) -> None:
    """All offers are alike, so that what they have in common stands in the statement itself."""
    goals = ("goal signed_up within 1h",) if choice == "best" else ()
    text = project(
        journey("j", f'hello: send {choice} of {{ email "t" }}', *goals),
        journey("plain", 'hello: send email "t"'),
    )
    with both(text, START) as pair:
        assert len(sent(enters(pair, START + HOUR))) == 2
