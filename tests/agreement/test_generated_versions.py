"""Generated programs that are edited while people are on their way in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement.both import both
from tests.agreement.edits import Editor
from tests.agreement.expressions import Draw
from tests.agreement.histories import History, apply, histories
from tests.agreement.prelude import EVENTS, POOL, PRODUCTS
from tests.agreement.programs import Program, Writer, written
from tests.agreement.test_generated import ASKED, UNMOVED

CHOSEN = (
    settings(suppress_health_check=UNMOVED)
    if ASKED
    else settings(max_examples=20, derandomize=True, suppress_health_check=UNMOVED)
)
MOMENTS = ("before", "behind")


@st.composite
def cases(draw: Draw[Any]) -> tuple[Program, tuple[str, ...], History]:
    """A program, its later versions, and a history in which they are applied."""
    writer = Writer(draw)
    writer.learning = writer.chance(4)
    editor = Editor(writer, writer.project())
    program = written(writer, editor.source.text())
    versions = [editor.version() for _ in range(draw(st.integers(1, 3)))]
    history = draw(histories((*EVENTS, *program.triggers * 3), program.theme))
    return program, tuple(v for v in versions if v is not None), _applying(draw, versions, history)


def _applying(draw: Draw[Any], versions: list[str | None], history: History) -> History:
    """Each version at a moment, in their order; between two ticks, or at the very next one."""
    texts = [text for text in versions if text is not None]
    places = sorted(draw(st.integers(1, len(history.moments) - 1)) for _ in texts)
    moments = list(history.moments)
    for place, text in zip(places, texts, strict=True):
        moment = moments[place]
        early = draw(st.sampled_from((timedelta(0), timedelta(minutes=17), timedelta(hours=3))))
        change = ("apply", text, moment.now - early)
        ahead = draw(st.booleans())
        changes = (change, *moment.changes) if ahead else (*moment.changes, change)
        moments[place] = replace(moment, changes=changes)
    return replace(history, moments=tuple(moments))


@pytest.mark.slow
@CHOSEN
@given(cases())
def test_versions_mean_the_same(case: tuple[Program, tuple[str, ...], History]) -> None:
    program, _, history = case
    with both(program.text, history.start) as pair:
        pair.put("shop.products", PRODUCTS)
        pair.put("shop.pool", POOL)
        for moment in history.moments:
            for change in moment.changes:
                apply(pair, change)
            pair.tick(moment.now)
