"""A dry run by whole lives does row by row what one does that goes tick by tick."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeylang.api.program import template_entry_fields
from journeylang.simulate.forecast import Forecast
from journeylang.simulate.run import Asked, Mode, NotClosedError, play
from journeylang.simulate.scratch import beside_a_file
from tests.runtime.world import BINDING, CONFIG, DATABASE, loaded, opened, write
from tests.simulate.lives import journeys
from tests.simulate.world import START, contents, shop

TEMPLATES = {
    "m/m.email.txt": "---\nsubject: Hello\n---\nHello\n\n{{ unsubscribe_url }}\n",
    "m/m.sms.txt": "Hello\n",
}
UNMOVED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
STEP = timedelta(hours=4)
Rows = dict[str, list[tuple[Any, ...]]]


def played(
    root: Path, mode: Mode, seed: int, *, days: int = 4, trace: bool = True
) -> tuple[Forecast, Rows]:
    """What is told, and what is left behind, without what nobody is told of a dry run."""
    project = loaded(root)
    asked = Asked(
        now=START,
        days=days,
        step=STEP,
        seed=seed,
        lines=project.project.assumptions["typical"].lines,
        mode=mode,
        trace=trace,
    )
    with beside_a_file(str(root / DATABASE)) as (engine, source):
        engine.execute("SET threads = 1")
        told = play(
            engine,
            source,
            project.project,
            asked,
            template_entry_fields=template_entry_fields(project),
            templates=project.template_texts(),
            providers={},
        )
        found = contents(engine)
    # Figures of a decision, contents and quiet times of a message go out with it, or to `why`.
    found["decision"] = sorted((row[:6] for row in found["decision"]), key=str)
    found["message"] = sorted((row[:9] for row in found["message"]), key=str)
    return told, found


def alike(told: Forecast) -> Forecast:
    return replace(told, idle=None, stepped=None)


def world(root: Path, journey: str, more: str, before: int = 0) -> Path:
    """The shop with one journey, of which so many ticks have been already."""
    binding = BINDING[: BINDING.index("policy standard")] + more
    shop(root, 30, assume="")
    config = f'{CONFIG}\n[env.dev.invoke]\nloyalty = "file"\n'
    write(root, {"j": journey}, binding=binding, templates=TEMPLATES, config=config)
    if before:
        with opened(root, START - before * STEP) as runtime:
            for number in range(before):
                runtime.tick(START - (before - 1 - number) * STEP)
    return root


@pytest.mark.slow
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=UNMOVED)
@given(journeys(), st.integers(0, 9), st.sampled_from((0, 1, 3, 12)))
def test_whole_lives_are_what_ticks_make_of_them(
    case: tuple[str, str], seed: int, before: int
) -> None:
    """Also of those who are on their way already, after some ticks of the real run."""
    with TemporaryDirectory() as folder:
        root = world(Path(folder) / "shop", *case, before)
        # Moves that are only counted come to the same.
        trace = seed % 2 == 0
        told, left = played(root, "closed", seed, trace=trace)
        stepped, ticked = played(root, "stepped", seed)
        if not trace:
            assert left.pop("transition") == []
            del ticked["transition"]
        assert left == ticked
        assert alike(told) == alike(stepped)
        assert told.stepped is None


GUARDED = """journey j "J" {
  owner "a@b.example"
  enter on signed_up
  guard entries <= 4 over 1d
  policy p
  hello: send email "m/m"
  rest: wait 1d
  again: send email "m/m"
}"""
OFTEN = """policy p { quiet email 20:00 to 09:00 }
assume typical {
  opened 40% within 24h
  unsubscribed 30% within 12h
  signed_up 90% per 1d
}"""


def test_what_a_guard_would_pause_goes_tick_by_tick(tmp_path: Path) -> None:
    root = world(tmp_path / "shop", GUARDED, OFTEN)
    told, left = played(root, "auto", 1, days=2, trace=False)
    stepped, ticked = played(root, "stepped", 1, days=2)
    assert told.stepped == "a guard would pause it"
    assert [v.met for v in told.verdicts] == [False]
    assert left == ticked
    assert alike(told) == alike(stepped)
    # Where it would not, it has no part in what happens.
    world(tmp_path / "more", GUARDED.replace("<= 4 ", "<= 4000 "), OFTEN)
    told, left = played(tmp_path / "more", "auto", 1, days=2)
    assert told.stepped is None
    assert [v.met for v in told.verdicts] == [True]


def test_calls_are_passed_by_the_tick_that_comes_to_them(tmp_path: Path) -> None:
    calling = GUARDED.replace("rest:", 'tell: invoke loyalty "award" with { points: 1 }\n  rest:')
    root = world(tmp_path / "shop", calling.replace("  guard entries <= 4 over 1d\n", ""), OFTEN)
    told, left = played(root, "closed", 1, days=2)
    stepped, ticked = played(root, "stepped", 1, days=2)
    assert left == ticked
    assert alike(told) == alike(stepped)
    assert {row[5] for row in left["message"]} == {"email", "invoke loyalty"}


def test_messages_that_let_people_in_go_tick_by_tick(tmp_path: Path) -> None:
    more = OFTEN.replace("signed_up 90% per 1d", "signed_up after opened 90% within 1d")
    root = world(tmp_path / "shop", GUARDED, more)
    told, _ = played(root, "auto", 1, days=1)
    assert told.stepped == "its messages bring about what it is entered on"


def test_what_couples_people_is_named(tmp_path: Path) -> None:
    rationed = OFTEN.replace("policy p {", "policy p { capacity email 100 per day\n")
    root = world(tmp_path / "shop", GUARDED, rationed)
    with pytest.raises(NotClosedError) as refused:
        played(root, "closed", 1, days=1)
    assert refused.value.reason == "people share a budget or a capacity"


def test_who_leaves_while_a_message_is_held_has_come_to_it(tmp_path: Path) -> None:
    out = "exit when exists(ordered since entry) as bought"
    leaving = GUARDED.replace("guard entries <= 4 over 1d", out)
    more = OFTEN.replace("20:00", "10:00").replace("signed_up", "ordered 90% per 1d\n  signed_up")
    root = world(tmp_path / "shop", leaving, more)
    both: tuple[Mode, Mode] = ("closed", "stepped")
    for mode in both:
        told, _ = played(root, mode, 1, days=3)
        [course] = told.courses
        left = [way for way in course.ways if way.origin == "hello" and way.outcome == "bought"]
        assert sum(way.runs for way in left) > 0, course.ways
        for step in course.steps:
            came = sum(way.runs for way in course.ways if way.to == step.path)
            assert step.came.value == came, step
