"""Behind which instant rows are news: told by how many there are, in both forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.agreement.both import Both, both
from tests.agreement.small import HOUR, MINUTE, START, happens, journey, people, program, project


@contextmanager
def asked(pair: Both, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[datetime]]:
    """The instants behind which those who signed up are asked from now on, one of each tick."""
    found: list[datetime] = []
    execute = pair.engine.execute

    def noted(statement: str, parameters: Mapping[str, Any] | None = None) -> int:
        if "$news_signed_up" in statement and parameters is not None:
            found.append(parameters["news_signed_up"])
        return execute(statement, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(pair.engine, "execute", noted)
        yield found


def signs_up(pair: Both, minutes: int, *customers: int) -> None:
    for customer in customers:
        happens(pair, "signed_up", START + minutes * MINUTE, customer)


@pytest.mark.parametrize("enter", ["enter when count(signed_up) = 2", "enter when joins s"])
def test_rows_that_came_late_are_told_by_their_number(
    enter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = program("w: wait 90d", enter=enter)
    if "joins" in enter:
        text = text.replace("journey ", "segment s = count(signed_up) = 2\njourney ", 1)
    with both(text, START) as pair, asked(pair, monkeypatch) as behind:
        people(pair, 1, 2, 3, 4)
        signs_up(pair, 10, 1, 2)
        signs_up(pair, 50, 3)
        pair.tick(START + HOUR)
        # None has come late: those who had a row in the hour before are not asked again.
        signs_up(pair, 65, 3)
        assert len(pair.tick(START + 2 * HOUR)["runs"]) == 1
        assert behind.pop() == START + HOUR
        # One has, 25 minutes before the tick that did not see it: at the end of its slice.
        signs_up(pair, 95, 1)
        assert len(pair.tick(START + 150 * MINUTE)["runs"]) == 2
        assert behind.pop() == START + 90 * MINUTE
        # A session that has not made the tick before knows of no number.
        pair.session.memory.clear()
        signs_up(pair, 149, 2)
        assert len(pair.tick(START + 180 * MINUTE)["runs"]) == 3
        assert behind.pop() == START + 90 * MINUTE
        signs_up(pair, 125, 4)
        signs_up(pair, 180, 4)
        assert len(pair.tick(START + 180 * MINUTE)["runs"]) == 4
        assert behind.pop() == START + 120 * MINUTE


def test_a_look_that_was_not_made_has_seen_nothing() -> None:
    """Two ticks of one instant, and a row between them: the second one asks who is another's."""
    hourly = journey("j", "w: wait 90d", enter="enter when count(signed_up) = 2 every 1h")
    always = journey("k", "w: wait 90d", enter="enter when count(signed_up) >= 1")
    with both(project(hourly, always), START) as pair:
        people(pair, 1, 2)
        signs_up(pair, 10, 1)
        pair.tick(START + HOUR)
        signs_up(pair, 50, 1)
        pair.tick(START + HOUR)
        assert len(pair.tick(START + 2 * HOUR)["runs"]) == 2
