"""Codes for the messages that a rank was just granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from journeylang.runtime.arbitrate import Execute
from journeylang.sql.codes import CodesSql

Query = Callable[..., list[tuple[Any, ...]]]


def draw(
    execute: Execute,
    query: Query,
    sql: CodesSql,
    steps: frozenset[int],
    *,
    round: int,  # noqa: A002 - the parameter's own name
    rank: int,
) -> None:
    """Draw what is asked for, write it into the messages' values, and skip who got none."""
    drawings = sql.draws(steps)
    if not drawings:
        return
    for drawing in drawings:
        ((wanted,),) = query(drawing.wanted, round=round, rank=rank)
        for attempt in drawing.attempts:
            if wanted <= 0:
                break
            wanted -= execute(attempt, round=round, rank=rank)
    execute(sql.fill, round=round, rank=rank)
    execute(sql.refuse, round=round, rank=rank)
