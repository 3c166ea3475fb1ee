"""Codes of promos: each once, along the line; none left; redeemed by whomever."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.agreement.both import Both, Look, both
from tests.agreement.prelude import POOL, instant, record
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    happens,
    journey,
    people,
    program,
    project,
    refusals,
)

NOW = START + HOUR


def codes(look: Look) -> list[tuple[int, str, str]]:
    """Customer, promo and code of all that were drawn."""
    return sorted((row[0], row[4], row[5]) for row in look["codes"])


def contents(pair: Both) -> list[tuple[int, object]]:
    found = pair.engine.query("SELECT customer_id, content FROM journey.message")
    return sorted((who, content and json.loads(content)) for who, content in found)


def enter(pair: Both, *numbers: int) -> None:
    people(pair, *numbers)
    for number in numbers:
        happens(pair, "signed_up", NOW - timedelta(minutes=60 - number), number)


def test_a_pool_is_drawn_along_the_line_until_it_is_empty() -> None:
    steps = """
    a: send email "t" with { code: promo(pool), v: customer.points } else skip
    b: wait 1d
    """
    with both(program(steps), START) as pair:
        pair.put("shop.pool", POOL)
        enter(pair, 3, 1, 2, 4, 5)
        look = pair.tick(NOW)
        assert codes(look) == [(1, "pool", "P1"), (2, "pool", "P2"), (3, "pool", "a")]
        assert refusals(look) == ["no_code", "no_code"]
        assert contents(pair) == [
            (1, {"v": 10, "code": "P1"}),
            (2, {"v": 10, "code": "P2"}),
            (3, {"v": 10, "code": "a"}),
        ]
        assert codes(pair.tick(NOW)) == codes(look)


def test_an_empty_pool_may_end_the_run() -> None:
    steps = 'a: send email "t" with { code: promo(pool) else exit as sold_out }\nb: wait 1d'
    with both(program(steps), START) as pair:
        enter(pair, 1)
        assert ends(pair.tick(NOW)) == [("finished", "sold_out")]


def test_only_who_is_sent_something_takes_a_code() -> None:
    steps = 'a: send email "t" with { code: promo(pool) else skip } else skip'
    with both(program(steps), START) as pair:
        pair.put("shop.pool", [record("shop.pool", code="one", kind="pool")])
        people(pair, 1, email=None)
        people(pair, 2)
        for number in (1, 2):
            happens(pair, "signed_up", NOW - MINUTE, number)
        look = pair.tick(NOW)
        assert (codes(look), refusals(look)) == ([(2, "pool", "one")], ["no_address"])


def test_a_code_of_one_promo_is_no_other_promos_and_the_first_are_counted() -> None:
    first = journey("j", 'a: send email "t" with { code: promo(pool) } else skip', "priority 2")
    second = journey("k", 'a: send email "t" with { code: promo(few) } else skip')
    with both(project(first, second), START) as pair:
        pair.put("shop.pool", POOL)
        enter(pair, 1, 2)
        look = pair.tick(NOW)
        # The first one's second message is decided when all first ones are.
        assert codes(look) == [
            (1, "few", "Z"),
            (1, "pool", "P1"),
            (2, "few", "a"),
            (2, "pool", "P2"),
        ]
        enter(pair, 3)
        assert "no_code" in refusals(pair.tick(NOW + HOUR))


def test_made_codes_have_their_pattern_and_are_not_made_twice() -> None:
    steps = """
    a: send email "t" with { code: promo(made) } else skip
    b: wait 1h
    c: send email "t" with { code: promo(own) } else skip
    d: send email "t" with { code: promo(own) } else skip
    """
    with both(program(steps), START) as pair:
        enter(pair, 1)
        look = pair.tick(NOW)
        ((_, _, taken),) = codes(look)
        assert len(taken) == 8
        assert (taken[1], taken[4]) == ("M", "-")
    with both(program(steps), START) as pair:
        enter(pair, 1)
        pair.engine.execute(
            "INSERT INTO journey.promo_code VALUES (7, 'few', $code, 1, 1, 1, 1, $moment, NULL)",
            {"code": taken, "moment": START},
        )
        # The oracle does not know of it, so that only the runtime is asked.
        from journeylang.runtime.tick import tick

        tick(pair.session, NOW)
        tick(pair.session, NOW + 2 * HOUR)
        found = pair.engine.query("SELECT code FROM journey.promo_code WHERE promo = 'made'")
        assert len(found) == 1
        assert found[0][0] != taken
        own = pair.engine.query("SELECT code FROM journey.promo_code WHERE promo = 'own'")
        sent = pair.engine.query(
            "SELECT m.content FROM journey.message AS m JOIN journey.step AS s ON s.step = m.step"
            " WHERE s.path IN ('c', 'd')"
        )
        assert len(own) == 1
        assert {json.loads(content)["code"] for (content,) in sent} == {own[0][0]}


def test_a_promo_ends() -> None:
    steps = 'a: send email "t" with { code: promo(made) } else skip'
    with both(program(steps), instant("2026-04-05T20:00")) as pair:
        last = instant("2026-04-05T23:59")
        people(pair, 1, 2)
        happens(pair, "signed_up", last - MINUTE, 1)
        assert refusals(pair.tick(last)) == []
        happens(pair, "signed_up", last + MINUTE, 2)
        assert refusals(pair.tick(last + MINUTE)) == ["no_code"]


def test_a_redemption_is_for_whom_the_code_was_drawn() -> None:
    steps = """
    a: send email "t" with { code: promo(own) } else skip
    w: wait for redeemed of own up to 7d { on redeemed { exit as took } timeout { exit as left } }
    """
    with both(program(steps), START) as pair:
        pair.put("shop.pool", POOL)
        enter(pair, 1, 2)
        drawn = {who: code for who, _, code in codes(pair.tick(NOW))}

        def use(key: int, who: int, code: str, at: timedelta) -> None:
            row = record("shop.uses", id=key, customer_id=who, at=NOW + at, code=code)
            pair.add("shop.uses", row)

        use(1, 2, drawn[1], HOUR)
        use(2, 2, "other", HOUR)
        use(3, 2, drawn[2], -HOUR)
        assert ends(pair.tick(NOW + DAY)) == [("finished", "took"), ("active", None)]
        assert ends(pair.tick(NOW + 8 * DAY)) == [("finished", "took"), ("finished", "left")]


def test_each_pass_of_a_loop_draws_a_code_of_its_own_but_per_customer() -> None:
    for promo, distinct in (("pool", 2), ("made", 2), ("own", 1)):
        note = f'a: send email "t" with {{ code: promo({promo}) else skip }}'
        with both(program(f"l: repeat up to 2 times {{ {note} w: wait 1h }}"), START) as pair:
            pair.put("shop.pool", POOL)
            enter(pair, 1)
            pair.tick(NOW)
            look = pair.tick(NOW + 2 * HOUR)
            assert len(look["messages"]) == 2
            assert len({code for _, _, code in codes(look)}) == distinct
