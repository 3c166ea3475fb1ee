"""The month's journey by hand: what an expert writes who wants just this one journey.

One transaction an hour over the runtime's own tables: who bought leaves, who is due or has
opened the mail goes on, once a day whoever looks often enters; everybody who then stands at a
send is decided about, and comes to the next wait. The same checks are made as by the runtime,
and the same rows are left behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb

from journeylang.sql.schema import WHY
from tests.benchmarks.bare_journey import BATCH, JOURNEY, MESSAGE, Tick, create

SUBJECT, PLAIN, NAMED, ANSWER, THANKS, AGAIN, SETTLE, LAST, HOLDOUT = range(1, 10)
STEPS = [
    (SUBJECT, "subject", "experiment"),
    (PLAIN, "subject/plain/hello", "send"),
    (NAMED, "subject/named/hello", "send"),
    (ANSWER, "answer", "race"),
    (THANKS, "answer/opened/thanks", "send"),
    (AGAIN, "answer/timeout/again", "send"),
    (SETTLE, "settle", "wait"),
    (LAST, "last", "send"),
    (HOLDOUT, "holdout", "holdout"),
]
SENDS = f"({PLAIN}, {NAMED}, {THANKS}, {AGAIN}, {LAST})"


def prepare(connection: duckdb.DuckDBPyConnection, applied_at: datetime) -> None:
    """An empty schema `journey`, the journey's version and the names of its steps."""
    create(connection, "spring", STEPS, applied_at)


def tick(connection: duckdb.DuckDBPyConnection, now: datetime, start: datetime) -> None:
    """One hour."""
    instant = f"TIMESTAMP '{now}'"
    connection.execute("BEGIN")
    number, since, first_batch = _row(
        connection,
        f"UPDATE journey.lock SET token = token + 1, previous = now, now = {instant}"
        " RETURNING token, previous, next_batch",
    )
    t = Tick(now=instant, since=f"TIMESTAMP '{since}'", number=number, first_batch=first_batch)
    connection.execute(_zones(t))
    left = _count(connection, _leaving(t))
    moving = _count(connection, _moving(t))
    entering = 0
    if (now - start) % timedelta(days=1) == timedelta(0):
        entering = _count(connection, _entering(t))
    if left or moving or entering:
        _move(connection, t, moving=bool(moving or entering), entering=bool(entering))
    connection.execute("COMMIT")


def _move(connection: duckdb.DuckDBPyConnection, t: Tick, *, moving: bool, entering: bool) -> None:
    sent = skipped = 0
    if moving:
        connection.execute(_decided(t))
        sent = _count(connection, _messages(t))
        if sent:
            batches = -(-sent // BATCH)
            connection.execute(_batches(t, sent))
            connection.execute(f"UPDATE journey.lock SET next_batch = next_batch + {batches}")
        skipped = _count(connection, _decisions(t))
    moved = _count(connection, transitions(t, moving=moving))
    connection.execute(
        "DELETE FROM journey.run AS r USING (SELECT customer_id FROM moving WHERE NOT fresh"
        " UNION ALL SELECT customer_id FROM leaving) AS m WHERE m.customer_id = r.customer_id"
    )
    connection.execute(_runs(t, moving=moving))
    if entering:
        for statement in exposures(t):
            connection.execute(statement)
    connection.execute(
        f"INSERT INTO journey.tick VALUES ({t.number}, {t.now}, 0, {moved}, {sent}, {skipped})"
    )


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(_row(connection, sql)[0])


def _zones(t: Tick) -> str:
    """`zone`: quiet is 22:00 to 07:00, and ends at `release`."""
    return f"""CREATE OR REPLACE TEMP TABLE zone AS
SELECT tz, quiet, release,
  timezone('UTC', timezone(tz, CASE WHEN clock < TIME '07:00' THEN midnight - INTERVAL 2 HOUR
    ELSE midnight + INTERVAL 22 HOUR END)) AS quiet_from,
  CASE WHEN clock < TIME '07:00' THEN release
    ELSE timezone('UTC', timezone(tz, midnight + INTERVAL 31 HOUR)) END AS quiet_until
FROM (SELECT tz, clock, midnight, clock >= TIME '22:00' OR clock < TIME '07:00' AS quiet,
    timezone('UTC', timezone(tz, midnight + CASE WHEN clock < TIME '07:00' THEN INTERVAL 7 HOUR
      ELSE INTERVAL 31 HOUR END)) AS release
  FROM (SELECT tz, CAST(local AS TIME) AS clock, CAST(CAST(local AS DATE) AS TIMESTAMP) AS midnight
    FROM (SELECT tz, timezone(tz, timezone('UTC', {t.now})) AS local
      FROM (SELECT DISTINCT tz FROM shop.customers))))"""


def _leaving(t: Tick) -> str:
    return f"""CREATE OR REPLACE TEMP TABLE leaving AS
SELECT r.customer_id, r.run_id, r.step, r.entered_at FROM journey.run AS r
WHERE r.status = 0 AND EXISTS (SELECT 1 FROM shop.orders AS o
  WHERE o.customer_id = r.customer_id AND o.placed_at > r.entered_at
    AND o.placed_at > {t.since} AND o.placed_at <= {t.now})"""


def _moving(t: Tick) -> str:
    """`moving`: whoever is due, or has opened the mail, and where each comes to."""
    return f"""CREATE OR REPLACE TEMP TABLE moving AS
SELECT r.customer_id, r.run_id, r.step AS from_step,
  CASE WHEN r.step = {ANSWER} AND o.at IS NOT NULL THEN {THANKS} WHEN r.step = {ANSWER} THEN {AGAIN}
    WHEN r.step = {SETTLE} THEN {LAST} ELSE r.step END AS step,
  CASE WHEN r.step IN {SENDS} THEN r.arrived_at ELSE coalesce(o.at, r.wake_at) END AS arrived_at,
  r.entered_at, FALSE AS fresh, FALSE AS held_out,
  CASE WHEN r.step IN {SENDS} THEN {WHY["retry"]} WHEN o.at IS NOT NULL THEN {WHY["event"]}
    WHEN r.step = {ANSWER} THEN {WHY["timeout"]} ELSE {WHY["due"]} END AS why
FROM journey.run AS r
LEFT JOIN (SELECT e.customer_id, min(e.at) AS at FROM journey.message_event AS e
  WHERE e.name = 'opened' AND e.at > {t.since} AND e.at <= {t.now}
  GROUP BY e.customer_id) AS o
  ON o.customer_id = r.customer_id AND r.step = {ANSWER} AND o.at > r.arrived_at
    AND o.at <= r.wake_at
WHERE r.status = 0 AND (r.wake_at <= {t.now} OR o.at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM leaving AS x WHERE x.customer_id = r.customer_id)"""


def _entering(t: Tick) -> str:
    return f"""INSERT INTO moving
SELECT customer_id,
  CAST('0x' || substr(md5('spring:' || customer_id || ':' || {t.now}), 1, 15) AS BIGINT), NULL,
  CASE WHEN held_out THEN NULL WHEN CAST('0x' || substr(md5('spring-subject:' || customer_id),
    1, 15) AS BIGINT) % 10000 < 5000 THEN {PLAIN} ELSE {NAMED} END,
  {t.now}, {t.now}, TRUE, held_out, {WHY["entered"]}
FROM (SELECT v.customer_id, CAST('0x' || substr(md5('spring-holdout:' || v.customer_id), 1, 15)
    AS BIGINT) % 10000 < 1000 AS held_out
  FROM (SELECT customer_id FROM shop.visits
    WHERE visited_at > {t.now} - INTERVAL 7 DAY AND visited_at <= {t.now}
    GROUP BY customer_id HAVING count(*) >= 5) AS v
  WHERE NOT EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_id = v.customer_id
      AND o.placed_at > {t.now} - INTERVAL 7 DAY AND o.placed_at <= {t.now})
    AND NOT EXISTS (SELECT 1 FROM journey.run AS r WHERE r.customer_id = v.customer_id))"""


def _decided(t: Tick) -> str:
    """`decided`: on which channel the message leaves, or until when it waits, or why it does not.

    Push comes first where there is a choice. A mail waits for the end of the night and for
    three days behind the one before.
    """
    return f"""CREATE OR REPLACE TEMP TABLE decided AS
SELECT d.*, CASE WHEN pushed THEN 'push' WHEN stuck IS NULL AND release IS NULL THEN 'email' END
    AS channel,
  NOT pushed AND stuck IS NULL AND release IS NOT NULL AS held,
  CASE WHEN quiet THEN 'quiet' ELSE 'capped' END AS waits_for
FROM (SELECT m.*, m.step IN ({AGAIN}, {LAST}) AND c.push AS pushed, z.quiet,
    z.quiet_from, z.quiet_until, coalesce(n.sent, 0) AS counted,
    CASE WHEN NOT c.mail THEN 'no_address' WHEN NOT coalesce(a.granted, FALSE)
      THEN 'no_consent' END AS stuck,
    greatest(CASE WHEN z.quiet THEN z.release END, CASE WHEN n.sent >= 1
      THEN n.oldest + INTERVAL 3 DAY END) AS release
  FROM moving AS m JOIN (SELECT customer_id, tz, email IS NOT NULL AS mail,
    push_token IS NOT NULL AS push FROM shop.customers) AS c ON c.customer_id = m.customer_id
  JOIN zone AS z ON z.tz = c.tz
  LEFT JOIN (SELECT customer_id, arg_max(granted, (changed_at, NOT granted)) AS granted FROM (
      SELECT customer_id, changed_at, status = 'opt_in' AS granted FROM shop.consents
      WHERE topic = 'email' AND changed_at <= {t.now}
      UNION ALL SELECT customer_id, "at", granted FROM journey.consent_change
      WHERE consent = 'email_marketing' AND "at" <= {t.now})
    WHERE customer_id IN (SELECT customer_id FROM moving) GROUP BY customer_id) AS a
    ON a.customer_id = m.customer_id
  LEFT JOIN (SELECT customer_id, count(*) AS sent, min(decided_at) AS oldest FROM journey.message
    WHERE channel = 'email' AND counted AND decided_at > {t.now} - INTERVAL 3 DAY
      AND customer_id IN (SELECT customer_id FROM moving) GROUP BY customer_id) AS n
    ON n.customer_id = m.customer_id
  WHERE NOT m.held_out) AS d"""


def _messages(t: Tick) -> str:
    return f"""INSERT INTO {MESSAGE}
SELECT customer_id, id, id // {BATCH}, run_id, {JOURNEY}, 1, step, 1, channel, TRUE, {t.now},
  arrived_at + INTERVAL 7 DAY, CASE channel WHEN 'email' THEN quiet_from END,
  CASE channel WHEN 'email' THEN quiet_until END,
  CASE channel WHEN 'email' THEN CAST(0.0004 AS DECIMAL(18, 4)) END
FROM (SELECT *, row_number() OVER () - 1 + {t.first_batch * BATCH} AS id FROM decided
  WHERE channel IS NOT NULL)"""


def _batches(t: Tick, messages: int) -> str:
    return f"""INSERT INTO journey.batch
SELECT {t.first_batch} + n, {t.now}, least({BATCH}, {messages} - n * {BATCH}), FALSE, NULL, NULL,
  NULL, 0 FROM range(0, {-(-messages // BATCH)}) AS g(n)"""


def _decisions(t: Tick) -> str:
    return f"""INSERT INTO journey.decision
SELECT customer_id, run_id, {JOURNEY}, step, {t.now}, {t.number},
  CASE WHEN step IN ({AGAIN}, {LAST}) THEN 'no_address' ELSE stuck END,
  '{{"counted":' || counted || '}}' FROM decided WHERE channel IS NULL AND NOT held"""


def ahead(row: str) -> str:
    return (
        f"CASE WHEN {row}.step IN ({PLAIN}, {NAMED}) THEN {ANSWER}"
        f" WHEN {row}.step IN ({THANKS}, {AGAIN}) THEN {SETTLE} END"
    )


def transitions(t: Tick, *, moving: bool) -> str:
    left = f"""INSERT INTO journey.transition
SELECT customer_id, run_id, {JOURNEY}, {t.now}, {t.number}, step, NULL, {WHY["exit"]}
FROM leaving"""
    if not moving:
        return left
    return f"""{left}
UNION ALL SELECT customer_id, run_id, {JOURNEY}, arrived_at, {t.number}, from_step, step, why
FROM moving WHERE why <> {WHY["retry"]}
UNION ALL SELECT customer_id, run_id, {JOURNEY}, CASE WHEN held THEN arrived_at ELSE {t.now} END,
  {t.number}, step, CASE WHEN held THEN step ELSE {ahead("d")} END,
  CASE WHEN held THEN {WHY["held"]} WHEN channel IS NULL THEN {WHY["skipped"]}
    ELSE {WHY["sent"]} END
FROM decided AS d"""


def _runs(t: Tick, *, moving: bool) -> str:
    left = f"""INSERT INTO journey.run
SELECT customer_id, run_id, {JOURNEY}, 1, NULL, {t.now}, NULL, entered_at, 2, 'converted', NULL,
  {t.now}, 0 FROM leaving"""
    if not moving:
        return left
    return f"""{left}
UNION ALL SELECT customer_id, run_id, {JOURNEY}, 1, NULL, arrived_at, NULL, entered_at, 4,
  'held_out', NULL, {t.now}, 0 FROM moving WHERE held_out
UNION ALL SELECT customer_id, run_id, {JOURNEY}, 1,
  CASE WHEN held THEN step ELSE {ahead("d")} END, CASE WHEN held THEN arrived_at ELSE {t.now} END,
  CASE WHEN held THEN release WHEN step IN ({PLAIN}, {NAMED}) THEN {t.now} + INTERVAL 48 HOUR
    WHEN step <> {LAST} THEN {t.now} + INTERVAL 120 HOUR END, entered_at,
  CASE WHEN step = {LAST} AND NOT held THEN 1 ELSE 0 END,
  CASE WHEN held THEN waits_for WHEN step = {LAST} THEN 'end' END, NULL,
  CASE WHEN step = {LAST} AND NOT held THEN {t.now} END, 0
FROM decided AS d"""


def exposures(t: Tick) -> tuple[str, ...]:
    return (
        f"""INSERT INTO journey.exposure
SELECT m.customer_id, {SUBJECT}, CASE m.step WHEN {PLAIN} THEN 'plain' ELSE 'named' END,
  m.arrived_at, m.run_id, 'spring-subject' FROM moving AS m
WHERE m.fresh AND NOT m.held_out AND NOT EXISTS (SELECT 1 FROM journey.exposure AS x
  WHERE x.customer_id = m.customer_id AND x.experiment = {SUBJECT})""",
        f"""INSERT INTO journey.exposure
SELECT m.customer_id, {HOLDOUT}, CASE WHEN m.held_out THEN 'held_out' ELSE 'treated' END,
  m.arrived_at, m.run_id, 'spring-holdout' FROM moving AS m
WHERE m.fresh AND NOT EXISTS (SELECT 1 FROM journey.exposure AS x
  WHERE x.customer_id = m.customer_id AND x.experiment = {HOLDOUT})""",
    )
