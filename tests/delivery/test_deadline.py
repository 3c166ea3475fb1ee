"""One timer for many questions: late is who has had its time, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from journeylang.delivery.deadline import Deadline

Way = Callable[[Deadline], Coroutine[Any, Any, None]]


async def _waits(one: Deadline) -> None:
    one.begin(0.05)
    await asyncio.sleep(0.15)


async def _ends(one: Deadline) -> None:
    one.begin(0.05)
    one.end()
    await asyncio.sleep(0.15)


async def _asks_again_and_waits(one: Deadline) -> None:
    one.begin(0.1)
    await asyncio.sleep(0.06)
    one.end()
    one.begin(0.1)
    await asyncio.sleep(0.25)


async def _asks_again_in_time(one: Deadline) -> None:
    for _ in range(6):
        one.begin(0.2)
        await asyncio.sleep(0.05)
        one.end()
    await asyncio.sleep(0.25)


async def _asks_for_something_quicker(one: Deadline) -> None:
    one.begin(30)
    one.end()
    one.begin(0.05)
    await asyncio.sleep(0.15)


async def _asks_after_a_pause(one: Deadline) -> None:
    one.begin(0.05)
    one.end()
    await asyncio.sleep(0.15)
    one.begin(0.05)
    await asyncio.sleep(0.15)


async def _closes(one: Deadline) -> None:
    one.begin(0.05)
    one.close()
    await asyncio.sleep(0.15)


@pytest.mark.parametrize(
    ("way", "late"),
    [
        (_waits, 1),
        (_ends, 0),
        (_asks_again_and_waits, 1),
        (_asks_again_in_time, 0),
        (_asks_for_something_quicker, 1),
        (_asks_after_a_pause, 1),
        (_closes, 0),
    ],
)
def test_who_is_late(way: Way, late: int) -> None:
    rung: list[None] = []
    asyncio.run(way(Deadline(lambda: rung.append(None))))
    assert len(rung) == late
