"""Loops: how often, what ends them, and which message is meant in them: in both forms."""

from __future__ import annotations

from tests.agreement.both import Look, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, ends, enters, happens, program, sent

NOW = START + HOUR


def passes(look: Look) -> list[tuple[str, int]]:
    """Step and occurrence of all messages, in their order."""
    return [(row[3], row[9]) for row in sorted(look["messages"], key=lambda r: r[5])]


def test_a_loop_is_made_as_often_as_it_says() -> None:
    steps = """again: repeat up to 3 times {
  m: send email "t"
  w: wait 1d
}
exit as done"""
    with both(program(steps), START) as pair:
        look = enters(pair)
        for day in (1, 2, 3):
            look = pair.tick(NOW + day * DAY)
        assert passes(look) == [("again/m", 1), ("again/m", 2), ("again/m", 3)]
        assert ends(look) == [("finished", "done")]


def test_until_is_asked_after_each_pass() -> None:
    steps = """again: repeat up to 5 times until exists(ordered since entry) {
  m: send email "t"
  w: wait 1d
}"""
    with both(program(steps), START) as pair:
        enters(pair)
        pair.tick(NOW + DAY)
        happens(pair, "ordered", NOW + DAY + MINUTE)
        look = pair.tick(NOW + 2 * DAY)
        assert (len(sent(look)), ends(look)) == (2, [("finished", "end")])


def test_the_first_pass_is_made_even_if_it_is_over_before() -> None:
    steps = """again: repeat up to 5 times until customer.points > 5 {
  w: wait 1h
  m: send email "t"
}"""
    with both(program(steps), START) as pair:
        enters(pair)
        assert passes(pair.tick(NOW + DAY)) == [("again/m", 1)]


def test_loops_within_loops_begin_anew() -> None:
    steps = """out: repeat up to 2 times {
  in: repeat up to 2 times {
    w: wait 1d
    m: send email "t"
  }
  n: send email "t"
}
m: send email "t"
"""
    with both(program(steps, policy="cap any 100 per 1d"), START) as pair:
        look = enters(pair)
        for day in range(1, 6):
            look = pair.tick(NOW + day * DAY)
        assert [p for p in passes(look) if p[0] == "out/in/m"] == [
            ("out/in/m", 1001),
            ("out/in/m", 1002),
            ("out/in/m", 2001),
            ("out/in/m", 2002),
        ]
        assert sorted(p for p in passes(look) if p[0] != "out/in/m") == [
            ("m", 1),
            ("out/n", 1),
            ("out/n", 2),
        ]


def test_after_days_without_a_tick_a_loop_sends_once() -> None:
    steps = """again: repeat up to 9 times {
  w: wait 1d
  m: send email "t"
}"""
    with both(program(steps), START) as pair:
        enters(pair)
        assert len(sent(pair.tick(NOW + 6 * DAY))) == 1
        assert len(sent(pair.tick(NOW + 7 * DAY))) == 2


def test_a_loop_of_waits_alone_catches_up_in_one_tick() -> None:
    steps = "again: repeat up to 300 times { w: wait 1h }"
    with both(program(steps), START) as pair:
        enters(pair)
        look = pair.tick(NOW + 20 * DAY)
        assert (ends(look), look["runs"][0][6]) == (
            [("finished", "end")],
            NOW - MINUTE + 300 * HOUR,
        )


LATEST = """again: repeat up to 2 times {
  m: send email "t"
  r: wait for clicked of m up to 2d { on clicked { exit as clicked } }
}"""


def test_of_a_label_in_a_loop_means_the_latest_pass() -> None:
    with both(program(LATEST), START) as pair:
        enters(pair)
        pair.tick(NOW + 2 * DAY)
        pair.say(0, "clicked", NOW + 2 * DAY + HOUR, link="a")
        assert ends(pair.tick(NOW + 2 * DAY + 2 * HOUR)) == [("active", None)]
        pair.say(1, "clicked", NOW + 2 * DAY + 3 * HOUR, link="a")
        assert ends(pair.tick(NOW + 2 * DAY + 4 * HOUR)) == [("finished", "clicked")]


def test_behind_a_skipped_send_nothing_of_an_earlier_pass_is_meant() -> None:
    with both(program(LATEST, policy="cap any 1 per 30d then skip"), START) as pair:
        enters(pair)
        pair.tick(NOW + 2 * DAY)
        pair.say(0, "clicked", NOW + 2 * DAY + HOUR, link="a")
        assert ends(pair.tick(NOW + 2 * DAY + 2 * HOUR)) == [("active", None)]
        assert ends(pair.tick(NOW + 4 * DAY)) == [("finished", "end")]


def test_a_decision_of_this_tick_counts_for_what_is_behind_it() -> None:
    steps = """again: repeat up to 2 times {
  w: wait 1d
  m: send email "t"
  if exists(sent of m) { exit as sent }
}"""
    with both(program(steps, policy="cap sms 1 per 1d"), START) as pair:
        enters(pair, email=None)
        pair.tick(NOW + DAY)
        assert ends(pair.tick(NOW + 2 * DAY)) == [("finished", "end")]


def test_messages_of_passes_have_names_of_their_own() -> None:
    with both(program(LATEST), START) as pair:
        enters(pair)
        pair.tick(NOW + 2 * DAY)
        names = pair.engine.query("SELECT DISTINCT message FROM journey.messages")
        assert len(names) == 2


def test_a_skip_of_this_tick_hides_the_message_of_the_pass_before() -> None:
    steps = """again: repeat up to 2 times {
  w: wait 1d
  m: send email "t"
  if exists(sent of m) { x: wait 1h } else { exit as skipped }
}"""
    with both(program(steps, policy="cap any 1 per 30d then skip"), START) as pair:
        enters(pair)
        pair.tick(NOW + DAY)
        pair.tick(NOW + DAY + HOUR)
        look = pair.tick(NOW + 3 * DAY)
        assert (len(sent(look)), ends(look)) == (1, [("finished", "skipped")])
