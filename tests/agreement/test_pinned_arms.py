"""Who is pinned keeps the arm that they were given, whatever salt a later version draws by."""

from __future__ import annotations

import pytest

from tests.agreement.both import Both, Look, both
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program

PEOPLE = range(1, 13)

ARMS = """l: repeat up to 3 times {
  pass: wait 1d
  which: experiment SALT { arm a 50% { x: send email "t" } arm b 50% { y: send email "t" } }
}"""
FACTORS = """which: experiment factors SALT { subject: ["a", "b"] body: ["c", "d"] }
l: repeat up to 3 times { pass: wait 1d
m: send email "t" }"""


def _given(look: Look) -> dict[int, set[tuple[object, ...]]]:
    """By customer: the experiments and arms in which they have been."""
    found: dict[int, set[tuple[object, ...]]] = {}
    for customer, _, _, experiment, arm, _ in look["exposures"]:
        found.setdefault(customer, set()).add((experiment, arm))
    return found


def _steps(look: Look) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for row in look["messages"]:
        found.setdefault(row[0], set()).add(row[3])
    return found


@pytest.mark.parametrize("steps", [ARMS, FACTORS], ids=["arms", "factors"])
@pytest.mark.parametrize("adaptive", ["", "adaptive "], ids=["fixed", "adaptive"])
def test_in_each_pass_of_a_loop(steps: str, adaptive: str) -> None:
    """Half of all would have another arm by the other salt, and the run that goes on has not."""
    first = steps.replace("SALT", f'{adaptive}salt "first"')
    other = steps.replace("SALT", f'{adaptive}salt "second"')
    goal = ("goal ordered within 1d",)
    with both(program(first, *goal), START) as pair:
        people(pair, *PEOPLE)
        for n in PEOPLE:
            happens(pair, "signed_up", START + MINUTE, n)
        pair.tick(START + HOUR)
        before = pair.tick(START + DAY + HOUR)
        assert pair.apply(program(other, "upgrade pin", *goal), START + DAY + 2 * HOUR)
        people(pair, 99)
        happens(pair, "signed_up", START + DAY + 2 * HOUR, 99)
        look = [pair.tick(START + days * DAY + 3 * HOUR) for days in (2, 3, 4, 5)][-1]
        assert len(look["messages"]) == 3 * (len(PEOPLE) + 1)
        given, steps_of = _given(look), _steps(look)
        assert {n: given[n] for n in PEOPLE} == _given(before)
        assert all(len(found) == 1 for found in steps_of.values())
        assert {n: steps_of[n] for n in PEOPLE} == _steps(before)
        assert len({arm for found in given.values() for _, arm in found}) > 1


def _arms(salt: str, times: int = 3) -> str:
    """`ARMS` that learns, by the salt."""
    return ARMS.replace("SALT", f'adaptive salt "{salt}"').replace("3 times", f"{times} times")


def _weighed_once(pair: Both) -> None:
    """Each arm has one range of each day, and all of a day are the whole."""
    drawn = pair.engine.query(
        "SELECT count(*), count(DISTINCT arm), min(low), max(high), sum(high - low)"
        " FROM journey.weight GROUP BY experiment, salt, day"
    )
    assert drawn
    assert all(rows == arms and (0, high) == (low, total) for rows, arms, low, high, total in drawn)


@pytest.mark.parametrize("steps", [ARMS, FACTORS], ids=["arms", "factors"])
def test_shares_of_a_day_are_drawn_once_on_the_day_of_another_salt(steps: str) -> None:
    """A tick of the day has drawn them; who is then pinned is judged by the same."""
    first, other = (steps.replace("SALT", f'adaptive salt "{s}"') for s in ("first", "second"))
    goal = ("goal ordered within 1d",)
    with both(program(first, *goal), START) as pair:
        people(pair, *PEOPLE)
        for n in PEOPLE:
            happens(pair, "signed_up", START + MINUTE, n)
        pair.tick(START + HOUR)
        pair.tick(START + DAY + MINUTE / 2)
        assert pair.apply(program(other, "upgrade pin", *goal), START + DAY + MINUTE)
        look = pair.tick(START + DAY + HOUR)
        assert len(look["runs"]) == len(look["messages"]) == len(PEOPLE)
        _weighed_once(pair)
        look = pair.tick(START + 2 * DAY + HOUR)
        assert len(look["runs"]) * 2 == len(look["messages"]) == 2 * len(PEOPLE)
        _weighed_once(pair)


def test_two_pinned_versions_of_one_salt_draw_the_shares_of_a_day_once() -> None:
    goal = ("goal ordered within 1d",)
    with both(program(_arms("first"), *goal), START) as pair:
        people(pair, *PEOPLE)
        for n in PEOPLE:
            happens(pair, "signed_up", START + MINUTE, n)
        pair.tick(START + HOUR)
        second = program(_arms("first", times=4), "upgrade pin", *goal)
        assert pair.apply(second, START + HOUR + MINUTE)
        people(pair, 99)
        happens(pair, "signed_up", START + HOUR + MINUTE, 99)
        pair.tick(START + 2 * HOUR)
        third = program(_arms("second", times=4), "upgrade pin", *goal)
        assert pair.apply(third, START + 2 * HOUR + MINUTE)
        for days in (1, 2, 3):
            look = pair.tick(START + days * DAY + 3 * HOUR)
            assert len(look["runs"]) == len(PEOPLE) + 1
            assert len(look["messages"]) == days * (len(PEOPLE) + 1)
            _weighed_once(pair)
