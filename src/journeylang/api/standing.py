"""How things stand in an environment: who is where, what waits, what is in doubt."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from journeylang.api.program import template_entry_fields
from journeylang.delivery.outbox import doubtful
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from journeylang.runtime.alarms import alarms, late, waiting_since
from journeylang.runtime.channel_pauses import paused_channels
from journeylang.runtime.guards import guarded
from journeylang.runtime.pauses import paused

_STEPS = """SELECT r.journey, coalesce(r.step, r.status) AS step, r.status, count(*) AS runs,
  min(r.wake_at) AS next_wake, count(*) FILTER (WHERE r.wake_at < l.previous) AS overdue
FROM journey.runs AS r, journey.lock AS l GROUP BY r.journey, r.step, r.status
ORDER BY r.journey, r.status <> 'active', coalesce(r.step, r.status)"""
_QUEUE = """SELECT channel, state, count(*) FROM journey.messages
GROUP BY channel, state ORDER BY channel, state"""
_CALLS = """SELECT service, state, count(*) FROM journey.calls
GROUP BY service, state ORDER BY service, state"""
_SKIPS = """SELECT journey, step, reason, count(*) FROM journey.non_sends
GROUP BY journey, step, reason ORDER BY journey, step, reason, count(*)"""

_SUPPRESSED = """SELECT channel, reason, count(*) FROM journey.suppression
GROUP BY channel, reason ORDER BY channel, reason"""


def standing(
    engine: Engine, loaded: LoadedProject, clock: datetime, max_lag: timedelta | None = None
) -> dict[str, Any]:
    """Everything of `docs/schemas/status.json`; `now` is None where nothing has run.

    `clock` is the present moment, against which lags are told; with `max_lag` a longer one alarms.
    """
    if engine.columns(("journey", "lock")) is None:
        nothing: dict[str, Any] = {"now": None, "ticks": 0, "lag_seconds": None}
        lists = (
            "alarms",
            "paused",
            "paused_channels",
            "guards",
            "runs",
            "messages",
            "calls",
            "non_sends",
        )
        further = ("suppressed", "doubtful")
        return nothing | {name: [] for name in (*lists, *further)} | {"queued_since": None}
    # A database that was applied by an earlier version has no such view yet.
    calls = engine.columns(("journey", "calls")) is not None
    now, ticks = engine.query("SELECT now, token FROM journey.lock WHERE name = 'tick'")[0]
    still, silent = list(paused(engine)), list(paused_channels(engine))
    alarming = [*alarms(engine, still, silent)]
    if max_lag is not None:
        alarming += late(engine, now, clock, max_lag, still, silent)
    guards = guarded(engine, loaded.project, template_entry_fields(loaded))
    return {
        "now": now,
        "ticks": ticks,
        "lag_seconds": int((clock - now).total_seconds()),
        "queued_since": waiting_since(engine, clock, still, silent),
        "alarms": [dataclasses.asdict(one) for one in alarming],
        "paused": [dataclasses.asdict(one) for one in still],
        "paused_channels": [dataclasses.asdict(one) for one in silent],
        "guards": [dataclasses.asdict(one) for one in guards],
        "runs": _rows(
            engine.query(_STEPS), "journey", "step", "status", "runs", "next_wake", "overdue"
        ),
        "messages": _rows(engine.query(_QUEUE), "channel", "state", "messages"),
        "calls": _rows(engine.query(_CALLS) if calls else [], "service", "state", "calls"),
        "non_sends": _rows(engine.query(_SKIPS), "journey", "step", "reason", "count"),
        "suppressed": _rows(engine.query(_SUPPRESSED), "channel", "reason", "count"),
        "doubtful": [dataclasses.asdict(message) for message in doubtful(engine)],
    }


def _rows(rows: list[tuple[Any, ...]], *names: str) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
