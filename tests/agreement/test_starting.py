"""Journeys that start each other."""

from __future__ import annotations

from datetime import datetime

from tests.agreement.both import Both, Look, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    enters,
    happens,
    journey,
    people,
    project,
    refusals,
    sent,
)

TAKES = "enter by start with { reason: text?, total: money(EUR)?, n: number? }"


def two(first: str, second: str = "w: wait 30d", *headers: str, enter: str = TAKES) -> str:
    return project(
        journey("first", first, "reenter always"), journey("second", second, *headers, enter=enter)
    )


def second(look: Look) -> list[tuple[datetime, str, str | None]]:
    return sorted((row[3], row[4], row[8]) for row in look["runs"] if row[1] == "second")


def pending(pair: Both) -> int:
    count: int = pair.engine.query("SELECT count(*) FROM journey.pending_entry")[0][0]
    return count


def test_it_takes_effect_at_the_first_later_tick_and_once() -> None:
    with both(two("s: start second"), START) as pair:
        assert second(enters(pair)) == []
        assert pending(pair) == 1
        assert second(pair.tick(START + HOUR)) == []
        at = START + HOUR + MINUTE
        assert second(pair.tick(at)) == [(at, "active", None)]
        assert second(pair.tick(START + 2 * HOUR)) == [(at, "active", None)]
        assert pending(pair) == 0


def test_it_hands_over_values_as_they_were() -> None:
    steps = (
        'if entry.reason = "a" and entry.total = 12.5 EUR and entry.n = 10 { exit as right }'
        " else { exit as wrong }"
    )
    values = "reason: entry.source, total: 12.5 EUR, n: customer.points"
    with both(two(f"s: start second with {{ {values} }}", steps), START) as pair:
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE, source="a")
        pair.tick(START + HOUR)
        row = pair.tables.rows["crm.customers"][0]
        pair.put("crm.customers", [row | {"points": 11}])
        assert second(pair.tick(START + 2 * HOUR)) == [(START + 2 * HOUR, "finished", "right")]


def test_what_is_left_out_is_unknown() -> None:
    steps = "if entry.reason is unknown and entry.n is unknown { exit as right }"
    with both(two("s: start second with { total: 1 EUR }", steps), START) as pair:
        enters(pair)
        assert second(pair.tick(START + DAY)) == [(START + DAY, "finished", "right")]


def test_who_may_not_enter_is_recorded() -> None:
    headers = ('only customers where customer.country = "DE"', "reenter after 1d")
    with both(two("s: start second\nt: start second", "", *headers), START) as pair:
        people(pair, 1)
        people(pair, 2, country="FR")
        happens(pair, "signed_up", START, customer=1)
        happens(pair, "signed_up", START + MINUTE, customer=2)
        happens(pair, "signed_up", START + MINUTE, customer=1)
        pair.tick(START + HOUR)
        look = pair.tick(START + 2 * HOUR)
        assert len(second(look)) == 1
        assert refusals(look) == ["active", "audience", "audience"]
        happens(pair, "signed_up", START + 3 * HOUR, customer=1)
        pair.tick(START + 3 * HOUR)
        look = pair.tick(START + 4 * HOUR)
        assert refusals(look) == ["active", "audience", "audience", "reentry", "reentry"]


def test_a_journey_may_start_itself() -> None:
    again = project(journey("j", "s: start j", "reenter always", enter="enter by start"))
    with both(two("s: start second", "s: start second", "reenter always"), START) as pair:
        enters(pair)
        for hours in range(2, 6):
            look = pair.tick(START + hours * HOUR)
            assert len(second(look)) == hours - 1
    with both(again, START) as pair:
        people(pair, 1)
        assert pair.tick(START + HOUR)["runs"] == []


def test_a_journey_that_does_not_run_lets_nobody_in() -> None:
    with both(two("s: start second", "", "runs from 2026-03-03"), START) as pair:
        enters(pair)
        look = pair.tick(START + 2 * HOUR)
        assert (second(look), look["decisions"], pending(pair)) == ([], [], 0)


def test_somebody_who_is_gone_does_not_enter() -> None:
    with both(two("s: start second"), START) as pair:
        enters(pair)
        pair.put("crm.customers", [])
        assert second(pair.tick(START + 2 * HOUR)) == []
        assert pending(pair) == 0


def test_the_run_that_starts_goes_on_at_once() -> None:
    with both(two('s: start second\nhello: send email "t"'), START) as pair:
        assert [step for step, _, _ in sent(enters(pair))] == ["hello"]


def test_a_hold_out_and_control_count_as_entries() -> None:
    with both(two("s: start second", "", 'holdout 100% salt "h"'), START) as pair:
        enters(pair)
        assert second(pair.tick(START + DAY)) == [(START + DAY, "held_out", "held_out")]
