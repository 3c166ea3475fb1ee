"""Pausing channels: by what comes back of their messages, or by a person.

Mailbox providers watch whom a sender writes to. A channel of which too much bounces, or too many
complain, stops by itself before they stop it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.runtime.readings import ENOUGH
from journeylang.sql import channel_pauses as sql

OVER = timedelta(hours=24)
"""The messages that are judged: those that were decided within it."""

FEW = 3
"""Fewer bounces or complaints are no share, of however few messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The shares of a channel's messages that may bounce, and be complained about. None: any."""

    bounces: Decimal | None = None
    complaints: Decimal | None = None


NO_LIMITS = Limits()

DEFAULTS: Mapping[str, Limits] = {
    "email": Limits(bounces=Decimal("0.05"), complaints=Decimal("0.0015")),
}
"""Half of what mailbox providers put up with: 10 % of bounces at Amazon, 0.3 % of complaints at
Gmail. Elsewhere dead addresses are nobody's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPause:
    """A channel that is paused: since when (naive UTC), by what, and why."""

    channel: str
    since: datetime
    cause: str
    detail: str


def paused_channels(engine: Engine) -> Iterator[ChannelPause]:
    """All channels that are paused now."""
    if engine.columns(("journey", "channel_pause")) is None:
        return
    for channel, since, cause, detail in engine.query(sql.OPEN):
        yield ChannelPause(channel=channel, since=since, cause=cause, detail=detail)


def judge(engine: Engine, limits: Mapping[str, Limits], now: datetime) -> list[str]:
    """Pause the channels of which too much comes back; those that were not paused before.

    Belongs into a transaction of the caller's. `now` is naive UTC.
    """
    if not any(one.bounces is not None or one.complaints is not None for one in limits.values()):
        return []
    found = []
    for channel, messages, bounces, complaints in engine.query(
        sql.shares(engine.dialect), {"since": now - OVER}
    ):
        one = limits.get(channel)
        if one is None or messages < ENOUGH:
            continue
        for cause, number, bound in (
            ("bounces", bounces, one.bounces),
            ("complaints", complaints, one.complaints),
        ):
            if bound is not None and number >= FEW and number > messages * bound:
                most = f"{(bound * 100).normalize():f}"
                detail = f"{number:,} {cause} of {messages:,} messages in 24 hours, over {most} %"
                if _begin(engine, channel, now, cause, detail):
                    found.append(channel)
    return found


def pause_channel(engine: Engine, channel: str, now: datetime, detail: str) -> bool:
    """Pause it by hand; False if it is paused already."""
    with engine.transaction():
        return _begin(engine, channel, now, "person", detail)


def resume_channel(engine: Engine, channel: str) -> bool:
    """Let it go on; False if it is not paused."""
    with engine.transaction():
        return engine.execute(sql.end(channel)) > 0


def _begin(engine: Engine, channel: str, now: datetime, cause: str, detail: str) -> bool:
    values = {"channel": channel, "since": now, "cause": cause, "detail": detail}
    return engine.execute(sql.begin(engine.dialect), values) > 0
