"""What is not as it should be with an environment: read from the runtime's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import CUSTOMERS_MISSING
from journeylang.engines.base import Engine
from journeylang.runtime.channel_pauses import ChannelPause
from journeylang.runtime.gone import held_back
from journeylang.runtime.pauses import Pause
from journeylang.sql.dialects import text

Kind = Literal["overdue", "paused", "ticks", "queue", "missing"]

OVERDUE = """SELECT r.journey, coalesce(r.step, ''), count(*), min(r.wake_at)
FROM journey.runs AS r, journey.lock AS l
WHERE r.status = 'active' AND r.wake_at < l.previous GROUP BY r.journey, r.step
ORDER BY r.journey, r.step"""
"""Runs that the tick before the latest one should have moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    kind: Kind
    journey: str | None
    detail: str


def alarms(
    engine: Engine, paused: list[Pause], channels: Sequence[ChannelPause] = ()
) -> Iterator[Alarm]:
    """Those for which no clock is needed: pauses by the runtime itself, people who are missing from
    the customers, and overdue runs.
    """
    missing = held_back(engine)
    if missing is not None:
        yield Alarm(kind="missing", journey=None, detail=f"{missing} ({CUSTOMERS_MISSING.id})")
    for pause in paused:
        if pause.cause != "person":
            detail = f"`{pause.journey}` is paused by {pause.cause}: {pause.detail}"
            yield Alarm(kind="paused", journey=pause.journey, detail=detail)
    for one in channels:
        if one.cause != "person":
            detail = f"channel `{one.channel}` is paused: {one.detail}"
            yield Alarm(kind="paused", journey=None, detail=detail)
    still = {pause.journey for pause in paused}
    for journey, step, runs, wake in engine.query(OVERDUE):
        if journey not in still:
            who = "run waits" if runs == 1 else "runs wait"
            detail = f"{runs:,} {who} at `{journey}/{step}` since {wake:%Y-%m-%d %H:%M} UTC"
            yield Alarm(kind="overdue", journey=journey, detail=detail)


def late(
    engine: Engine,
    last: datetime,
    clock: datetime,
    most: timedelta,
    paused: list[Pause],
    channels: Sequence[ChannelPause] = (),
) -> Iterator[Alarm]:
    """Those by the clock (naive UTC): no tick for longer than `most`, or nothing goes out."""
    if clock - last > most:
        detail = f"no tick since {last:%Y-%m-%d %H:%M} UTC"
        yield Alarm(kind="ticks", journey=None, detail=detail)
    since = waiting_since(engine, clock, paused, channels)
    if since is not None and clock - since > most:
        detail = f"messages that may go out wait since {since:%Y-%m-%d %H:%M} UTC"
        yield Alarm(kind="queue", journey=None, detail=detail)


def waiting_since(
    engine: Engine, clock: datetime, paused: list[Pause], channels: Sequence[ChannelPause] = ()
) -> datetime | None:
    """Since when the oldest message waits that nobody has claimed and nothing holds back."""
    d = engine.dialect
    now = d.parameter("now")
    names = ", ".join(text(pause.journey) for pause in paused)
    moving = f" AND m.journey NOT IN ({names})" if names else ""
    still = ", ".join(text(pause.channel) for pause in channels)
    moving += f" AND m.channel NOT IN ({still})" if still else ""
    ((since,),) = engine.query(
        f"""SELECT min(CASE WHEN q.quiet_until <= {now} THEN greatest(m.decided_at, q.quiet_until)
  ELSE m.decided_at END)
FROM journey.messages AS m JOIN journey.message AS q ON q.message_id = m.message_id
WHERE m.state = 'queued' AND m.expires_at > {now}{moving}
  AND (q.quiet_from IS NULL OR {now} < q.quiet_from OR {now} >= q.quiet_until)""",
        {"now": clock},
    )
    assert since is None or isinstance(since, datetime)
    return since
