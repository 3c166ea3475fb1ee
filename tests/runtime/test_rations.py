"""Budgets are measured and shared out where they may not last, and only there."""

from __future__ import annotations

import pytest

from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.agreement.both import both, compiled
from tests.agreement.small import HOUR, MINUTE, START, happens, people, program, refusals
from tests.engines.databases import ENGINES, database
from tests.engines.watched import Count, Watched
from tests.runtime.test_budget import world

SMS = 'ring: send sms "t"'


def test_one_by_one_it_lasts_for_as_many_as_at_once() -> None:
    """Behind the first tick what is left is known, and not measured, until it is little."""
    with both(program(SMS, policy="budget sms 0.40 EUR per 30d then skip"), START) as pair:
        people(pair, *range(1, 9), mobile="+49")
        look = pair.tick(START)
        for number in range(1, 9):
            now = START + number * HOUR
            happens(pair, "signed_up", now - MINUTE, number)
            look = pair.tick(now)
        assert len(look["messages"]) == 6
        assert refusals(look) == ["budget", "budget"]


@pytest.mark.parametrize(("budget", "shared"), [("1000 EUR", False), ("0.06 EUR", True)])
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_shared_out_of_what_lasts(engine: str, budget: str, shared: bool) -> None:
    seen = Count()
    text = program(SMS, policy=f"budget sms {budget} per 30d then skip")
    with database(engine) as real:
        world(real, 3)
        session = prepare(Watched(real, seen), compiled(text), now=START)
        assert isinstance(session, Session)
        seen.of(lambda: tick(session, START + HOUR))
        assert any("INSERT INTO verdict" in one for one in seen.seen) is shared
        assert any("INSERT INTO decided" in one for one in seen.seen)
