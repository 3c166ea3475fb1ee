"""Who is pinned keeps the arm that they were given, whatever salt a later version draws by."""

from __future__ import annotations

import pytest

from tests.agreement.both import Look, both
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
