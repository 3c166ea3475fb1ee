"""Conditions asked of those with news alone, and of everybody: the same people move.

Both ways are held against the oracle, which asks everybody. Conditions stand where they are
looked at again and again: at the entry, in exits, and in waits until a state.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agreement.both import both
from tests.agreement.expressions import Draw, Expressions, Names
from tests.agreement.histories import History, apply, histories
from tests.agreement.prelude import EVENTS, MARKED, Theme

UNMOVED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
ASKED = settings.get_current_profile_name().startswith("agreement")
CHOSEN = (
    settings(suppress_health_check=UNMOVED)
    if ASKED
    else settings(max_examples=40, derandomize=True, suppress_health_check=UNMOVED)
)
PROFILE = (("p_level", "int"),)
MESSAGES = ("j1/m1", "j2/m1")


def program(draw: Expressions) -> str:
    """Two journeys that do nothing but ask."""
    outside = Names(others=MESSAGES, profile=PROFILE)
    rules = "policy p { cap any 3 per 1d }"
    segment = f"segment s = {draw.condition(outside)}"
    return "\n".join(("language 1", rules, segment, *(journey(draw, n) for n in ("j1", "j2"))))


def journey(draw: Expressions, name: str) -> str:
    others = tuple(m for m in MESSAGES if not m.startswith(name))
    outside = Names(others=others, profile=PROFILE)
    inside = Names(run=True, own=("m1",), others=MESSAGES, profile=PROFILE)
    every = draw.pick(("", "", "", " every 6h"))
    way = draw.pick(("when", "when", "joins", "on"))
    enter = {
        "when": f"enter when {draw.condition(outside)}{every}",
        "joins": f"enter when joins s{every}",
        "on": f"enter on {draw.pick(EVENTS)}",
    }[way]
    again = ["never", "after 1d", "after 2d"] + ["always"] * 3 * (way != "when")
    only = f"only customers where {draw.condition(outside, 1)}\n  " * draw.chance(2)
    exits = "".join(
        f"exit when {draw.condition(inside, 1)} as {reason}\n  "
        for reason in ("left", "right")[: draw.pick((0, 1, 1, 2))]
    )
    state = f"u: wait until {draw.condition(inside)} up to {draw.pick(('6h', '3d', '30d'))}"
    return f"""journey {name} "J" {{
  owner "a@b.example"
  {enter}
  reenter {draw.pick(again)}
  {only}{exits}policy p
  m1: send email "t"
  set p_level = {draw.pick(("1", "2", "customer.points"))}
  {state} {{ then {{ exit as met }} timeout {{ m2: send email "t" }} }}
  w: wait {draw.pick(("1h", "1d", "30d"))}
}}"""


@st.composite
def cases(draw: Draw[Any]) -> tuple[str, History]:
    history = draw(histories(EVENTS, Theme.ENTRIES))
    # A row that goes without a trace breaks the word of a table with `changed at`.
    kept = tuple(moment.without("row goes") for moment in history.moments)
    return program(Expressions(draw)), History(start=history.start, moments=kept)


@pytest.mark.slow
@CHOSEN
@given(cases())
def test_news_are_enough(case: tuple[str, History]) -> None:
    text, history = case
    for incremental in (True, False):
        with both(text, history.start, incremental=incremental, binding=MARKED) as pair:
            for moment in history.moments:
                for change in moment.changes:
                    apply(pair, change)
                pair.tick(moment.now)
                if incremental:
                    # Again at the same instant: nobody was left behind.
                    pair.tick(moment.now)
