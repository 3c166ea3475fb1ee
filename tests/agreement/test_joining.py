"""Who enters by coming into a segment."""

from __future__ import annotations

from datetime import datetime

from tests.agreement.both import Both, Look, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, person, program

SEGMENT = "segment rich = customer.points >= 100\nsegment busy = count(ordered within 2d) >= 1\n"


def joining(segment: str, *headers: str, every: str = "", steps: str = "w: wait 30d") -> str:
    text = program(steps, *headers, enter=f"enter when joins {segment}{every}")
    return text.replace("language 1\n", f"language 1\n{SEGMENT}")


def entered(look: Look) -> list[tuple[int, datetime]]:
    return sorted((row[0], row[3]) for row in look["runs"])


def points(pair: Both, number: int, value: int) -> None:
    rows = pair.tables.rows["crm.customers"]
    pair.put("crm.customers", [r | {"points": value} if r["id"] == number else r for r in rows])


def test_only_who_comes_in_enters() -> None:
    there = {"crm.customers": [person(1, points=100), person(2, points=99)]}
    with both(joining("rich"), START, there) as pair:
        assert entered(pair.tick(START)) == []
        points(pair, 2, 100)
        people(pair, 3, points=100)
        assert entered(pair.tick(START + HOUR)) == [(2, START + HOUR), (3, START + HOUR)]
        assert entered(pair.tick(START + 2 * HOUR)) == [(2, START + HOUR), (3, START + HOUR)]


def test_who_was_out_and_comes_back_may_enter_again() -> None:
    there = {"crm.customers": [person(1, points=100)]}
    with both(joining("rich", "reenter always", steps=""), START, there) as pair:
        pair.tick(START)
        look: Look = {}
        for n, value in enumerate((0, 100, 100, 0, 100), 1):
            points(pair, 1, value)
            look = pair.tick(START + n * HOUR)
        assert entered(look) == [(1, START + 2 * HOUR), (1, START + 5 * HOUR)]


def test_who_may_not_is_recorded_and_not_tried_again() -> None:
    headers = ("reenter after 1d", 'only customers where customer.country = "DE"')
    with both(joining("rich", *headers, steps="w: wait 2h"), START) as pair:
        people(pair, 1, points=100)
        people(pair, 2, points=100, country="FR")
        pair.tick(START + HOUR)
        look: Look = {}
        for n, value in enumerate((0, 100, 0, 0, 100, 100), 2):
            points(pair, 1, value)
            look = pair.tick(START + n * HOUR)
        assert entered(look) == [(1, START + HOUR)]
        assert sorted((row[0], row[4], row[5]) for row in look["decisions"]) == [
            (1, START + 3 * HOUR, "active"),
            (1, START + 6 * HOUR, "reentry"),
            (2, START + HOUR, "audience"),
        ]


def test_a_passage_between_two_looks_is_not_seen() -> None:
    with both(joining("rich", "reenter always", every=" every 6h"), START) as pair:
        people(pair, 1, points=0)
        pair.tick(START)
        look: Look = {}
        for n, value in enumerate((100, 0, 0, 100, 100), 1):
            points(pair, 1, value)
            look = pair.tick(START + n * HOUR)
        assert entered(look) == [(1, START + 4 * HOUR)]


def test_time_alone_lets_people_out_and_in() -> None:
    with both(joining("busy", "reenter always", steps=""), START) as pair:
        people(pair, 1)
        happens(pair, "ordered", START)
        pair.tick(START + MINUTE)
        pair.tick(START + 3 * DAY)
        happens(pair, "ordered", START + 3 * DAY + HOUR)
        look = pair.tick(START + 3 * DAY + 2 * HOUR)
        assert entered(look) == [(1, START + MINUTE), (1, START + 3 * DAY + 2 * HOUR)]


def test_who_comes_in_before_it_runs_has_come_in_before() -> None:
    with both(joining("rich", "runs from 2026-03-03 until 2026-03-03"), START) as pair:
        people(pair, 1, 2, 3, points=0)
        points(pair, 1, 100)
        pair.tick(START + HOUR)
        points(pair, 2, 100)
        pair.tick(START + DAY)
        points(pair, 3, 100)
        assert entered(pair.tick(START + 2 * DAY)) == [(2, START + DAY)]


def test_somebody_who_is_gone_stays_what_they_were() -> None:
    """A table that is empty for an hour makes nobody pass."""
    with both(joining("rich", "reenter always", steps=""), START) as pair:
        people(pair, 1, 2, points=100)
        pair.tick(START + HOUR)
        pair.put("crm.customers", [])
        pair.tick(START + 2 * HOUR)
        pair.add("crm.customers", person(1, points=100), person(2, points=0))
        assert len(entered(pair.tick(START + 3 * HOUR))) == 2
        points(pair, 2, 100)
        assert len(entered(pair.tick(START + 4 * HOUR))) == 3
