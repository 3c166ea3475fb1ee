"""What `set` writes, who sees it and when: in both forms."""

from __future__ import annotations

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import (
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
    sent,
)


def profile(pair: Both) -> dict[str, str | None]:
    """The profile of customer 1, as text."""
    rows = pair.engine.query("SELECT name, value FROM journey.profile WHERE customer_id = 1")
    return dict(rows)


def test_a_run_sees_at_once_what_it_has_set() -> None:
    steps = """set stage = "new"
if profile.stage = "new" { exit as seen }"""
    with both(program(steps), START) as pair:
        assert ends(enters(pair)) == [("finished", "seen")]
        assert profile(pair) == {"stage": "new"}


def test_of_two_that_a_run_sets_the_later_counts() -> None:
    steps = """set n = 1
set n = profile.n + 1
set n = profile.n * 10
if profile.n = 20 { exit as twenty }"""
    with both(program(steps), START) as pair:
        assert ends(enters(pair)) == [("finished", "twenty")]
        assert profile(pair) == {"n": "20"}


def test_others_see_it_from_the_next_tick() -> None:
    text = project(
        journey("a", "set stage = customer.country"),
        journey(
            "b",
            """if profile.stage = "DE" { exit as seen }
w: wait 30m
if profile.stage = "DE" { exit as later }""",
        ),
    )
    with both(text, START) as pair:
        enters(pair)
        look = pair.tick(START + 2 * HOUR)
        assert ends(look) == [("finished", "end"), ("finished", "later")]


def test_what_was_never_set_is_unknown() -> None:
    steps = """if profile.n is unknown { exit as unknown }
set n = 1"""
    with both(program(steps), START) as pair:
        assert ends(enters(pair)) == [("finished", "unknown")]


def test_an_unknown_value_is_written_too() -> None:
    steps = """set n = 1
set n = customer.points
if profile.n is unknown { exit as unknown }"""
    with both(program(steps), START) as pair:
        assert ends(enters(pair, points=None)) == [("finished", "unknown")]
        assert profile(pair) == {"n": None}


def test_of_several_runs_the_last_in_the_order_of_sends_wins() -> None:
    """By priority, then by arrival: who would send last has written last."""
    text = project(
        journey("a", 'set who = "low"', "priority 1"),
        journey("b", 'set who = "high"', "priority 5"),
    )
    with both(text, START) as pair:
        enters(pair)
        assert profile(pair) == {"who": "low"}
    text = project(
        journey("a", 'set who = "visited"', enter="enter on visited"),
        journey("b", 'set who = "signed up"'),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        happens(pair, "visited", START + 2 * MINUTE)
        pair.tick(START + HOUR)
        assert profile(pair) == {"who": "visited"}


def test_segments_metrics_entries_and_exits_read_it() -> None:
    text = project(
        "metric level = profile.n + 1",
        "segment high = level >= 3",
        journey("a", "set n = 2"),
        journey(
            "b",
            "w: wait 10d",
            "reenter never",
            "exit when profile.n = 2 and count(ordered where items = profile.n) = 1",
            enter="enter when customer in segment high",
        ),
    )
    with both(text, START) as pair:
        enters(pair)
        look = pair.tick(START + 2 * HOUR)
        assert [row[1] for row in look["runs"]] == ["a", "b"]
        happens(pair, "ordered", START + 2 * HOUR, items=2)
        look = pair.tick(START + 3 * HOUR)
        assert sorted(ends(look)) == [("exited", "exit"), ("finished", "end")]


def test_rows_are_compared_with_what_the_run_has_just_set() -> None:
    steps = """set n = 2
if count(ordered where items = profile.n) = 1 and exists(ordered where items = profile.n) {
  r: wait for visited where page = profile.page up to 1d { on visited { exit as raced } }
}
set page = "web"
"""
    with both(program(steps), START) as pair:
        people(pair, 1)
        happens(pair, "ordered", START, items=2)
        happens(pair, "signed_up", START + MINUTE)
        assert ends(pair.tick(START + HOUR)) == [("active", None)]


def test_an_entry_looks_at_it() -> None:
    where = "enter on signed_up where source = profile.source"
    text = project(
        journey("a", 'set source = "web"', enter="enter on ordered"),
        journey("b", "w: wait 1h", enter=where),
    )
    with both(text, START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE, source="web")
        happens(pair, "ordered", START + MINUTE)
        assert [row[1] for row in pair.tick(START + 5 * MINUTE)["runs"]] == ["a"]
        assert [row[1] for row in pair.tick(START + 9 * MINUTE)["runs"]] == ["a", "b"]


def test_a_send_takes_what_was_set_before_it() -> None:
    steps = """set push = true
hello: send first of { push "t" when profile.push email "t" }"""
    with both(program(steps), START) as pair:
        assert sent(enters(pair, token="t", mobile="1"))[0][:2] == ("hello", "push")


@pytest.mark.parametrize("value", ["0.5", "19.99 EUR", "2026-03-28", "2026-03-28T23:30:00.5+00:00"])
def test_what_is_kept_comes_back_as_it_was(value: str) -> None:
    steps = f"""set v = {value}
w: wait 30m
if profile.v = {value} {{ exit as same }}"""
    with both(program(steps), START) as pair:
        enters(pair)
        assert ends(pair.tick(START + 2 * HOUR)) == [("finished", "same")]


def test_a_repeated_tick_writes_nothing() -> None:
    with both(program("set n = 1\nw: wait 1d"), START) as pair:
        enters(pair)
        before = pair.engine.query("SELECT * FROM journey.profile")
        pair.tick(START + HOUR)
        assert pair.engine.query("SELECT * FROM journey.profile") == before
