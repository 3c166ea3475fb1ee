"""Single cases of who is asked again: by news alone, and in both forms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeylang.plan.incremental import Full, Kind
from tests.agreement.both import Both, both
from tests.agreement.prelude import BINDING, MARKED, instant
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    happens,
    journey,
    people,
    person,
    program,
    project,
)

INSTANT = timedelta(microseconds=1)


def by_news(pair: Both, kind: Kind) -> bool:
    """Whether the condition is asked of those with news."""
    return (1, kind) in pair.session.ready.news


def condition(asked: str, *headers: str, steps: str = "w: wait 90d") -> str:
    return program(steps, *headers, enter=f"enter when {asked}")


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ("count(visited within 2d) = 0 and exists(visited)", 2),
        ("last(visited) older than 3d", 3),
        ("last(visited) + 1d older than 3d", 4),
        ("last(visited) - 1d older than 3d", 2),
        ("not (last(visited) newer than 3d)", 3),
        ("last(visited.seen) older than 3d", 3),
        ('exists(visited where page = "a" and at older than 3d)', 3),
        ("exists(visited where seen older than 3d)", 3),
        ("customer.joined older than 3d", 3),
        ("sum(visited.weight within 2d) < 1.0 and exists(visited)", 2),
        ("count(visited since last(signed_up) within 2d) = 0 and exists(visited)", 2),
        ('exists(visited) and not exists(visited where page = "a" within 2d)', 2),
    ],
)
def test_an_edge_is_seen_at_its_instant(asked: str, days: int) -> None:
    """The instant itself belongs to what is past; a microsecond before it does not."""
    with both(condition(asked), START) as pair:
        assert by_news(pair, "when")
        people(pair, 1, joined=START)
        happens(pair, "signed_up", START - DAY)
        happens(pair, "visited", START, page="a", seen=START, weight=2.0)
        pair.tick(START + HOUR)
        edge = START + days * DAY
        assert pair.tick(edge - INSTANT)["runs"] == []
        assert len(pair.tick(edge)["runs"]) == 1


def test_nobody_is_asked_while_nothing_happens() -> None:
    text = condition("count(visited within 2d) = 0 and exists(visited)")
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "visited", START)
        pair.tick(START + 4 * HOUR)
        seen: list[str] = []
        pair.engine.before = seen.append  # type: ignore[attr-defined]
        try:
            for hours in range(5, 48):
                pair.tick(START + hours * HOUR)
            idle = [s for s in seen if s.startswith("INSERT")]
            assert idle == []
            pair.tick(START + 48 * HOUR)
            assert any(s.startswith("INSERT INTO trail") for s in seen)
        finally:
            pair.engine.before = None  # type: ignore[attr-defined]


def test_a_literal_instant_passes_for_everybody() -> None:
    text = condition("2026-03-02T09:30:00 older than 1h and customer.points > 5")
    with both(text, START) as pair:
        people(pair, 1, 2)
        pair.tick(START + 2 * HOUR)
        assert pair.tick(START + 2.5 * HOUR - INSTANT)["runs"] == []
        assert len(pair.tick(START + 2.5 * HOUR)["runs"]) == 2


def test_a_row_that_is_taken_out_is_news() -> None:
    """What `only where` leaves out now was there before."""
    with both(condition("count(ordered) = 1"), START, binding=MARKED) as pair:
        assert by_news(pair, "when")
        people(pair, 1)
        happens(pair, "ordered", START - 9 * DAY)
        happens(pair, "ordered", START - 8 * DAY)
        pair.tick(START + HOUR)
        pair.tick(START + 9 * HOUR)
        first, second = pair.tables.rows["shop.orders"]
        pair.put("shop.orders", [first, second | {"status": "cancelled"}])
        assert len(pair.tick(START + 10 * HOUR)["runs"]) == 1


def test_an_event_that_may_change_unseen_is_read_in_full() -> None:
    with both(condition("count(ordered) = 1"), START) as pair:
        assert not by_news(pair, "when")
        look = pair.session.ready.look(1, "when")
        assert isinstance(look, Full)
        assert look.reason == "rows of `ordered` may change unseen"
        assert look.way_out == "bind `ordered` as `append only`, or with `changed at`"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("top 10% by customer.points", "ranking"),
        ("tile 5 by customer.points = 5", "ranking"),
        ('in list "lists/keys.csv"', "list"),
        ("age(customer.born) >= 18", "ages"),
        ("exists(redeemed of pool)", "redemptions"),
        ("last(visited) - 1d older than 2d and exists(ordered)", "`ordered`"),
        ("sql`select customer_id from shop.orders`", "SQL"),
    ],
)
def test_what_cannot_be_followed_is_read_in_full(asked: str, reason: str) -> None:
    with both(condition(asked), START) as pair:
        look = pair.session.ready.look(1, "when")
        assert isinstance(look, Full)
        assert reason in look.reason


def test_who_is_new_among_the_customers_is_asked() -> None:
    with both(condition("not exists(visited)"), START) as pair:
        pair.tick(START + HOUR)
        people(pair, 1)
        assert len(pair.tick(START + 9 * HOUR)["runs"]) == 1
        pair.put("crm.customers", [])
        happens(pair, "visited", START + 10 * HOUR, customer=2)
        pair.tick(START + 11 * HOUR)
        people(pair, 1, 2, 3)
        assert len(pair.tick(START + 19 * HOUR)["runs"]) == 2


def test_feedback_counts_when_it_is_taken_in() -> None:
    """However long before that it was said."""
    text = project(
        journey("a", 'm1: send email "t"\nw: wait 90d'),
        journey("b", "w: wait 90d", enter="enter when exists(opened of a/m1)"),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        pair.tick(START + 5 * DAY)
        pair.say(0, "opened", START + 2 * HOUR)
        look = pair.tick(START + 5 * DAY + HOUR)
        assert len(look["runs"]) == 2


def test_what_is_sent_in_a_tick_is_news_to_the_next() -> None:
    text = project(
        journey("a", 'm1: send email "t"\nw: wait 90d'),
        journey("b", "w: wait 90d", enter="enter when count(sent of email within 1d) = 1"),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        assert len(pair.tick(START + HOUR)["runs"]) == 2


def test_an_exit_is_met_when_an_edge_passes() -> None:
    exits = "exit when count(visited within 2d) = 0 as quiet"
    with both(program("w: wait 30d", exits, enter="enter on visited"), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START + MINUTE)
        pair.tick(START + HOUR)
        assert by_news(pair, "exits")
        assert ends(pair.tick(START + 2 * DAY + MINUTE - INSTANT)) == [("active", None)]
        assert ends(pair.tick(START + 2 * DAY + MINUTE)) == [("exited", "quiet")]


def test_an_exit_by_an_event_since_the_entry_is_met_by_a_new_row() -> None:
    exits = (
        'exit when exists(signed_up since entry where source = "shop") as bought',
        "exit when exists(signed_up since entry where score > 3) as scored",
    )
    # Nothing tells which customers are new: all there is to look at are the event's rows.
    binding = BINDING.replace("  changed at c.changed\n", "")
    text = program("w: wait 30d", *exits, enter="enter on ordered")
    with both(text, START, binding=binding) as pair:
        people(pair, 1, 2, 3, 4)
        happens(pair, "signed_up", START, 1, source="shop")
        for number in (1, 2, 3, 4):
            happens(pair, "ordered", START + MINUTE, number)
        pair.tick(START + HOUR)
        assert by_news(pair, "exits")
        # Two rows come late; one is no reason, and one was there before its customer entered.
        happens(pair, "signed_up", START + 2 * MINUTE, 1, source="street", score=4)
        happens(pair, "signed_up", START + 3 * MINUTE, 2, source="shop", score=9)
        happens(pair, "signed_up", START + 50 * MINUTE, 3, source="street")
        happens(pair, "signed_up", START + 30 * timedelta(seconds=1), 4, source="shop")
        now, found = ("active", None), [("exited", "scored"), ("exited", "bought")]
        assert ends(pair.tick(START + 61 * MINUTE)) == [*found, now, now]
        # Who is gone leaves as such, whatever they have done.
        pair.put("crm.customers", [person(1), person(2), person(3, deleted=START), person(4)])
        happens(pair, "signed_up", START + 70 * MINUTE, 3, source="shop")
        happens(pair, "signed_up", START + 70 * MINUTE, 4, source="shop")
        assert ends(pair.tick(START + 2 * HOUR)) == [
            *found,
            ("gone", "gone"),
            ("exited", "bought"),
        ]


def test_an_exit_that_asks_how_long_ago_the_entry_was() -> None:
    exits = "exit when entry.at older than 2d as old"
    with both(program("w: wait 30d", exits), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        assert by_news(pair, "exits")
        assert ends(pair.tick(START + 2 * DAY + MINUTE - INSTANT)) == [("active", None)]
        assert ends(pair.tick(START + 2 * DAY + MINUTE)) == [("exited", "old")]


def test_a_state_is_met_when_an_edge_passes() -> None:
    steps = "u: wait until last(visited) older than 2d up to 9d { then { exit as met } }"
    with both(program(steps), START) as pair:
        people(pair, 1)
        happens(pair, "visited", START)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + HOUR)
        assert by_news(pair, "states")
        assert ends(pair.tick(START + 2 * DAY - INSTANT)) == [("active", None)]
        assert ends(pair.tick(START + 2 * DAY)) == [("finished", "met")]


def test_a_segment_is_joined_when_an_edge_passes() -> None:
    text = program("w: wait 30d", enter="enter when joins quiet").replace(
        "language 1\n", "language 1\nsegment quiet = last(visited) older than 2d\n"
    )
    with both(text, START) as pair:
        people(pair, 1, 2)
        happens(pair, "visited", START)
        pair.tick(START + HOUR)
        assert by_news(pair, "when")
        assert pair.tick(START + 2 * DAY - INSTANT)["runs"] == []
        assert len(pair.tick(START + 2 * DAY)["runs"]) == 1


def test_who_may_return_is_asked_again() -> None:
    """The run has ended, and the day has come: neither is a row of the user's."""
    headers = ("reenter after 2d", "exit when count(visited) = 2 as twice")
    text = condition("customer.points > 5", *headers, steps="w: wait 30d")
    with both(text, START) as pair:
        assert by_news(pair, "when")
        people(pair, 1)
        pair.tick(START + HOUR)
        happens(pair, "visited", START + DAY)
        happens(pair, "visited", START + DAY)
        assert ends(pair.tick(START + DAY + HOUR)) == [("exited", "twice")]
        happens(pair, "visited", START + DAY + 2 * HOUR)
        pair.tick(START + DAY + 3 * HOUR)
        midnight = instant("2026-03-04T00:00")
        assert len(pair.tick(midnight - INSTANT)["runs"]) == 1
        assert len(pair.tick(midnight)["runs"]) == 2


def test_a_refused_crowd_is_asked_again_behind_the_pause() -> None:
    text = condition("customer.points > 5", "guard entries <= 1 per 1d")
    with both(text, START) as pair:
        pair.tick(START)
        people(pair, 1, 2)
        assert pair.tick(START + HOUR)["runs"] == []
        pair.put("crm.customers", [person(1)])
        pair.tick(START + 9 * HOUR)
        pair.resume("j")
        assert len(pair.tick(START + 10 * HOUR)["runs"]) == 1


def test_a_condition_with_a_turn_asks_for_all_since_the_last_one() -> None:
    text = program("w: wait 90d", enter="enter when exists(visited) every 1d")
    with both(text, START) as pair:
        people(pair, 1)
        pair.tick(START)
        happens(pair, "visited", START + HOUR)
        for hours in range(2, 16):
            assert pair.tick(START + hours * HOUR)["runs"] == []
        assert len(pair.tick(START + 16 * HOUR)["runs"]) == 1


def test_what_is_set_in_a_tick_is_news_to_the_next() -> None:
    """It is written behind the looks of its tick, and at the instant of them."""
    text = project(
        journey("a", 'set level = "gold"\nw: wait 90d'),
        journey("b", "w: wait 90d", enter='enter when profile.level = "gold"'),
    )
    with both(text, START) as pair:
        assert (2, "when") in pair.session.ready.news
        people(pair, 1)
        pair.tick(START)
        happens(pair, "signed_up", START + MINUTE)
        assert len(pair.tick(START + 2 * HOUR)["runs"]) == 1
        assert len(pair.tick(START + 4 * HOUR)["runs"]) == 2


def test_who_leaves_late_may_return_with_the_next_tick() -> None:
    """The day has long come when the run ends, in a tick that has looked before that."""
    text = condition("customer.points > 5", "reenter after 1d", steps="w: wait 9d")
    with both(text, START) as pair:
        assert by_news(pair, "when")
        people(pair, 1)
        pair.tick(START + HOUR)
        pair.tick(START + 2 * HOUR)
        # It is still active when those who enter are judged.
        assert ends(pair.tick(START + 9 * DAY + HOUR)) == [("finished", "end")]
        assert len(pair.tick(START + 9 * DAY + 3 * HOUR)["runs"]) == 2
