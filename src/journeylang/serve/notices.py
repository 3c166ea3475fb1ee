"""What people have chosen, for a service outside (the CRM) that is to know it too.

A notice is written in the transaction that takes the choice in, and goes out as a call like those
of `invoke`: tried again until it is taken, under the same id. Of one customer's the oldest goes
first, so that the newest is what stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from journeylang.classes import dataclass
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater
from journeylang.delivery.provider import Call
from journeylang.delivery.statements import pause
from journeylang.engines.base import Engine
from journeylang.serve.findings import Columns, Work
from journeylang.sql.dialects import Dialect

ACTION = "preferences"
TOGETHER = 50
LEASE = timedelta(minutes=5)
"""For so long a notice is somebody's who has taken it to send it."""

PATIENCE = timedelta(days=7)
"""A notice that nobody has taken for so long has failed."""


def chosen(work: Work) -> Columns:
    """{ids, customers, data, ats}: one notice for everybody who has chosen something."""
    whose: dict[Any, dict[str, Any]] = {}
    latest: dict[Any, datetime] = {}

    def of(who: Any, at: datetime) -> dict[str, Any]:
        latest[who] = max(latest.get(who, at), at)
        return whose.setdefault(who, {})

    for message, _, at, reason in work.suppressed:
        if reason == "unsubscribe":
            of(message.customer, at).setdefault("channels", {})[message.channel] = False
    for who, consent, at, granted, source in sorted(work.consents.rows, key=lambda row: row[2]):
        found = of(who, at)
        found.setdefault("consents", {})[consent] = granted
        found["source"] = source
    for who, name, value, at in sorted(work.wishes.rows, key=lambda row: row[3]):
        of(who, at)[name] = value
    for who, channel, _ in work.lift.rows:
        if who in whose:
            whose[who].setdefault("channels", {}).setdefault(channel, True)
    rows = Columns(("ids", "customers", "data", "ats"))
    for who, data in whose.items():
        written = json.dumps(data, ensure_ascii=False, sort_keys=True)
        id_ = sha256(f"{who} {latest[who].isoformat()} {written}".encode()).hexdigest()[:32]
        rows.add(id_, who, written, latest[who])
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A notice to be sent, for the `attempt`th time."""

    call: Call
    attempt: int


def due(engine: Engine, service: str, now: datetime) -> list[Due]:
    """Some notices that may go out; for a while they are nobody else's."""
    d = engine.dialect
    with engine.transaction():
        rows = engine.query(_claim(d), {"now": now, "until": now + LEASE, "service": service})
    found = []
    for id_, customer, data, at, attempt in sorted(rows, key=lambda row: (row[3], row[0])):
        call = Call(
            id=id_,
            service=service,
            action=ACTION,
            customer=str(customer),
            at=at,
            data=json.loads(data),
        )
        found.append(Due(call=call, attempt=attempt))
    return found


def answered(
    engine: Engine, sent: list[Due], answers: Mapping[str, Answer], now: datetime
) -> Iterator[str]:
    """Write down what became of them; the state of each."""
    rows = Columns(("ids", "states", "nexts", "details"))
    for one in sent:
        state, after, detail = _state(one, answers.get(one.call.id), now)
        rows.add(one.call.id, state, now + timedelta(seconds=after), detail)
        yield state
    d = engine.dialect
    lists = ", ".join(
        f"unnest({d.parameter(name)}::{_plain(d.stored_type(kind))}[]) AS {name}"
        for name, kind in (
            ("ids", "VARCHAR"),
            ("states", "VARCHAR"),
            ("nexts", "TIMESTAMP"),
            ("details", "VARCHAR"),
        )
    )
    with engine.transaction():
        engine.execute(
            "UPDATE journey.notice SET state = a.states, not_before = a.nexts, detail = a.details"
            f" FROM (SELECT {lists}) AS a WHERE a.ids = journey.notice.notice_id",
            rows.parameters(),
        )


def waiting(engine: Engine) -> datetime | None:
    """When the next notice may go out; None: there is none."""
    found = engine.query("SELECT min(not_before) FROM journey.notice WHERE state = 'open'")
    at = found[0][0]
    assert at is None or isinstance(at, datetime)
    return at


def _state(one: Due, answer: Answer | None, now: datetime) -> tuple[str, int, str | None]:
    """State, seconds until it is tried again, and why."""
    again = pause(one.attempt)
    match answer:
        case Accepted():
            return "accepted", 0, None
        case Refused() if not answer.of_channel:
            return "failed", 0, f"{answer.kind}: {answer.detail}"
        case TryLater():
            again = max(again, answer.after or 0)
        case _:
            pass
    detail = getattr(answer, "detail", None)
    if now - one.call.at > PATIENCE:
        return "failed", 0, f"not taken for {PATIENCE.days} days: {detail}"
    return "open", again, detail


def _claim(d: Dialect) -> str:
    """{now, until, service} -> (id, customer, data, at, attempt)"""
    now = d.parameter("now")
    free = f"n.state = 'open' AND n.not_before <= {now} AND n.service = {d.parameter('service')}"
    return f"""UPDATE journey.notice SET not_before = {d.parameter("until")},
  attempt = journey.notice.attempt + 1
WHERE journey.notice.state = 'open' AND journey.notice.not_before <= {now}
  AND journey.notice.notice_id IN (SELECT n.notice_id FROM journey.notice AS n WHERE {free}
    AND NOT EXISTS (SELECT 1 FROM journey.notice AS o WHERE o.state = 'open'
      AND o.service = n.service AND o.customer_id = n.customer_id
      AND (o.at < n.at OR (o.at = n.at AND o.notice_id < n.notice_id)))
    ORDER BY n.not_before, n.notice_id LIMIT {TOGETHER})
RETURNING notice_id, customer_id, data, "at", attempt"""


def _plain(kind: str) -> str:
    return kind.replace(' COLLATE "C"', "")
