"""What was decided, and what once went wrong: one case each, in both forms."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.agreement.both import Both, Look, both
from tests.agreement.prelude import TABLE_OF, instant, record

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = instant("2026-03-02T08:00")  # a Monday


def program(steps: str, *headers: str, policy: str = "", enter: str = "enter on signed_up") -> str:
    """A project of one journey `j` and a policy `p`."""
    return project(journey("j", steps, *headers, enter=enter), policy=policy)


def project(*definitions: str, policy: str = "") -> str:
    rules = policy or "cap any 100 per 1d"
    return "\n".join(("language 1", f"policy p {{ {rules} }}", *definitions))


def journey(name: str, steps: str, *headers: str, enter: str = "enter on signed_up") -> str:
    lines = "\n  ".join((enter, *headers, "policy p", *steps.strip().splitlines()))
    return f'journey {name} "J" {{\n  owner "a@b.example"\n  {lines}\n}}'


def people(pair: Both, *numbers: int, **values: Any) -> None:
    """Customers who can be reached by e-mail, in UTC unless said otherwise."""
    pair.add("crm.customers", *(person(n, **values) for n in numbers))
    said = {"at": instant("2025-01-01T00:00"), "topic": "email", "status": "in"}
    pair.add("crm.consents", *(record("crm.consents", customer_id=n, **said) for n in numbers))


def person(number: int, **values: Any) -> dict[str, Any]:
    given = {"tz": "UTC", "country": "DE", "points": 10, "email": f"{number}@x.example"}
    return record("crm.customers", id=number, **(given | values))


def happens(pair: Both, event: str, at: datetime, customer: int = 1, **values: Any) -> None:
    table = TABLE_OF[event]
    key = len(pair.tables.rows[table]) + 1
    given = {"id": key, "customer_id": customer, "at": at}
    given |= {"status": "paid"} if event == "ordered" else {}
    given |= {"changed": at} if event == "visited" else {}
    pair.add(table, record(table, **(given | values)))


def ends(look: Look) -> list[tuple[str, str | None]]:
    """Status and reason of all runs, in the order of their entries."""
    return [(row[4], row[8]) for row in sorted(look["runs"], key=lambda r: (r[3], r[0]))]


def sent(look: Look) -> list[tuple[str, str, datetime]]:
    """Step, channel and instant of all messages."""
    return sorted(((row[3], row[4], row[5]) for row in look["messages"]), key=lambda m: m[2])


def refusals(look: Look) -> list[str]:
    return sorted(row[5] for row in look["decisions"])


# --- the tick -------------------------------------------------------------------------


def test_what_happened_since_the_apply_enters_at_the_first_tick() -> None:
    """However long after the apply that is."""
    with both(program('hello: send email "t"'), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        look = pair.tick(START + 30 * HOUR)
        assert sent(look) == [("hello", "email", START + 30 * HOUR)]


def test_what_happened_before_the_apply_does_not_enter() -> None:
    with both(program('hello: send email "t"'), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START)
        assert pair.tick(START + MINUTE)["runs"] == []


def test_a_tick_does_not_go_back() -> None:
    with both(program("w: wait 1h"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + 2 * HOUR)
        assert pair.tick(START - DAY)["runs"] == []
        pair.tick(START + 2 * HOUR)
        look = pair.tick(START + HOUR)
        assert ends(look) == [("active", None)]


@pytest.mark.parametrize("minutes", [60, 61])
def test_a_late_row_enters_if_an_earlier_tick_could_have_seen_it_in_time(minutes: int) -> None:
    """`late` is measured back from the tick before: exactly an hour is too late."""
    with both(program("w: wait 1d"), START - DAY) as pair:
        people(pair, 1)
        pair.tick(START)
        happens(pair, "signed_up", START - minutes * MINUTE + MINUTE)
        look = pair.tick(START + HOUR)
        assert len(look["runs"]) == (1 if minutes == 60 else 0)


def test_somebody_who_is_not_a_customer_yet_enters_as_soon_as_they_are() -> None:
    """A row that no longer is the newest counts for as long as rows of its instant may come."""
    with both(program("w: wait 1d"), START) as pair:
        happens(pair, "signed_up", START + 30 * MINUTE)
        pair.tick(START + 40 * MINUTE)
        people(pair, 1)
        look = pair.tick(START + 80 * MINUTE)
        assert ends(look) == [("active", None)]
        assert look["decisions"] == []


def test_an_entry_condition_is_looked_at_anew_at_each_tick() -> None:
    where = "enter on signed_up where customer.points > 10"
    with both(program("w: wait 1d", enter=where), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + 30 * MINUTE)
        assert pair.tick(START + 40 * MINUTE)["runs"] == []
        pair.put("crm.customers", [person(1, points=11)])
        assert len(pair.tick(START + 80 * MINUTE)["runs"]) == 1


def test_an_awaited_condition_is_looked_at_anew_at_each_tick() -> None:
    steps = "r: wait for signed_up where customer.points > 10 up to 3d { on signed_up { exit } }"
    with both(program(steps, enter="enter on visited"), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        happens(pair, "signed_up", START + 30 * MINUTE)
        pair.tick(START + 40 * MINUTE)
        pair.put("crm.customers", [person(1, points=11)])
        assert ends(pair.tick(START + 80 * MINUTE)) == [("finished", "exit")]


def test_an_exit_sees_a_row_that_was_changed_long_after_the_fact() -> None:
    """By `changed at`, not by the instant at which it happened."""
    exits = 'exit when exists(visited where page = "cart") as left'
    with both(program("w: wait 30d", exits), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START - DAY, page="home")
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.tick(START + DAY)
        row = pair.tables.rows["shop.visits"][0]
        pair.put("shop.visits", [row | {"page": "cart", "changed": START + DAY + HOUR}])
        assert ends(pair.tick(START + DAY + 2 * HOUR)) == [("exited", "left")]


def test_an_exit_sees_a_row_when_its_instant_comes() -> None:
    """Rows with a later instant do not exist yet, however early they were written."""
    with both(program("w: wait 30d", "exit when exists(visited since entry)"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        happens(pair, "visited", START + DAY, changed=START)
        assert ends(pair.tick(START + DAY - HOUR)) == [("active", None)]
        assert ends(pair.tick(START + DAY)) == [("exited", "exit")]


def test_the_runtimes_own_decisions_can_be_awaited() -> None:
    """`sent` is an event like others; a message of the same tick is seen by the next one."""
    text = project(
        journey("a", 'hello: send email "t"', enter="enter on signed_up"),
        journey("b", "r: wait for sent of email up to 1d { on sent of email { exit as seen } }"),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        assert ("active", None) in ends(pair.tick(START + HOUR))
        assert ("finished", "seen") in ends(pair.tick(START + 2 * HOUR))


def test_of_label_means_the_message_of_this_very_run() -> None:
    steps = """hello: send email "t"
w: wait 2h
if exists(opened of hello) { exit as opened }"""
    with both(program(steps, "reenter always"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.say(0, "opened", START + 2 * HOUR)
        assert ends(pair.tick(START + 4 * HOUR)) == [("finished", "opened")]
        happens(pair, "signed_up", START + 5 * HOUR)
        pair.tick(START + 5 * HOUR)
        assert ends(pair.tick(START + 8 * HOUR))[1] == ("finished", "end")


# --- who enters -----------------------------------------------------------------------


@pytest.mark.parametrize("share", ["0.01%", "100%"])
def test_one_run_of_a_customer_enters_per_tick_held_out_or_not(share: str) -> None:
    headers = ("reenter always", f'holdout {share} salt "h"')
    with both(program("w: wait 1h", *headers), START) as pair:
        people(pair, 1)
        for minute in (3, 1, 2):
            happens(pair, "signed_up", START + minute * MINUTE)
        look = pair.tick(START + HOUR)
        assert refusals(look) == ["active", "active"]
        assert look["runs"][0][3] == START + MINUTE


def test_refusals_are_given_in_the_order_active_reentry_audience() -> None:
    headers = ("reenter after 1d", "only customers where customer.points > 5")
    with both(program("w: wait 6h", *headers), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [person(1, points=0)])
        expected = []
        for hours, reason in ((2, "active"), (8, "reentry"), (24, "audience")):
            pair.tick(START + (hours - 1) * HOUR)
            happens(pair, "signed_up", START + hours * HOUR)
            look = pair.tick(START + hours * HOUR)
            expected.append(reason)
            assert refusals(look) == sorted(expected)


def test_a_run_that_ends_with_this_tick_is_in_the_way_of_entries_still() -> None:
    """Entries come before the woken move on; only who left by an exit is out of the way."""
    with both(program("w: wait 1h", "reenter always"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "signed_up", START + 4 * HOUR)
        look = pair.tick(START + 4 * HOUR)
        assert (ends(look), refusals(look)) == ([("finished", "end")], ["active"])


@pytest.mark.parametrize(
    ("zone", "enters"), [("America/New_York", False), ("Asia/Kathmandu", True)]
)
def test_reentry_counts_local_days(zone: str, enters: bool) -> None:
    """From 08:00 to 18:30 UTC midnight passes in Kathmandu alone."""
    with both(program("w: wait 1h", "reenter after 1d"), START) as pair:
        people(pair, 1, tz=zone)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + 2 * HOUR)
        happens(pair, "signed_up", START + 10 * HOUR + 30 * MINUTE)
        look = pair.tick(START + 11 * HOUR)
        assert len(look["runs"]) == (2 if enters else 1)


def test_a_run_that_enters_meets_its_exits_before_anything_else() -> None:
    with both(program('hello: send email "t"', "exit when customer.points = 10"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        look = pair.tick(START + HOUR)
        assert (ends(look), look["messages"]) == ([("exited", "exit")], [])


def test_exit_beats_a_wake_of_the_same_tick() -> None:
    steps = 'r: wait for ordered up to 1d { on ordered { hello: send email "t" } }'
    with both(program(steps, "exit when exists(ordered since entry) as bought"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        happens(pair, "ordered", START + 2 * HOUR)
        assert ends(pair.tick(START + 2 * HOUR)) == [("exited", "bought")]


def test_enter_when_every_looks_once_per_period_and_records_nobody() -> None:
    enter = "enter when customer.points >= 10 every 6h"
    with both(program("w: wait 1h", "reenter after 1d", enter=enter), START) as pair:
        people(pair, 1)
        pair.tick(START)
        people(pair, 2)
        pair.tick(START + 3 * HOUR)
        look = pair.tick(START + 4 * HOUR)
        assert sorted((row[0], row[3]) for row in look["runs"]) == [
            (1, START),
            (2, START + 4 * HOUR),
        ]
        assert look["decisions"] == []


def test_somebody_who_is_gone_leaves_when_the_run_is_next_moved() -> None:
    with both(program("w: wait 1d", "exit when customer.points = 11"), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [])
        assert ends(pair.tick(START + 2 * HOUR)) == [("active", None)]
        assert ends(pair.tick(START + 2 * DAY)) == [("gone", "gone")]


def test_somebody_who_is_gone_is_moved_by_an_event_whose_condition_asks_for_them() -> None:
    """Everything about them is unknown, so `not` of it holds."""
    steps = "r: wait for ordered where not (customer.points > 5) up to 30d"
    with both(program(steps), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [])
        happens(pair, "ordered", START + 2 * HOUR)
        assert ends(pair.tick(START + 2 * HOUR)) == [("gone", "gone")]


# --- races ----------------------------------------------------------------------------

RACE = """r: wait up to 2h {
  on ordered { exit as ordered }
  on visited { exit as visited }
  timeout { exit as timeout }
}"""


@pytest.mark.parametrize(
    ("ordered", "visited", "reason"),
    [
        (60, 59, "visited"),
        (60, 60, "ordered"),
        (120, None, "ordered"),
        (121, None, "timeout"),
        (0, None, "timeout"),
    ],
)
def test_the_earliest_event_in_time_ends_a_race(
    ordered: int, visited: int | None, reason: str
) -> None:
    """Of equal ones the one written first; one at the deadline beats the timeout."""
    with both(program(RACE), START) as pair:
        people(pair, 1)
        entered = START + MINUTE
        happens(pair, "signed_up", entered)
        happens(pair, "ordered", entered + ordered * MINUTE)
        if visited is not None:
            happens(pair, "visited", entered + visited * MINUTE)
        assert ends(pair.tick(START + 5 * HOUR)) == [("finished", reason)]


# --- sends ----------------------------------------------------------------------------


def enters(pair: Both, now: datetime = START + HOUR, **values: Any) -> Look:
    people(pair, 1, **values)
    happens(pair, "signed_up", now - MINUTE)
    return pair.tick(now)


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


def test_hard_suppression_binds_transactional_messages_too() -> None:
    text = program('hello: send email "t"', 'purpose transactional "a booking"')
    with both(text, START) as pair:
        pair.suppress(1, "email", START)
        assert refusals(enters(pair)) == ["suppressed"]


def test_priority_then_arrival_then_name_decide_who_goes_first() -> None:
    text = project(
        journey("z", 'one: send email "t"', "priority 5"),
        journey("a", 'two: send email "t"'),
        policy="cap email 1 per 1d",
    )
    with both(text, START) as pair:
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


# --- consent --------------------------------------------------------------------------


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


# --- local time -----------------------------------------------------------------------


def wakes(zone: str, entered: datetime, wait: str) -> datetime:
    """When somebody wakes who begins to wait at an instant."""
    with both(program(f"w: wait {wait}"), entered - DAY) as pair:
        people(pair, 1, tz=zone)
        happens(pair, "signed_up", entered)
        woken = pair.tick(entered)["runs"][0][7]
        assert isinstance(woken, datetime)
        return woken


@pytest.mark.parametrize(
    ("zone", "entered", "wait", "woken"),
    [
        # Spring: 02:00 to 03:00 does not exist in Berlin on 29 March.
        ("Europe/Berlin", "2026-03-28T01:30", "1d", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "until 02:15", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "1d", "2026-03-29T11:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "24h", "2026-03-29T12:00"),
        # Autumn: 02:00 to 03:00 happens twice on 25 October.
        ("Europe/Berlin", "2026-10-24T00:30", "1d", "2026-10-25T00:30"),
        ("Europe/Berlin", "2026-10-25T00:45", "until 02:30", "2026-10-26T01:30"),
        # The second half past two; a year and a week later clocks are put back again.
        ("Europe/Berlin", "2026-10-25T01:30", "53w", "2027-10-31T00:30"),
        # Half an hour, at the other end of the world.
        ("Australia/Lord_Howe", "2026-04-04T12:00", "until 01:45", "2026-04-04T14:45"),
        ("Australia/Lord_Howe", "2026-10-03T12:00", "until 02:15", "2026-10-03T15:30"),
        ("Asia/Kathmandu", "2026-03-02T08:00", "until 09:00 on monday", "2026-03-09T03:15"),
        ("UTC", "2026-01-31T06:00", "1mo", "2026-02-28T06:00"),
        ("Mars/Olympus", "2026-01-31T06:00", "until 09:00", "2026-01-31T08:00"),
        ("UTC", "2026-03-02T09:00", "until 09:00", "2026-03-03T09:00"),
    ],
)
def test_waits_keep_the_customers_clock(zone: str, entered: str, wait: str, woken: str) -> None:
    assert wakes(zone, instant(entered), wait) == instant(woken)


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("customer.rate != 5.0", False),
        ("not (customer.rate = 5.0)", True),
        ("customer.rate is unknown", True),
        ("sum(signed_up.score) = 0", False),
        ("sum(signed_up.score) is unknown", True),
        ("sum(visited.weight) = 0.0", True),
        ("count(visited) = 0", True),
        ("avg(visited.weight) is unknown", True),
        ("(customer.points / 0) is unknown", True),
        ("(9223372036854775807 + 1) is unknown", True),
        ("avg(ordered.total) = 0.0002 EUR", True),
        ("(sum(ordered.total) / 2) = 0.0002 EUR", True),
        ("(0.0001 EUR * 0.5) = 0 EUR", True),
        ("(0.0003 EUR * 0.5) = 0.0002 EUR", True),
        ('customer.timezone = "UTC"', True),
        ("(1000000000000.0 * 1000000000000.0) is known", True),
    ],
)
def test_expressions_are_total(condition: str, holds: bool) -> None:
    with both(program("w: wait 1h", f"exit when {condition} as held"), START) as pair:
        people(pair, 1)
        for score in (2**62, 2**62):
            happens(pair, "signed_up", START + MINUTE, score=score)
        for total in ("0.0001", "0.0002"):
            happens(pair, "ordered", START, total=Decimal(total))
        look = pair.tick(START + HOUR)
        assert ends(look) == [("exited", "held") if holds else ("active", None)]


def test_a_number_that_grows_beyond_all_bounds_is_unknown() -> None:
    with both(program("w: wait 1h", "exit when (customer.rate * 10.0) is known"), START) as pair:
        assert ends(enters(pair, rate=1e308)) == [("active", None)]
