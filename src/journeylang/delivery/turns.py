"""A channel's rate where several processes deliver: they take turns in the database.

The bucket is kept as the one instant at which it will be full again, on the database's clock (the
generic cell rate algorithm): a chunk moves it by what its messages take, and begins where it was.
Within the chunk each provider keeps the pace itself.
"""

from __future__ import annotations

from journeylang.delivery.channels import Channel
from journeylang.engines.base import Engine

AHEAD = 30
"""Seconds for which turns are given in advance; who comes later comes again."""

SPAN = 10
"""Seconds that the messages of one turn may take."""


def at_once(channel: Channel) -> int | None:
    """The most messages that one turn is for; None: no rate."""
    rate = channel.provider.rate
    return max(int(rate * SPAN), 1) if rate else None


def turn(engine: Engine, channel: Channel, messages: int) -> float | None:
    """Seconds until so many messages may go; None: not within `AHEAD`, and nothing is taken.

    Where a single process has the database its provider's own pace is all there is to keep.
    """
    rate, statement = channel.provider.rate, engine.dialect.turn
    if not rate or statement is None or not messages:
        return 0.0
    rows = engine.query(
        statement,
        {"name": f"pace {channel.name}", "takes": messages / rate, "ahead": float(AHEAD)},
    )
    return max(float(rows[0][0]), 0.0) if rows else None
