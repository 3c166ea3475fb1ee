"""Generated programs on generated histories: what the oracle means, the runtime does.

How many there are is a profile of `conftest.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agreement.both import Both, both
from tests.agreement.expressions import Draw
from tests.agreement.histories import History, apply, histories
from tests.agreement.prelude import EVENTS, POOL, PRODUCTS
from tests.agreement.programs import Program, programs

# A program takes a third of a second, and its text is long: both are as they must be.
UNMOVED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
ASKED = settings.get_current_profile_name().startswith("agreement")
CHOSEN = (
    settings(suppress_health_check=UNMOVED)
    if ASKED
    else settings(max_examples=50, derandomize=True, suppress_health_check=UNMOVED)
)


def play(text: str, history: History) -> Both:
    """All ticks of a history, compared one by one."""
    with both(text, history.start) as pair:
        pair.put("shop.products", PRODUCTS)
        pair.put("shop.pool", POOL)
        for moment in history.moments:
            for change in moment.changes:
                apply(pair, change)
            pair.tick(moment.now)
        return pair


@st.composite
def cases(draw: Draw[Any]) -> tuple[Program, History]:
    """A program, and a history in which what it waits for happens."""
    program = draw(programs())
    events = (*EVENTS, *program.triggers * 3)
    return program, draw(histories(events, program.theme))


@pytest.mark.slow
@CHOSEN
@given(cases())
def test_the_runtime_does_what_the_oracle_means(case: tuple[Program, History]) -> None:
    program, history = case
    play(program.text, history)
