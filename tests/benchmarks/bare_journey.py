"""The benchmark's journey by hand: what an expert writes who wants just this one journey.

Three ticks over the runtime's own tables (`journeylang.sql.schema`): all who signed up enter,
a fifth ends at the gate, the rest is split by the md5 bucket, gets the first mail and waits
two days; the tick between finds nothing to do; the third sends the second mail and ends the
runs. The same checks are made as by the runtime (re-entry, address, suppression, consent, cap,
quiet hours), and the same rows are left behind. Each tick is one transaction of a handful of
set-based statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from journeylang.sql.migrations import create_tables
from journeylang.sql.schema import WHY

# Ids that the runtime keeps in `version` and `step`.
JOURNEY = 1
SUBJECT, PLAIN, NAMED, SETTLE, NUDGE = 1, 2, 3, 4, 5

STEPS = [
    (SUBJECT, "subject", "experiment"),
    (PLAIN, "subject/plain/hello", "send"),
    (NAMED, "subject/named/hello", "send"),
    (SETTLE, "settle", "wait"),
    (NUDGE, "nudge", "send"),
]
BATCH = 500

MESSAGE = (
    "journey.message (customer_id, message_id, batch_id, run_id, journey, version, step,"
    " occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until, cost)"
)

SENT = f"CASE WHEN i.reason IS NULL THEN {WHY['sent']} ELSE {WHY['skipped']} END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a tick's statements are filled with: two instants as SQL, and numbers."""

    now: str
    since: str
    number: int
    first_batch: int


def prepare(connection: duckdb.DuckDBPyConnection, applied_at: datetime) -> None:
    """An empty schema `journey`, the journey's version and the names of its steps."""
    create(connection, "j1", STEPS, applied_at)


def create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    steps: Sequence[tuple[int, str, str]],
    applied_at: datetime,
) -> None:
    """An empty schema `journey` with one journey and its steps (number, path, kind)."""
    connection.execute("DROP SCHEMA IF EXISTS journey CASCADE")
    for statement in create_tables("BIGINT"):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO journey.version VALUES ($id, $name, 1, $at, '', '')",
        {"id": JOURNEY, "name": name, "at": applied_at},
    )
    connection.executemany(
        f"INSERT INTO journey.step (step, journey, path, kind) VALUES (?, {JOURNEY}, ?, ?)",
        [list(step) for step in steps],
    )
    connection.execute(
        "INSERT INTO journey.lock (name, token, previous, now, next_batch)"
        " VALUES ('tick', 0, $at, $at, 0)",
        {"at": applied_at},
    )


def run(connection: duckdb.DuckDBPyConnection, start: datetime) -> None:
    """The journey's three ticks, a day apart: entries, nothing, and the end of the wait."""
    for day in range(3):
        tick(connection, start + timedelta(days=day))


def tick(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """One transaction: the lock, a probe, and only if it finds work the statements for it."""
    instant = f"TIMESTAMP '{now}'"
    connection.execute("BEGIN")
    number, since, first_batch = _row(
        connection,
        f"UPDATE journey.lock SET token = token + 1, previous = now, now = {instant}"
        " RETURNING token, previous, next_batch",
    )
    t = Tick(now=instant, since=f"TIMESTAMP '{since}'", number=number, first_batch=first_batch)
    arriving, due = _row(
        connection,
        f"""SELECT EXISTS (SELECT 1 FROM shop.signups AS e
    WHERE e.signed_up_at > {t.since} - INTERVAL 1 HOUR AND e.signed_up_at <= {t.now}),
  EXISTS (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.wake_at <= {t.now})""",
    )
    # Never both here; who needs both numbers the messages of one behind the other's.
    assert not (arriving and due)
    if arriving or due:
        written = dict.fromkeys(("run", "message", "batch", "decision"), 0)
        for statement in (_zones(t), *(_enter(t) if arriving else _wake(t)), *_send(t)):
            changed = connection.execute(statement).fetchone()
            verb, _, table = statement.split(maxsplit=3)[:3]
            if " TABLE entering AS" in statement and changed == (0,):
                connection.execute("COMMIT")
                return
            if verb == "INSERT" and changed is not None:
                written[table.removeprefix("journey.")] = changed[0]
        entered = written["run"] if arriving else 0
        connection.execute(
            f"INSERT INTO journey.tick VALUES ({t.number}, {t.now}, {entered}, {written['run']},"
            f" {written['message']}, {written['decision']})"
        )
        connection.execute(f"UPDATE journey.lock SET next_batch = next_batch + {written['batch']}")
    connection.execute("COMMIT")


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def _zones(t: Tick) -> str:
    """`zone`: what depends on the zone alone. Quiet is 23:00 to 04:00."""
    return f"""CREATE OR REPLACE TEMP TABLE zone AS
SELECT tz,
  CAST(local AS TIME) >= TIME '23:00' OR CAST(local AS TIME) < TIME '04:00' AS quiet,
  timezone('UTC', timezone(tz, local + INTERVAL 2 DAY)) AS wake_at,
  timezone('UTC', timezone(tz, midnight + INTERVAL 23 HOUR)) AS quiet_from,
  timezone('UTC', timezone(tz, midnight + INTERVAL 28 HOUR)) AS quiet_until
FROM (SELECT tz, timezone(tz, timezone('UTC', {t.now})) AS local,
    CAST(CAST(timezone(tz, timezone('UTC', {t.now})) AS DATE) AS TIMESTAMP) AS midnight
  FROM (SELECT DISTINCT tz FROM shop.customers))"""


def _enter(t: Tick) -> tuple[str, ...]:
    return (
        f"""CREATE OR REPLACE TEMP TABLE entering AS
SELECT e.customer_id, e.entered_at, c.score >= 80 AS gated,
  CAST('0x' || substr(md5('j1:' || e.customer_id || ':' || e.signup_id), 1, 15) AS BIGINT)
    AS run_id,
  CASE WHEN c.score >= 80 THEN NULL
    WHEN CAST('0x' || substr(md5('j1-subject:' || e.customer_id), 1, 15) AS BIGINT) % 10000
      < 5000 THEN {PLAIN} ELSE {NAMED} END AS step,
  c.tz, c.email IS NOT NULL AS reachable
FROM (SELECT s.customer_id, min(s.signed_up_at) AS entered_at,
    arg_min(s.signup_id, (s.signed_up_at, s.signup_id)) AS signup_id
  FROM shop.signups AS s
  WHERE s.signed_up_at > {t.since} - INTERVAL 1 HOUR AND s.signed_up_at <= {t.now}
  GROUP BY s.customer_id) AS e
JOIN shop.customers AS c ON c.customer_id = e.customer_id
WHERE NOT EXISTS (SELECT 1 FROM journey.run AS r
  WHERE r.customer_id = e.customer_id AND r.journey = {JOURNEY})""",
        _intent(
            t,
            "entering AS i",
            "i.customer_id, i.run_id, i.step, i.entered_at AS arrived_at, i.tz, i.reachable",
            "NOT i.gated",
        ),
        *who_entered(t),
    )


def who_entered(t: Tick) -> tuple[str, ...]:
    """Their runs, the arm that each has seen, and how they came to where they are."""
    return (
        f"""INSERT INTO journey.run
SELECT e.customer_id, e.run_id, {JOURNEY}, 1, CASE WHEN NOT e.gated THEN {SETTLE} END,
  CASE WHEN e.gated THEN e.entered_at ELSE {t.now} END,
  CASE WHEN NOT e.gated THEN z.wake_at END, e.entered_at, CASE WHEN e.gated THEN 1 ELSE 0 END,
  CASE WHEN e.gated THEN 'gated' END, NULL, CASE WHEN e.gated THEN {t.now} END, 0
FROM entering AS e JOIN zone AS z ON z.tz = e.tz""",
        f"""INSERT INTO journey.exposure
SELECT e.customer_id, {SUBJECT}, CASE e.step WHEN {PLAIN} THEN 'plain' ELSE 'named' END,
  e.entered_at, e.run_id, 'j1-subject' FROM entering AS e
WHERE NOT e.gated AND NOT EXISTS (SELECT 1 FROM journey.exposure AS x
  WHERE x.customer_id = e.customer_id AND x.experiment = {SUBJECT})""",
        f"""INSERT INTO journey.transition
SELECT e.customer_id, e.run_id, {JOURNEY}, e.entered_at, {t.number}, NULL, e.step,
  {WHY["entered"]} FROM entering AS e
UNION ALL
SELECT i.customer_id, i.run_id, {JOURNEY}, {t.now}, {t.number}, i.step, {SETTLE},
  {SENT} FROM intent AS i""",
    )


def _wake(t: Tick) -> tuple[str, ...]:
    return (
        _intent(
            t,
            "journey.run AS i JOIN shop.customers AS c ON c.customer_id = i.customer_id",
            f"i.customer_id, i.run_id, {NUDGE} AS step, i.wake_at AS arrived_at, c.tz,"
            " c.email IS NOT NULL AS reachable, i.entered_at, i.version, i.entry",
            f"i.status = 0 AND i.wake_at <= {t.now}",
        ),
        f"DELETE FROM journey.run WHERE status = 0 AND wake_at <= {t.now}",
        f"""INSERT INTO journey.run
SELECT i.customer_id, i.run_id, {JOURNEY}, i.version, NULL, {t.now}, NULL, i.entered_at, 1, 'end',
  i.entry, {t.now}, 0 FROM intent AS i""",
        f"""INSERT INTO journey.transition
SELECT i.customer_id, i.run_id, {JOURNEY}, i.arrived_at, {t.number}, {SETTLE}, {NUDGE},
  {WHY["due"]} FROM intent AS i
UNION ALL
SELECT i.customer_id, i.run_id, {JOURNEY}, {t.now}, {t.number}, {NUDGE}, NULL,
  {SENT} FROM intent AS i""",
    )


def _intent(t: Tick, source: str, columns: str, condition: str) -> str:
    """`intent`: who stands at a send, and the first rule that is against it, if any."""
    return f"""CREATE OR REPLACE TEMP TABLE intent AS
SELECT i.*, z.wake_at, z.quiet_from, z.quiet_until, coalesce(m.sent, 0) AS counted,
  CASE WHEN NOT i.reachable THEN 'no_address'
    WHEN s.customer_id IS NOT NULL THEN 'suppressed'
    WHEN a.granted IS DISTINCT FROM TRUE THEN 'no_consent'
    WHEN z.quiet THEN 'quiet'
    WHEN m.sent >= 3 THEN 'capped' END AS reason
FROM (SELECT {columns} FROM {source} WHERE {condition}) AS i
JOIN zone AS z ON z.tz = i.tz
LEFT JOIN (SELECT customer_id, max(changed_at) FILTER (WHERE granted)
      > coalesce(max(changed_at) FILTER (WHERE NOT granted), TIMESTAMP '-infinity') AS granted
  FROM (SELECT customer_id, changed_at, status = 'opt_in' AS granted FROM shop.consents
    WHERE topic = 'email' AND changed_at <= {t.now}
    UNION ALL SELECT customer_id, "at", granted FROM journey.consent_change
    WHERE consent = 'email_marketing' AND "at" <= {t.now})
  GROUP BY customer_id) AS a ON a.customer_id = i.customer_id
LEFT JOIN (SELECT DISTINCT customer_id FROM journey.suppression WHERE channel = 'email') AS s
  ON s.customer_id = i.customer_id
LEFT JOIN (SELECT customer_id, count(*) AS sent FROM journey.message
  WHERE channel = 'email' AND counted AND decided_at > {t.now} - INTERVAL 7 DAY
    AND decided_at <= {t.now} GROUP BY customer_id) AS m ON m.customer_id = i.customer_id"""


def _send(t: Tick) -> tuple[str, ...]:
    """Messages and their batches for those of `intent` without a reason, decisions for the rest."""
    return (
        f"""INSERT INTO {MESSAGE}
SELECT g.customer_id, g.message_id, g.message_id // {BATCH}, g.run_id, {JOURNEY}, 1, g.step, 1,
  'email', TRUE, {t.now}, g.arrived_at + INTERVAL 7 DAY, g.quiet_from, g.quiet_until,
  CAST(0.0004 AS DECIMAL(18, 4))
FROM (SELECT i.*, row_number() OVER () - 1 + {t.first_batch * BATCH} AS message_id
  FROM intent AS i WHERE i.reason IS NULL) AS g""",
        f"""INSERT INTO journey.batch
SELECT batch_id, {t.now}, count(*), FALSE, NULL, NULL, NULL, 0 FROM journey.message
WHERE decided_at = {t.now} GROUP BY batch_id""",
        f"""INSERT INTO journey.decision
SELECT i.customer_id, i.run_id, {JOURNEY}, i.step, {t.now}, {t.number}, i.reason,
  '{{"counted":' || i.counted || '}}' FROM intent AS i WHERE i.reason IS NOT NULL""",
    )
