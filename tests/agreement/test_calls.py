"""`invoke`: decided by the tick that comes there, by no rule, once for each time."""

from __future__ import annotations

from typing import Any

from tests.agreement.both import Look, both
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    people,
    person,
    program,
    sent,
)

CALL = 'c: invoke loyalty "award" with { points: 100 }'


def called(look: Look) -> list[tuple[Any, ...]]:
    """Step, instant and values of all calls."""
    return sorted((row[3], row[6], row[9]) for row in look["calls"])


def test_it_asks_for_no_address_no_consent_and_no_rule() -> None:
    rules = 'cap any 1 per 1d quiet email 00:00 to 23:59 control 100% salt "g"'
    steps = f'{CALL}\nhello: send email "t" else skip'
    with both(program(steps, "purpose service", policy=rules), START) as pair:
        happens(pair, "signed_up", START + MINUTE)
        people(pair, 1, email=None)
        look = pair.tick(START + HOUR)
        assert called(look) == [("c", START + HOUR, (("points", 100),))]
        assert sent(look) == []
        assert called(pair.tick(START + HOUR)) == called(look)


def test_the_run_goes_on_at_once_and_now_is_the_arrival() -> None:
    with both(program(f"w: wait 1h\n{CALL}\nv: wait 1h\nd: {CALL[3:]}"), START) as pair:
        enters(pair, START + HOUR)
        look = pair.tick(START + 5 * HOUR)
        assert [row[6] for row in look["runs"]] == [START + 5 * HOUR]
        look = pair.tick(START + 6 * HOUR)
        assert [at for _, at, _ in called(look)] == [START + 5 * HOUR, START + 6 * HOUR]
        assert ends(look) == [("finished", "end")]


def test_it_counts_for_no_cap_and_is_no_message() -> None:
    steps = f"""{CALL}
if exists(sent since entry) {{ exit as wrong }}
hello: send email "t" else skip
r: wait for sent of email up to 1d {{ on sent {{ exit as wrong }} timeout {{ exit as right }} }}"""
    with both(program(steps, policy="cap any 1 per 7d"), START) as pair:
        look = enters(pair)
        assert len(sent(look)) == 1
        assert ends(pair.tick(START + 2 * DAY)) == [("finished", "right")]


def test_who_is_held_out_or_leaves_as_they_enter_never_comes_there() -> None:
    for header in ('holdout 100% salt "h"', "exit when customer.points > 5 as rich"):
        with both(program(CALL, header), START) as pair:
            assert called(enters(pair)) == []


def test_each_pass_of_a_loop_calls_again() -> None:
    steps = f"l: repeat up to 3 times {{ {CALL} w: wait 1h }}"
    with both(program(steps), START) as pair:
        look = enters(pair)
        for hours in range(2, 6):
            look = pair.tick(START + hours * HOUR)
        assert len(called(look)) == 3
        assert sorted(row[8] for row in look["calls"]) == [1, 2, 3]


def test_values_are_those_of_the_tick_and_lists_keep_what_is_known() -> None:
    given = (
        "n: customer.points, who: entry.source, when: entry.at, sum: 12.5 EUR, yes: customer.vip,"
        ' tags: ["a", entry.source], m: [1, 2.5], none: customer.born'
    )
    with both(program(f'w: wait 1h\nc: invoke crm "x" with {{ {given} }}'), START) as pair:
        people(pair, 1, points=1)
        happens(pair, "signed_up", START + MINUTE)
        pair.tick(START + MINUTE)
        row = pair.tables.rows["crm.customers"][0]
        pair.put("crm.customers", [row | {"points": 7}])
        [(_, _, values)] = called(pair.tick(START + 2 * HOUR))
        assert dict(values)["n"] == 7
        assert dict(values)["tags"] == ("a",)


def test_somebody_who_is_gone_calls_nobody() -> None:
    with both(program(f"w: wait 1h\n{CALL}"), START) as pair:
        enters(pair)
        # Somebody else is there: of an empty table nobody is gone.
        pair.put("crm.customers", [person(2)])
        look = pair.tick(START + 3 * HOUR)
        assert (called(look), ends(look)) == ([], [("gone", "gone")])
