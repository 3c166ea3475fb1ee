"""The benchmark's journey as a program that looks at one customer after the other.

PostgreSQL through psycopg: one SELECT tells of everybody what there is to know, Python decides, and
`executemany` writes what came of it, table by table, in one transaction a tick. Nothing is asked
or committed for each customer. It leaves the same rows as the statements by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any
from zoneinfo import ZoneInfo

from journeylang.sql.schema import WHY
from tests.benchmarks.bare_journey import BATCH, JOURNEY, NAMED, NUDGE, PLAIN, SETTLE, SUBJECT
from tests.benchmarks.bare_journey_postgres import row
from tests.benchmarks.on_postgres import Connection

Rows = list[tuple[Any, ...]]
UTC = ZoneInfo("UTC")

_KNOWN = """c.tz, c.email IS NOT NULL, EXISTS (SELECT 1 FROM journey.suppression AS s
    WHERE s.customer_id = c.customer_id AND s.channel = 'email'),
  (SELECT k.granted FROM (
      SELECT changed_at, status = 'opt_in' AS granted FROM shop.consents
      WHERE customer_id = c.customer_id AND topic = 'email' AND changed_at <= %(now)s
      UNION ALL SELECT "at", granted FROM journey.consent_change
      WHERE customer_id = c.customer_id AND consent = 'email_marketing' AND "at" <= %(now)s) AS k
    ORDER BY k.changed_at DESC LIMIT 1),
  (SELECT count(*) FROM journey.message AS m WHERE m.customer_id = c.customer_id
    AND m.channel = 'email' AND m.counted AND m.decided_at > %(now)s - INTERVAL '7 days'
    AND m.decided_at <= %(now)s)"""
ENTERING = f"""SELECT e.customer_id, e.signup_id, e.signed_up_at, c.score, {_KNOWN}
FROM shop.signups AS e JOIN shop.customers AS c ON c.customer_id = e.customer_id
WHERE e.signed_up_at > %(since)s AND e.signed_up_at <= %(now)s AND NOT EXISTS (
  SELECT 1 FROM journey.run AS r WHERE r.customer_id = e.customer_id AND r.journey = {JOURNEY})
ORDER BY e.customer_id, e.signed_up_at, e.signup_id"""
DUE = f"""SELECT r.customer_id, r.run_id, r.wake_at, {_KNOWN}
FROM journey.run AS r JOIN shop.customers AS c ON c.customer_id = r.customer_id
WHERE r.status = 0 AND r.wake_at <= %(now)s"""
INSERTS = {
    "run": 13,
    "transition": 8,
    "exposure": 6,
    "decision": 8,
    "message": 15,
    "batch": 8,
}
_COLUMNS = {
    "message": "customer_id, message_id, batch_id, run_id, journey, version, step, occurrence,"
    " channel, counted, decided_at, expires_at, quiet_from, quiet_until, cost"
}
END = """UPDATE journey.run SET step = NULL, arrived_at = %s, wake_at = NULL, status = 1,
  reason = 'end', ended_at = %s WHERE customer_id = %s AND run_id = %s"""


@dataclass(slots=True)
class _Tick:
    """What one tick writes, row by row."""

    number: int
    now: datetime
    next_message: int
    rows: dict[str, Rows] = field(default_factory=lambda: {name: [] for name in INSERTS})
    ended: Rows = field(default_factory=list)

    def send(self, who: int, run_id: int, step: int, arrived: datetime, known: Any) -> int:
        """Decide about one message; why the run goes on."""
        tz, reachable, suppressed, granted, counted = known
        zone = ZoneInfo(tz)
        local = self.now.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        reason = None
        if not reachable:
            reason = "no_address"
        elif suppressed:
            reason = "suppressed"
        elif not granted:
            reason = "no_consent"
        elif local.hour >= 23 or local.hour < 4:
            reason = "quiet"
        elif counted >= 3:
            reason = "capped"
        if reason is not None:
            figures = json.dumps({"counted": counted})
            self.rows["decision"].append(
                (who, run_id, JOURNEY, step, self.now, self.number, reason, figures)
            )
            return WHY["skipped"]
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self.rows["message"].append(
            (
                *(who, self.next_message, self.next_message // BATCH, run_id, JOURNEY, 1, step, 1),
                *("email", True, self.now, arrived + timedelta(days=7)),
                *(_utc(midnight + timedelta(hours=h), zone) for h in (23, 28)),
                0.0004,
            )
        )
        self.next_message += 1
        return WHY["sent"]

    def move(
        self, who: int, run_id: int, at: datetime, way: tuple[int | None, int | None, int]
    ) -> None:
        self.rows["transition"].append((who, run_id, JOURNEY, at, self.number, *way))

    def enter(self, found: Iterable[tuple[Any, ...]]) -> None:
        seen = set()
        for who, signup, at, score, *known in found:
            if who in seen:
                continue
            seen.add(who)
            run_id = _hash(f"j1:{who}:{signup}")
            if score >= 80:
                self.move(who, run_id, at, (None, None, WHY["entered"]))
                self.rows["run"].append(
                    (who, run_id, JOURNEY, 1, None, at, None, at, 1, "gated", None, self.now, 0)
                )
                continue
            step = PLAIN if _hash(f"j1-subject:{who}") % 10000 < 5000 else NAMED
            arm = "plain" if step == PLAIN else "named"
            self.move(who, run_id, at, (None, step, WHY["entered"]))
            self.rows["exposure"].append((who, SUBJECT, arm, at, run_id, "j1-subject"))
            why = self.send(who, run_id, step, at, known)
            self.move(who, run_id, self.now, (step, SETTLE, why))
            zone = ZoneInfo(known[0])
            local = self.now.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
            wake = _utc(local + timedelta(days=2), zone)
            self.rows["run"].append(
                (who, run_id, JOURNEY, 1, SETTLE, self.now, wake, at, 0, None, None, None, 0)
            )

    def wake(self, found: Iterable[tuple[Any, ...]]) -> None:
        for who, run_id, wake_at, *known in found:
            self.move(who, run_id, wake_at, (SETTLE, NUDGE, WHY["due"]))
            why = self.send(who, run_id, NUDGE, wake_at, known)
            self.move(who, run_id, self.now, (NUDGE, None, why))
            self.ended.append((self.now, self.now, who, run_id))


def run(connection: Connection, start: datetime) -> None:
    """The journey's three ticks, a day apart."""
    for day in range(3):
        tick(connection, start + timedelta(days=day))


def tick(connection: Connection, now: datetime) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        number, since, first_batch = row(
            connection,
            "UPDATE journey.lock SET token = token + 1, previous = now,"
            f" now = TIMESTAMP '{now}' RETURNING token, previous, next_batch",
        )
        t = _Tick(number=number, now=now, next_message=first_batch * BATCH)
        times = {"now": now, "since": since}
        t.enter(connection.execute(ENTERING, times).fetchall())
        t.wake(connection.execute(DUE, times).fetchall())
        sent = t.rows["message"]
        for batch in range(first_batch, -(-t.next_message // BATCH)):
            size = min(BATCH, t.next_message - batch * BATCH)
            t.rows["batch"].append((batch, now, size, False, None, None, None, 0))
        for table, rows in t.rows.items():
            if rows:
                values = ", ".join(["%s"] * INSERTS[table])
                columns = f" ({_COLUMNS[table]})" if table in _COLUMNS else ""
                cursor.executemany(f"INSERT INTO journey.{table}{columns} VALUES ({values})", rows)
        if t.ended:
            cursor.executemany(END, t.ended)
        if t.rows["transition"]:
            cursor.execute(
                "INSERT INTO journey.tick VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    *(number, now, len(t.rows["run"]), len(t.rows["transition"])),
                    *(len(sent), len(t.rows["decision"])),
                ),
            )
        cursor.execute(
            "UPDATE journey.lock SET next_batch = next_batch + %s", (len(t.rows["batch"]),)
        )


def _hash(text: str) -> int:
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
