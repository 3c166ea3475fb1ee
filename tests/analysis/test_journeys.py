"""Journeys: paths, defaults, arms, waits, races, sends."""

from datetime import time

import pytest

from journeylang.model.entry import EnterOn, EnterWhen
from journeylang.model.expressions import BoundEvent, EntryValue, MessageEvent
from journeylang.model.journey import (
    Calendar,
    Elapsed,
    Experiment,
    If,
    Leave,
    Race,
    Send,
    TimeOfDay,
    Wait,
    WaitSpan,
)
from journeylang.source import Span
from tests.analysis.project import journey, project, steps

NOWHERE = Span("", 0, 0)


def test_defaults() -> None:
    made = journey("")
    assert isinstance(made.entry, EnterOn)
    assert (made.purpose, made.purpose_reason, made.priority) == ("marketing", None, 0)
    assert (made.reenter.rule, made.policy, made.holdout) == ("never", "standard", None)
    assert (made.exits, made.goals, made.only, made.body) == ((), (), None, ())


def test_headers() -> None:
    made = journey(
        'purpose service "because" priority -3 reenter after 2w holdout 12.5% salt "h"'
        " exit when exists(order_placed since entry) as converted exit when customer.points > 3"
        " goal order_placed where items > 1 within 14d worth total goal signed_up"
        ' only customers where customer.country = "DE"'
    )
    assert (made.purpose, made.purpose_reason, made.priority) == ("service", "because", -3)
    assert (made.reenter.rule, made.reenter.days) == ("after", 14)
    assert made.holdout is not None
    assert (made.holdout.share, made.holdout.salt) == (1250, "h")
    assert [x.reason for x in made.exits] == ["converted", "exit"]
    first, second = made.goals
    assert (first.within, first.worth, second.within, second.worth) == (
        14 * 86400,
        "total",
        None,
        None,
    )
    assert made.only is not None


def test_enter_when() -> None:
    made = project('journey j { owner "x" enter when customer.points > 3 every 1d }').journeys["j"]
    assert isinstance(made.entry, EnterWhen)
    assert made.entry.every == 86400


def test_a_transactional_journey_needs_no_policy() -> None:
    made = journey('purpose transactional "receipt"')
    assert (made.purpose, made.purpose_reason, made.policy) == ("transactional", "receipt", None)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("48h", Elapsed(seconds=48 * 3600)),
        ("90m", Elapsed(seconds=5400)),
        ("5s", Elapsed(seconds=5)),
        ("2d", Calendar(days=2)),
        ("2w", Calendar(days=14)),
        ("3mo", Calendar(months=3)),
        ("1y", Calendar(months=12)),
    ],
)
def test_waits(text: str, span: WaitSpan) -> None:
    assert steps(f"a: wait {text}") == (Wait(label="a", path="a", until=span, span=NOWHERE),)
    (race,) = steps(f"a: wait for order_placed up to {text}")
    assert isinstance(race, Race)
    assert race.deadline == span


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", (1, 2, 3, 4, 5, 6, 7)),
        (" on weekdays", (1, 2, 3, 4, 5)),
        (" on sunday, tuesday, weekend", (2, 6, 7)),
        (" on day", (1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_times_of_day(text: str, days: tuple[int, ...]) -> None:
    (wait,) = steps(f"a: wait until 9:30{text}")
    assert isinstance(wait, Wait)
    assert wait.until == TimeOfDay(at=time(9, 30), weekdays=days)


def test_paths() -> None:
    body = steps(
        """
        look: experiment salt "s" {
          arm plain 40% control { hello: send email }
          arm named 60% { hello: send email "x/y" }
        }
        think: wait for opened of look/named/hello up to 5d {
          on opened { if customer.points > 3 { ring: send push } else { exit as silent } }
          timeout { pause: wait 1d }
        }
        """
    )
    look, think = body
    assert isinstance(look, Experiment)
    assert [(arm.name, arm.low, arm.high, arm.control) for arm in look.arms] == [
        ("plain", 0, 4000, True),
        ("named", 4000, 10000, False),
    ]
    first, second = (arm.body[0] for arm in look.arms)
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert (first.path, first.candidates[0].template) == ("look/plain/hello", "it/hello")
    assert (second.path, second.candidates[0].template) == ("look/named/hello", "x/y")
    assert isinstance(think, Race)
    (branch,) = think.branches
    assert branch.event == MessageEvent(
        name="opened", journey="it", path="look/named/hello", own=True, span=NOWHERE
    )
    (choice,) = branch.body
    assert isinstance(choice, If)
    (ring,) = choice.then
    assert isinstance(ring, Send)
    assert ring.path == "think/ring"
    assert choice.otherwise == (Leave(reason="silent", span=NOWHERE),)
    (pause,) = think.timeout
    assert isinstance(pause, Wait)
    assert pause.path == "think/pause"


def test_a_label_means_the_nearest_message() -> None:
    (look,) = steps(
        """
        look: experiment salt "s" {
          arm a 50% { hello: send email think: wait for opened of hello up to 2d }
          arm b 50% { hello: send push think: wait for opened of hello up to 2d }
        }
        """
    )
    assert isinstance(look, Experiment)
    found = []
    for arm in look.arms:
        race = arm.body[1]
        assert isinstance(race, Race)
        event = race.branches[0].event
        assert isinstance(event, MessageEvent)
        found.append(event.path)
    assert found == ["look/a/hello", "look/b/hello"]


def test_a_race() -> None:
    (race,) = steps(
        "a: wait up to 7h { on order_placed where items > 1 { exit } on signed_up { }"
        " timeout { exit as late } }"
    )
    assert isinstance(race, Race)
    assert [b.event for b in race.branches] == [
        BoundEvent(name="order_placed", span=NOWHERE),
        BoundEvent(name="signed_up", span=NOWHERE),
    ]
    assert race.branches[0].body == (Leave(reason="exit", span=NOWHERE),)
    assert race.timeout == (Leave(reason="late", span=NOWHERE),)


def test_else_if() -> None:
    (choice,) = steps(
        "if customer.points > 3 { exit as a } else if customer.points > 1 { exit as b }"
        " else { exit as c }"
    )
    assert isinstance(choice, If)
    (inner,) = choice.otherwise
    assert isinstance(inner, If)
    assert [block[0] for block in (choice.then, inner.then, inner.otherwise)] == [
        Leave(reason=reason, span=NOWHERE) for reason in "abc"
    ]


def test_sends() -> None:
    (send,) = steps(
        'hello: send first of { push when exists(order_placed) email "x/y" }'
        " with { source: entry.source, n: 5 } expires 2d else hold 12h"
    )
    assert isinstance(send, Send)
    assert [(c.channel, c.template, c.when is None) for c in send.candidates] == [
        ("push", "it/hello", False),
        ("email", "x/y", True),
    ]
    assert [name for name, _ in send.values] == ["source", "n"]
    assert isinstance(send.values[0][1], EntryValue)
    assert send.expires == 2 * 86400
    assert send.otherwise is not None
    assert (send.otherwise.action, send.otherwise.seconds) == ("hold", 12 * 3600)


def test_a_send_without_anything() -> None:
    (send,) = steps("hello: send email")
    assert isinstance(send, Send)
    assert (send.expires, send.otherwise, send.topic, send.values) == (7 * 86400, None, None, ())


def test_policies() -> None:
    policy = project(
        """
        policy strict {
          cap email 3 per 7d cap any 1 per week then skip
          quiet push, email 20:00 to 09:00 then skip quiet any 01:00 to 02:00
          control 2.5% salt "c" service ignores quiet, caps
        }
        """
    ).policies["strict"]
    assert [(c.channel, c.limit, c.seconds, c.calendar, c.action) for c in policy.caps] == [
        ("email", 3, 604800, None, "hold"),
        (None, 1, None, "week", "skip"),
    ]
    assert [(q.channels, q.start, q.end, q.action) for q in policy.quiets] == [
        (("push", "email"), time(20), time(9), "skip"),
        (("email", "push"), time(1), time(2), "hold"),
    ]
    assert policy.control is not None
    assert (policy.control.share, policy.control.salt) == (250, "c")
    assert policy.service_ignores == ("caps", "quiet")
