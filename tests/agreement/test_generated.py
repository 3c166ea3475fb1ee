"""Generated programs on generated histories: what the oracle means, the runtime does.

The everyday run is short. `HYPOTHESIS_PROFILE=agreement-300` tries 300 programs, the profile
`agreement-soak` 20,000 (hours): `pytest tests/agreement --hypothesis-profile=agreement-soak`.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agreement.both import Both, both
from tests.agreement.expressions import Draw
from tests.agreement.histories import History, apply, histories
from tests.agreement.prelude import EVENTS
from tests.agreement.programs import Program, programs


def play(text: str, history: History) -> Both:
    """All ticks of a history, compared one by one."""
    with both(text, history.start) as pair:
        for moment in history.moments:
            for change in moment.changes:
                apply(pair, change)
            pair.tick(moment.now)
        return pair


@st.composite
def cases(draw: Draw[Any]) -> tuple[Program, History]:
    """A program, and a history in which what it waits for happens."""
    program = draw(programs())
    return program, draw(histories((*EVENTS, *program.triggers * 3)))


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_the_runtime_does_what_the_oracle_means(case: tuple[Program, History]) -> None:
    program, history = case
    play(program.text, history)
