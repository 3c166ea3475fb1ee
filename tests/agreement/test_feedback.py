"""What providers and people say about messages: each event wherever an event may stand."""

from __future__ import annotations

import pytest

from tests.agreement.both import both, compiled
from tests.agreement.prelude import record
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
)

NOW = START + HOUR
# Each event with a condition on it, what fulfils that, and what does not.
SAID = [
    ("delivered", "", {}, None),
    ("opened", 'device = "a"', {"device": "a"}, {"device": "b"}),
    ("clicked", 'link starts with "a"', {"link": "ab"}, {"link": "b"}),
    ("bounced", 'kind = "hard"', {"kind": "hard"}, {"kind": "soft"}),
    ("complained", "", {}, None),
    ("unsubscribed", "", {}, None),
    ("replied", 'keyword = "STOP"', {"keyword": "STOP", "text": "stop it"}, {"text": "STOP"}),
    ("answered", 'question = "q" and value != "1"', {"question": "q", "value": "2"}, {}),
    ("called", 'outcome in ("refused", "later")', {"outcome": "later"}, {"outcome": "reached"}),
    ("failed", "", {}, None),
]
CASES = [
    (name, f" where {where}" if where else "", data, heard)
    for name, where, yes, no in SAID
    for data, heard in ((yes, True), (no, False))
    if data is not None
]


@pytest.mark.parametrize(("name", "where", "data", "heard"), CASES)
def test_it_is_heard_wherever_an_event_may_stand(
    name: str, where: str, data: dict[str, str], heard: bool
) -> None:
    message = 'm: send email "t"'
    awaited = f"w: wait for {name} of m{where} up to 1d {{ on {name} {{ exit as heard }} }}"
    raced = f"w: wait up to 1d {{ on ordered {{ }} on {name}{where} {{ exit as heard }} }}"
    counted = f"exit when count({name} of a/m{where} within 1d) = 1 as heard"
    text = project(
        journey("a", f"{message}\n{awaited}"),
        journey("b", f"{message}\n{raced}"),
        journey("c", "w: wait 1d", counted),
        journey("d", "exit as heard", enter=f"enter on {name} of a/m{where}"),
    )
    with both(text, START) as pair:
        enters(pair)
        for message_of_each in (0, 1):
            pair.say(message_of_each, name, NOW + MINUTE, **data)
        look = pair.tick(NOW + HOUR)
        assert {row[1] for row in look["runs"] if row[8] == "heard"} == set("abcd" if heard else "")


@pytest.mark.parametrize("field", ["outcome", "at"])
def test_the_entry_keeps_how_a_call_ended(field: str) -> None:
    first = journey("first", 'm: send email "t"')
    steps = f"if entry.{field} = last(called.{field}) {{ exit as same }}"
    second = journey("second", steps, enter="enter on called per outcome")
    with both(project(first, second), START) as pair:
        enters(pair)
        pair.say(0, "called", NOW + MINUTE, outcome="no_answer")
        look = pair.tick(NOW + HOUR)
        assert [row[8] for row in look["runs"] if row[1] == "second"] == ["same"]


@pytest.mark.parametrize(
    "event", [*(f"{name} of m" for name, *_ in SAID), "redeemed of pool", "redeemed of own"]
)
def test_it_may_be_a_goal_and_something_to_learn_from(event: str) -> None:
    elsewhere = event.replace(" of m", "")
    steps = f"""m: send email "t"
x: experiment adaptive salt "x" goal {event} within 1d {{
  arm a 50% {{ n: send push "t" }}
  arm b 50% {{ }}
}}
l: repeat up to 2 times until exists({event}) {{ w: wait 1d }}
u: wait until count({event} within 1d) > 1 up to 1d"""
    assert compiled(program(steps, f"goal {elsewhere} within 14d")).journeys["j"].goals


@pytest.mark.parametrize(
    "steps",
    [
        "w: wait for redeemed of pool where cost = 5 EUR up to 1d { on redeemed { exit as ok } }",
        "w: wait up to 1d { on redeemed of pool { exit as ok } on ordered { exit as other } }",
        "w: wait until exists(redeemed of pool since entry) up to 1d { then { exit as ok } }",
    ],
)
def test_a_code_that_is_redeemed_is_waited_for(steps: str) -> None:
    text = program(f'm: send email "t" with {{ c: promo(pool) else skip }}\n{steps}')
    with both(text, START) as pair:
        pair.put("shop.pool", [record("shop.pool", code="P1", kind="pool")])
        enters(pair)
        use = record("shop.uses", id=1, customer_id=7, at=NOW + MINUTE, code="P1")
        pair.add("shop.uses", use)
        assert ends(pair.tick(NOW + HOUR)) == [("finished", "ok")]


def test_who_answers_no_call_is_called_again() -> None:
    steps = """l: repeat up to 3 times until exists(called of m where outcome = "reached") {
  m: send email "t"
  w: wait for called of m up to 1d
  p: wait 1h
}
exit as done"""
    with both(program(steps), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", NOW - MINUTE)
        now = NOW
        for outcome in ("no_answer", "reached"):
            look = pair.tick(now)
            pair.say(len(look["messages"]) - 1, "called", now + MINUTE, outcome=outcome)
            pair.tick(now + 30 * MINUTE)
            now += 2 * HOUR
        look = pair.tick(now + DAY)
        assert (len(look["messages"]), ends(look)) == (2, [("finished", "done")])
