"""Factors: each drawn by itself, exposed where the experiment stands, known to the sends below."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

from tests.agreement.both import both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program
from tests.oracle.chance import bucket

STEPS = """
look: experiment factors salt "s" { subject: ["a", "b", "c"], price: [5 EUR, 7.50 EUR] }
hello: send email "t" with { v: 1 }
if customer.points > 5 { settle: wait 2d }
again: send email "t"
"""


def test_each_factor_has_its_own_buckets_and_exposure() -> None:
    with both(program(STEPS), START) as pair:
        numbers = range(1, 201)
        people(pair, *numbers)
        for number in numbers:
            happens(pair, "signed_up", START + timedelta(minutes=1), number)
        look = pair.tick(START + HOUR)
        drawn: dict[int, dict[str, str]] = {n: {} for n in numbers}
        for row in look["exposures"]:
            drawn[row[0]][row[3]] = row[4]
        for number in numbers:
            place = bucket("s:subject", number)
            subject = "a" if place < 3333 else "b" if place < 6666 else "c"
            price = "5.0000" if bucket("s:price", number) < 5000 else "7.5000"
            assert drawn[number] == {"look/subject": subject, "look/price": price}
        # By itself: all six combinations are there.
        assert len(Counter((d["look/subject"], d["look/price"]) for d in drawn.values())) == 6
        pair.tick(START + timedelta(days=4))
        sent = pair.engine.query(
            "SELECT m.customer_id, s.path, m.content FROM journey.message AS m"
            " JOIN journey.step AS s ON s.step = m.step"
        )
        assert len(sent) == 400
        for number, step, content in sent:
            found = json.loads(content)
            assert found.pop("v", None) == (1 if step == "hello" else None)
            assert found["subject"] == drawn[number]["look/subject"]
            assert f"{found['price']:.4f}" == drawn[number]["look/price"]


def test_who_does_not_come_by_is_not_exposed() -> None:
    steps = """
    if customer.points > 50 {
      look: experiment factors salt "s" { f: [1, 2] }
      hello: send email "t"
    }
    again: send email "t"
    """
    with both(program(steps), START) as pair:
        people(pair, 1)
        people(pair, 2, points=60)
        for number in (1, 2):
            happens(pair, "signed_up", START + timedelta(minutes=1), number)
        look = pair.tick(START + HOUR)
        assert [row[0] for row in look["exposures"]] == [2]
        contents = pair.engine.query("SELECT customer_id, content FROM journey.message")
        assert sorted((who, content is None) for who, content in contents) == [
            (1, True),
            (2, False),
            (2, True),
        ]


LEARNT = """
look: experiment factors adaptive salt "s" { subject: ["a", "b", "c"], price: [5 EUR, 7.50 EUR] }
hello: send email "t"
settle: wait 2d
again: send email "t"
"""


def test_each_factor_learns_by_itself() -> None:
    with both(program(LEARNT, "goal ordered within 12h"), START) as pair:
        now = START + HOUR
        people(pair, *range(1, 61))
        for number in range(1, 61):
            happens(pair, "signed_up", now - MINUTE, number)
        for customer, _, _, factor, value, _ in pair.tick(now)["exposures"]:
            # Of the prices both are as good.
            if factor == "look/subject" and value == "b":
                happens(pair, "ordered", now + HOUR, customer)
        now += DAY
        people(pair, *range(61, 161))
        for number in range(61, 161):
            happens(pair, "signed_up", now - MINUTE, number)
        look = pair.tick(now)
        rows = pair.engine.query(
            "SELECT s.path, w.arm, w.high - w.low FROM journey.weight AS w"
            " JOIN journey.step AS s ON s.step = w.experiment WHERE w.day = DATE '2026-03-03'"
        )
        shares = {(path, arm): share for path, arm, share in rows}
        assert shares["look/subject", "b"] == 9_000
        assert 500 < shares["look/price", "5.0000"] < 9_500
        # What the messages show is what was kept, days later too.
        drawn: dict[int, dict[str, str]] = {n: {} for n in range(1, 161)}
        for customer, _, _, factor, value, _ in look["exposures"]:
            drawn[customer][factor] = value
        assert sum(d["look/subject"] == "b" for n, d in drawn.items() if n > 60) > 80
        for days in (2, 3, 4):
            pair.tick(now + days * DAY)
        sent = pair.engine.query("SELECT customer_id, content FROM journey.message")
        assert len(sent) == 320
        for customer, content in sent:
            found = json.loads(content)
            assert found["subject"] == drawn[customer]["look/subject"]
            assert f"{found['price']:.4f}" == drawn[customer]["look/price"]
