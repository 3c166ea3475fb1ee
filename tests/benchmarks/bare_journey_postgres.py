"""The benchmark's journey by hand on PostgreSQL; what it does is in `bare_journey`.

Temporary tables are made once and emptied by each tick; they are analysed when many rows have come,
runs are updated in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from journeylang.sql.migrations import create_tables
from journeylang.sql.postgres import POSTGRES
from journeylang.sql.schema import WHY
from tests.benchmarks.bare_journey import (
    BATCH,
    JOURNEY,
    MESSAGE,
    NAMED,
    NUDGE,
    PLAIN,
    SENT,
    SETTLE,
    STEPS,
    Tick,
    who_entered,
)
from tests.benchmarks.on_postgres import Connection

WORKING = (
    (
        "CREATE TEMP TABLE zone (tz text, quiet boolean, wake_at timestamp, quiet_from timestamp,"
        " quiet_until timestamp)"
    ),
    (
        "CREATE TEMP TABLE entering (customer_id bigint, entered_at timestamp, gated boolean,"
        " run_id bigint, step integer, tz text, reachable boolean)"
    ),
    (
        "CREATE TEMP TABLE intent (customer_id bigint, run_id bigint, step integer,"
        " arrived_at timestamp, wake_at timestamp, quiet_from timestamp, quiet_until timestamp,"
        " counted bigint, reason text)"
    ),
)


def prepare(connection: Connection, applied_at: datetime) -> None:
    """An empty schema `journey`, the journey's version, the names of its steps, working tables."""
    create(connection, "j1", STEPS, applied_at)
    for statement in WORKING:
        connection.execute(statement)


def create(
    connection: Connection, name: str, steps: Sequence[tuple[int, str, str]], applied_at: datetime
) -> None:
    """An empty schema `journey` with one journey and its steps (number, path, kind)."""
    connection.execute("DROP SCHEMA IF EXISTS journey CASCADE; CREATE SCHEMA journey")
    for statement in create_tables("bigint", POSTGRES):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO journey.version VALUES (%s, %s, 1, %s, '', '')", (JOURNEY, name, applied_at)
    )
    connection.cursor().executemany(
        f"INSERT INTO journey.step (step, journey, path, kind) VALUES (%s, {JOURNEY}, %s, %s)",
        steps,
    )
    connection.execute(
        "INSERT INTO journey.lock (name, token, previous, now, next_batch)"
        " VALUES ('tick', 0, %s, %s, 0)",
        (applied_at, applied_at),
    )


def run(connection: Connection, start: datetime) -> None:
    """The journey's three ticks, a day apart: entries, nothing, and the end of the wait."""
    for day in range(3):
        tick(connection, start + timedelta(days=day))


def tick(connection: Connection, now: datetime) -> None:
    """One transaction: the lock, a probe, and only if it finds work the statements for it."""
    instant = f"TIMESTAMP '{now}'"
    with connection.transaction():
        number, since, first_batch = row(
            connection,
            f"UPDATE journey.lock SET token = token + 1, previous = now, now = {instant}"
            " RETURNING token, previous, next_batch",
        )
        t = Tick(now=instant, since=f"TIMESTAMP '{since}'", number=number, first_batch=first_batch)
        arriving, due = row(
            connection,
            f"""SELECT EXISTS (SELECT 1 FROM shop.signups AS e
    WHERE e.signed_up_at > {t.since} - INTERVAL '1 hour' AND e.signed_up_at <= {t.now}),
  EXISTS (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.wake_at <= {t.now})""",
        )
        assert not (arriving and due)
        if not (arriving or due):
            return
        written = dict.fromkeys(("run", "message", "batch", "decision"), 0)
        for statement in (*_zones(t), *(_enter(t) if arriving else _wake(t)), *_send(t)):
            changed = connection.execute(statement).rowcount
            verb, _, table = (*statement.split(maxsplit=3), "", "")[:3]
            if table == "entering" and verb == "INSERT" and not changed:
                return
            if verb in ("INSERT", "UPDATE"):
                table = table if verb == "INSERT" else "run"
                written[table.removeprefix("journey.")] = changed
        entered = written["run"] if arriving else 0
        connection.execute(
            f"INSERT INTO journey.tick VALUES ({t.number}, {t.now}, {entered}, {written['run']},"
            f" {written['message']}, {written['decision']})"
        )
        connection.execute(f"UPDATE journey.lock SET next_batch = next_batch + {written['batch']}")


def row(connection: Connection, sql: str) -> tuple[Any, ...]:
    found = connection.execute(sql).fetchone()
    assert found is not None
    return tuple(found)


def hash60(text: str) -> str:
    return f"CAST(CAST('x0' || substr(md5({text}), 1, 15) AS bit(64)) AS bigint)"


def _zones(t: Tick) -> tuple[str, ...]:
    """`zone`: what depends on the zone alone. Quiet is 23:00 to 04:00."""
    return (
        "TRUNCATE zone",
        f"""INSERT INTO zone
SELECT tz, local::time >= TIME '23:00' OR local::time < TIME '04:00',
  timezone('UTC', timezone(tz, local + INTERVAL '2 days')),
  timezone('UTC', timezone(tz, midnight + INTERVAL '23 hours')),
  timezone('UTC', timezone(tz, midnight + INTERVAL '28 hours'))
FROM (SELECT tz, timezone(tz, timezone('UTC', {t.now})) AS local,
    timezone(tz, timezone('UTC', {t.now}))::date::timestamp AS midnight
  FROM (SELECT DISTINCT tz FROM shop.customers) AS z) AS z""",
    )


def _enter(t: Tick) -> tuple[str, ...]:
    return (
        "TRUNCATE entering",
        f"""INSERT INTO entering
SELECT e.customer_id, e.entered_at, c.score >= 80,
  {hash60("'j1:' || e.customer_id || ':' || e.signup_id")},
  CASE WHEN c.score >= 80 THEN NULL
    WHEN {hash60("'j1-subject:' || e.customer_id")} % 10000 < 5000 THEN {PLAIN} ELSE {NAMED} END,
  c.tz, c.email IS NOT NULL
FROM (SELECT DISTINCT ON (s.customer_id) s.customer_id, s.signed_up_at AS entered_at, s.signup_id
  FROM shop.signups AS s
  WHERE s.signed_up_at > {t.since} - INTERVAL '1 hour' AND s.signed_up_at <= {t.now}
  ORDER BY s.customer_id, s.signed_up_at, s.signup_id) AS e
JOIN shop.customers AS c ON c.customer_id = e.customer_id
WHERE NOT EXISTS (SELECT 1 FROM journey.run AS r
  WHERE r.customer_id = e.customer_id AND r.journey = {JOURNEY})""",
        "ANALYZE entering",
        *_intent(
            t,
            "entering AS i",
            "i.customer_id, i.run_id, i.step, i.entered_at AS arrived_at, i.tz, i.reachable",
            "NOT i.gated",
        ),
        *who_entered(t),
    )


def _wake(t: Tick) -> tuple[str, ...]:
    return (
        *_intent(
            t,
            "journey.run AS i JOIN shop.customers AS c ON c.customer_id = i.customer_id",
            f"i.customer_id, i.run_id, {NUDGE} AS step, i.wake_at AS arrived_at, c.tz,"
            " c.email IS NOT NULL AS reachable",
            f"i.status = 0 AND i.wake_at <= {t.now}",
        ),
        f"""UPDATE journey.run AS r SET step = NULL, arrived_at = {t.now}, wake_at = NULL,
  status = 1, reason = 'end', ended_at = {t.now}
FROM intent AS i WHERE i.customer_id = r.customer_id AND i.run_id = r.run_id""",
        f"""INSERT INTO journey.transition
SELECT i.customer_id, i.run_id, {JOURNEY}, i.arrived_at, {t.number}, {SETTLE}, {NUDGE},
  {WHY["due"]} FROM intent AS i
UNION ALL
SELECT i.customer_id, i.run_id, {JOURNEY}, {t.now}, {t.number}, {NUDGE}, NULL,
  {SENT} FROM intent AS i""",
    )


def _intent(t: Tick, source: str, columns: str, condition: str) -> tuple[str, ...]:
    """`intent`: who stands at a send, and the first rule that is against it, if any."""
    return (
        "TRUNCATE intent",
        f"""INSERT INTO intent
SELECT i.customer_id, i.run_id, i.step, i.arrived_at, z.wake_at, z.quiet_from, z.quiet_until,
  coalesce(m.sent, 0), CASE WHEN NOT i.reachable THEN 'no_address'
    WHEN s.customer_id IS NOT NULL THEN 'suppressed'
    WHEN a.granted IS DISTINCT FROM TRUE THEN 'no_consent'
    WHEN z.quiet THEN 'quiet'
    WHEN m.sent >= 3 THEN 'capped' END
FROM (SELECT {columns} FROM {source} WHERE {condition}) AS i
JOIN zone AS z ON z.tz = i.tz
LEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, granted
  FROM (SELECT customer_id, changed_at, status = 'opt_in' AS granted FROM shop.consents
    WHERE topic = 'email' AND changed_at <= {t.now}
    UNION ALL SELECT customer_id, "at", granted FROM journey.consent_change
    WHERE consent = 'email_marketing' AND "at" <= {t.now}) AS k
  ORDER BY customer_id, changed_at DESC, granted) AS a ON a.customer_id = i.customer_id
LEFT JOIN (SELECT DISTINCT customer_id FROM journey.suppression WHERE channel = 'email') AS s
  ON s.customer_id = i.customer_id
LEFT JOIN (SELECT customer_id, count(*) AS sent FROM journey.message
  WHERE channel = 'email' AND counted AND decided_at > {t.now} - INTERVAL '7 days'
    AND decided_at <= {t.now} GROUP BY customer_id) AS m ON m.customer_id = i.customer_id""",
        "ANALYZE intent",
    )


def _send(t: Tick) -> tuple[str, ...]:
    """Messages and their batches for those of `intent` without a reason, decisions for the rest."""
    return (
        f"""INSERT INTO {MESSAGE}
SELECT g.customer_id, g.message_id, g.message_id / {BATCH}, g.run_id, {JOURNEY}, 1, g.step, 1,
  'email', TRUE, {t.now}, g.arrived_at + INTERVAL '7 days', g.quiet_from, g.quiet_until, 0.0004
FROM (SELECT i.*, row_number() OVER () - 1 + {t.first_batch * BATCH} AS message_id
  FROM intent AS i WHERE i.reason IS NULL) AS g""",
        f"""INSERT INTO journey.batch
SELECT batch_id, {t.now}, count(*), FALSE, NULL, NULL, NULL, 0 FROM journey.message
WHERE decided_at = {t.now} GROUP BY batch_id""",
        f"""INSERT INTO journey.decision
SELECT i.customer_id, i.run_id, {JOURNEY}, i.step, {t.now}, {t.number}, i.reason,
  '{{"counted":' || i.counted || '}}' FROM intent AS i WHERE i.reason IS NOT NULL""",
    )
