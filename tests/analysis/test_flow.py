"""The graph of a journey: what it says of all paths is what each path says."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylang.analysis.flow import (
    Flow,
    Path,
    Stop,
    flow,
    most_messages,
    paths,
    soonest,
    whole,
)
from journeylang.analysis.lapses import DAY, HOUR, Lapse, lapse, words
from journeylang.model.journey import Calendar, Elapsed, Journey, Send, TimeOfDay
from tests.analysis.project import journey


def graph(text: str) -> Flow:
    made = flow(journey(text))
    assert made is not None
    return made


def labels(path: Path) -> list[str]:
    return [getattr(stop.step, "label", stop.way.kind) for stop in path]


TWO_WAYS = """
hello: send email
settle: wait 2h
if customer.points > 5 {
  a: send email
  exit
} else {
  look: wait for order_placed up to 3h {
    on order_placed { thanks: send push }
    timeout { more: wait 1h ask: send email }
  }
}
last: send email
"""


def test_paths_and_their_times() -> None:
    made = paths(graph(TWO_WAYS))
    assert made is not None
    assert [labels(path) for path in made] == [
        ["hello", "settle", "then", "a", "next"],
        ["hello", "settle", "else", "look", "thanks", "last"],
        ["hello", "settle", "else", "look", "more", "ask", "last"],
    ]
    assert made[1][-1].arrival == Lapse(low=2 * HOUR, high=5 * HOUR)
    assert made[2][-1].arrival == Lapse(low=6 * HOUR, high=6 * HOUR)
    assert whole(graph(TWO_WAYS)) == Lapse(low=2 * HOUR, high=6 * HOUR)


def test_the_soonest_arrival() -> None:
    made = graph(TWO_WAYS)
    steps = {made.nodes[index].step: at for index, at in soonest(made).items()}
    found = {step.label: at for step, at in steps.items() if isinstance(step, Send)}
    assert found == {
        "hello": 0,
        "a": 2 * HOUR,
        "thanks": 2 * HOUR,
        "ask": 6 * HOUR,
        "last": 2 * HOUR,
    }


def test_the_most_messages_within_a_window() -> None:
    made = graph(TWO_WAYS)

    def most(channel: str, hours: int) -> list[str]:
        found = most_messages(
            made,
            lambda send: any(c.channel == channel for c in send.candidates),
            hours * HOUR,
        )
        return [send.label for send in found]

    assert most("email", 1) == ["ask", "last"]
    # Two hours apart is not within less than two hours.
    assert most("email", 2) == ["ask", "last"]
    assert most("email", 7) == ["hello", "ask", "last"]
    assert most("push", 24) == ["thanks"]


def test_steps_behind_an_exit_are_in_no_path() -> None:
    made = paths(graph("exit as done hello: send email"))
    assert made is not None
    assert [labels(path) for path in made] == [["next"]]


def test_an_arm_that_nobody_gets() -> None:
    made = paths(
        graph(
            'e: experiment salt "s" { arm a 100% control { hello: send email } arm b 0% { } }'
            " last: send push"
        )
    )
    assert made is not None
    assert [labels(path) for path in made] == [["e", "hello", "last"]]


def test_too_many_paths() -> None:
    text = " ".join("if customer.points > 5 { }" for _ in range(12))
    assert paths(graph(text)) is None
    assert most_messages(graph(f"{text} hello: send email"), lambda _: True, 60)


def test_a_loop_is_one_pass_behind_the_other() -> None:
    made = paths(
        graph("l: repeat up to 3 times until customer.points > 5 { a: send email b: wait 2h }")
    )
    assert made is not None
    assert [[stop.way.kind for stop in path] for path in made] == [
        ["next", "next", "over"],
        ["next", "next", "again", "next", "next", "over"],
        ["next", "next", "again", "next", "next", "again", "next", "next", "next"],
    ]
    assert [path[-1].arrival for path in made] == [
        Lapse(low=n * 2 * HOUR, high=n * 2 * HOUR) for n in (1, 2, 3)
    ]


def test_a_state_is_there_at_the_latest_at_its_end() -> None:
    made = graph("a: wait until customer.points > 5 up to 3h { timeout { b: wait 1h } }")
    assert whole(made) == Lapse(low=0, high=4 * HOUR)


def test_how_far_moments_are() -> None:
    def far(wait: str) -> Lapse:
        return whole(graph(f"a: wait until {wait}"))

    assert far("entry.at + 2h") == Lapse(low=0, high=None)
    assert far("best hour within 6h") == Lapse(low=0, high=6 * HOUR)
    assert far("best hour within 7d") == Lapse(low=0, high=DAY + HOUR)


# --- generated journeys ------------------------------------------------------------------------


def blocks() -> st.SearchStrategy[str]:
    simple = st.sampled_from(
        (
            "L: send email",
            "L: send push",
            "L: wait 1h",
            "L: wait 2h",
            "L: wait until 09:00 on weekdays",
            "exit",
        )
    )
    return st.recursive(
        st.lists(simple, max_size=4).map("\n".join),
        lambda inner: st.one_of(
            st.tuples(inner, inner, inner).map("\n".join),
            st.tuples(inner, inner).map(
                lambda p: f"if customer.points > 5 {{ {p[0]} }} else {{ {p[1]} }}"
            ),
            st.tuples(inner, inner).map(
                lambda p: (
                    "L: wait for order_placed up to 3h {"
                    f" on order_placed {{ {p[0]} }} timeout {{ {p[1]} }} }}"
                )
            ),
            st.tuples(inner, st.sampled_from(("", " until customer.points > 5"))).map(
                lambda p: f"L: repeat up to 2 times{p[1]} {{ {p[0]} L: wait 1h }}"
            ),
            st.tuples(inner, inner).map(
                lambda p: (
                    "L: wait until customer.points > 5 up to 3h {"
                    f" then {{ {p[0]} }} timeout {{ {p[1]} }} }}"
                )
            ),
            st.tuples(inner, inner).map(
                lambda p: (
                    f'L: experiment salt "S" {{ arm a 50% control {{ {p[0]} }}'
                    f" arm b 50% {{ {p[1]} }} }}"
                )
            ),
        ),
        max_leaves=6,
    )


def labelled(text: str) -> str:
    numbers = count()
    words_ = []
    for word in text.replace('"S"', "SALT").split(" "):
        for_label = word.replace("L:", f"l{next(numbers)}:") if "L:" in word else word
        words_.append(for_label.replace("SALT", f'"s{next(numbers)}"'))
    return " ".join(words_)


def made_of(text: str) -> Journey:
    # Each label once; lines are kept, so a word may begin behind a line's end.
    return journey(labelled(text.replace("\n", " ")))


def within(path: Path, channel: str, window: int) -> int:
    """The most sends of a channel whose first and last may lie less than a window apart."""
    stops = [
        s for s in path if isinstance(s.step, Send) and s.step.candidates[0].channel == channel
    ]
    best = 0
    for i in range(len(stops)):
        for j in range(i, len(stops)):
            if apart(path, stops[i], stops[j]) < window:
                best = max(best, j - i + 1)
    return best


def by(channel: str, send: Send) -> bool:
    return send.candidates[0].channel == channel


def apart(path: Path, first: Stop, last: Stop) -> int:
    """At least so many seconds pass from one stop to the other."""
    return last.arrival.low - first.arrival.low


@settings(max_examples=150, deadline=None)
@given(blocks(), st.sampled_from((1, HOUR, 2 * HOUR, 3 * HOUR, DAY)))
def test_what_is_said_of_all_paths_is_what_each_says(text: str, window: int) -> None:
    made = flow(made_of(text))
    assert made is not None
    every = paths(made, 5_000)
    assert every is not None
    for channel in ("email", "push"):
        found = most_messages(made, partial(by, channel), window)
        assert len(found) == max((within(path, channel, window) for path in every), default=0)
    total = whole(made)
    ends = [
        path[-1].arrival + path[-1].way.lapse if path else Lapse(low=0, high=0) for path in every
    ]
    assert total.low == min(end.low for end in ends)
    assert total.high == max(end.high or 0 for end in ends)
    quickest = soonest(made)
    for path in every:
        for stop in path:
            # In a loop the same step is a node of each pass.
            passes = [i for i, n in enumerate(made.nodes) if n.step is stop.step]
            assert min(quickest[i] for i in passes if i in quickest) <= stop.arrival.low


# --- lengths of waits --------------------------------------------------------------------------


ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")]


@settings(max_examples=300)
@given(
    st.datetimes(
        min_value=datetime.fromisoformat("2021-01-01"),
        max_value=datetime.fromisoformat("2030-12-31"),
    ),
    st.sampled_from(ZONES),
    st.integers(0, 14),
    st.integers(0, 40),
)
def test_a_calendar_wait_is_as_long_as_said(
    start: datetime, zone: ZoneInfo, months: int, days: int
) -> None:
    begin = start.replace(tzinfo=zone)
    month = begin.month - 1 + months
    year, month = begin.year + month // 12, month % 12 + 1
    day = min(begin.day, monthrange(year, month)[1])
    end_date = date(year, month, day) + timedelta(days=days)
    end = datetime.combine(end_date, begin.timetz())
    took = end.timestamp() - begin.timestamp()
    said = lapse(Calendar(months=months, days=days))
    assert said.high is not None
    # A clock time that does not exist, or exists twice, is off by the hour that the zone jumps.
    assert said.low <= took <= said.high


@pytest.mark.parametrize(
    ("weekdays", "days"),
    [((1, 2, 3, 4, 5, 6, 7), 1), ((1, 2, 3, 4, 5), 3), ((6, 7), 6), ((1,), 7), ((1, 4), 4)],
)
def test_until_a_time_of_day(weekdays: tuple[int, ...], days: int) -> None:
    assert lapse(TimeOfDay(at=time(9), weekdays=weekdays)) == Lapse(low=0, high=days * DAY + HOUR)


def test_elapsed_time_is_exact() -> None:
    assert lapse(Elapsed(seconds=48 * HOUR)) == Lapse(low=48 * HOUR, high=48 * HOUR)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "no time"),
        (1, "1 second"),
        (90, "1 minute 30 seconds"),
        (DAY, "1 day"),
        (2 * DAY + 3 * HOUR + 5, "2 days 3 hours"),
    ],
)
def test_spans_in_words(seconds: int, said: str) -> None:
    assert words(seconds) == said
