"""The month's journey by hand on PostgreSQL; what it does is in `bare_month`.

Temporary tables are made once and emptied by each tick, and analysed when many rows have come;
runs are updated in place. Events are found by their instants, and all else by the customer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from journeylang.sql.schema import WHY
from tests.benchmarks.bare_journey import BATCH, JOURNEY, MESSAGE, Tick
from tests.benchmarks.bare_journey_postgres import create, hash60, row
from tests.benchmarks.bare_month import (
    AGAIN,
    ANSWER,
    LAST,
    NAMED,
    PLAIN,
    SENDS,
    SETTLE,
    STEPS,
    THANKS,
    ahead,
    exposures,
    transitions,
)
from tests.benchmarks.on_postgres import Connection

MANY = 1_000
"""With so many rows decided the planner has to be told of them too."""

MOVING = (
    "customer_id bigint, run_id bigint, from_step integer, step integer, arrived_at timestamp,"
    " entered_at timestamp, fresh boolean, held_out boolean, why integer"
)
WORKING = (
    (
        "CREATE TEMP TABLE zone (tz text, quiet boolean, release timestamp, quiet_from timestamp,"
        " quiet_until timestamp)"
    ),
    (
        "CREATE TEMP TABLE leaving (customer_id bigint, run_id bigint, step integer,"
        " entered_at timestamp)"
    ),
    f"CREATE TEMP TABLE moving ({MOVING})",
    (
        f"CREATE TEMP TABLE decided ({MOVING}, counted bigint, stuck text, release timestamp,"
        " quiet_from timestamp, quiet_until timestamp, channel text, held boolean, waits_for text)"
    ),
)


def prepare(connection: Connection, applied_at: datetime) -> None:
    """An empty schema `journey`, the journey's version, the names of its steps, working tables."""
    create(connection, "spring", STEPS, applied_at)
    for statement in WORKING:
        connection.execute(statement)


def tick(connection: Connection, now: datetime, start: datetime) -> None:
    """One hour."""
    instant = f"TIMESTAMP '{now}'"
    with connection.transaction():
        number, since, first_batch = row(
            connection,
            f"UPDATE journey.lock SET token = token + 1, previous = now, now = {instant}"
            " RETURNING token, previous, next_batch",
        )
        t = Tick(now=instant, since=f"TIMESTAMP '{since}'", number=number, first_batch=first_batch)
        connection.execute("TRUNCATE zone, leaving, moving, decided")
        left = _run(connection, _leaving(t))
        moving = _run(connection, _moving(t))
        entering = 0
        if (now - start) % timedelta(days=1) == timedelta(0):
            entering = _run(connection, _entering(t))
        if left or moving or entering:
            _move(connection, t, moving=bool(moving or entering), entering=bool(entering))


def _move(connection: Connection, t: Tick, *, moving: bool, entering: bool) -> None:
    sent = skipped = 0
    if moving:
        # The planner takes a temporary table for one of some thousand rows until it is told.
        connection.execute("ANALYZE moving")
        connection.execute(_zones(t))
        if _run(connection, _decided(t)) > MANY:
            connection.execute("ANALYZE decided")
        sent = _run(connection, _messages(t))
        if sent:
            batches = -(-sent // BATCH)
            connection.execute(_batches(t, sent))
            connection.execute(f"UPDATE journey.lock SET next_batch = next_batch + {batches}")
        skipped = _run(connection, _decisions(t))
    moved = _run(connection, transitions(t, moving=moving))
    connection.execute(_left(t))
    if moving:
        connection.execute(_moved(t))
    if entering:
        connection.execute(_entered(t))
        for statement in exposures(t):
            connection.execute(statement)
    connection.execute(
        f"INSERT INTO journey.tick VALUES ({t.number}, {t.now}, 0, {moved}, {sent}, {skipped})"
    )


def _run(connection: Connection, sql: str) -> int:
    return connection.execute(sql).rowcount


def _zones(t: Tick) -> str:
    """`zone`, of those who move: quiet is 22:00 to 07:00, and ends at `release`."""
    return f"""INSERT INTO zone
SELECT tz, quiet, release,
  timezone('UTC', timezone(tz, CASE WHEN clock < TIME '07:00' THEN midnight - INTERVAL '2 hours'
    ELSE midnight + INTERVAL '22 hours' END)),
  CASE WHEN clock < TIME '07:00' THEN release
    ELSE timezone('UTC', timezone(tz, midnight + INTERVAL '31 hours')) END
FROM (SELECT tz, clock, midnight, clock >= TIME '22:00' OR clock < TIME '07:00' AS quiet,
    timezone('UTC', timezone(tz, midnight + CASE WHEN clock < TIME '07:00' THEN INTERVAL '7 hours'
      ELSE INTERVAL '31 hours' END)) AS release
  FROM (SELECT tz, local::time AS clock, local::date::timestamp AS midnight
    FROM (SELECT tz, timezone(tz, timezone('UTC', {t.now})) AS local
      FROM (SELECT DISTINCT c.tz FROM moving AS m
        JOIN shop.customers AS c ON c.customer_id = m.customer_id) AS z) AS z) AS z) AS z"""


def _leaving(t: Tick) -> str:
    return f"""INSERT INTO leaving
SELECT DISTINCT r.customer_id, r.run_id, r.step, r.entered_at
FROM shop.orders AS o JOIN journey.run AS r ON r.customer_id = o.customer_id
WHERE o.placed_at > {t.since} AND o.placed_at <= {t.now}
  AND r.status = 0 AND o.placed_at > r.entered_at"""


def _moving(t: Tick) -> str:
    """`moving`: whoever is due, or has opened the mail, and where each comes to."""
    return f"""INSERT INTO moving
SELECT DISTINCT ON (r.customer_id, r.run_id) r.customer_id, r.run_id, r.step,
  CASE WHEN r.step = {ANSWER} AND r.at IS NOT NULL THEN {THANKS} WHEN r.step = {ANSWER} THEN {AGAIN}
    WHEN r.step = {SETTLE} THEN {LAST} ELSE r.step END,
  CASE WHEN r.step IN {SENDS} THEN r.arrived_at ELSE coalesce(r.at, r.wake_at) END,
  r.entered_at, FALSE, FALSE,
  CASE WHEN r.step IN {SENDS} THEN {WHY["retry"]} WHEN r.at IS NOT NULL THEN {WHY["event"]}
    WHEN r.step = {ANSWER} THEN {WHY["timeout"]} ELSE {WHY["due"]} END
FROM (SELECT r.*, CAST(NULL AS timestamp) AS at FROM journey.run AS r
    WHERE r.status = 0 AND r.wake_at <= {t.now}
  UNION ALL SELECT r.*, e.at FROM journey.message_event AS e
    JOIN journey.run AS r ON r.customer_id = e.customer_id
    WHERE e.name = 'opened' AND e.at > {t.since} AND e.at <= {t.now}
      AND r.status = 0 AND r.step = {ANSWER} AND e.at > r.arrived_at AND e.at <= r.wake_at) AS r
WHERE NOT EXISTS (SELECT 1 FROM leaving AS x WHERE x.customer_id = r.customer_id)
ORDER BY r.customer_id, r.run_id, r.at"""


def _entering(t: Tick) -> str:
    run_id = hash60(f"'spring:' || customer_id || ':' || {t.now}")
    return f"""INSERT INTO moving
SELECT customer_id, {run_id}, NULL,
  CASE WHEN held_out THEN NULL
    WHEN {hash60("'spring-subject:' || customer_id")} % 10000 < 5000 THEN {PLAIN} ELSE {NAMED} END,
  {t.now}, {t.now}, TRUE, held_out, {WHY["entered"]}
FROM (SELECT v.customer_id, {hash60("'spring-holdout:' || v.customer_id")} % 10000 < 1000
    AS held_out
  FROM (SELECT customer_id FROM shop.visits
    WHERE visited_at > {t.now} - INTERVAL '7 days' AND visited_at <= {t.now}
    GROUP BY customer_id HAVING count(*) >= 5) AS v
  WHERE NOT EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_id = v.customer_id
      AND o.placed_at > {t.now} - INTERVAL '7 days' AND o.placed_at <= {t.now})
    AND NOT EXISTS (SELECT 1 FROM journey.run AS r WHERE r.customer_id = v.customer_id)) AS e"""


def _decided(t: Tick) -> str:
    """`decided`: on which channel the message leaves, or until when it waits, or why it does not.

    Push comes first where there is a choice. A mail waits for the end of the night and for
    three days behind the one before.
    """
    columns = (
        "customer_id, run_id, from_step, step, arrived_at, entered_at, fresh, held_out, why,"
        " counted, stuck, release, quiet_from, quiet_until"
    )
    return f"""INSERT INTO decided
SELECT {columns},
  CASE WHEN pushed THEN 'push' WHEN stuck IS NULL AND release IS NULL THEN 'email' END,
  NOT pushed AND stuck IS NULL AND release IS NOT NULL,
  CASE WHEN quiet THEN 'quiet' ELSE 'capped' END
FROM (SELECT m.*, m.step IN ({AGAIN}, {LAST}) AND c.push AS pushed, z.quiet,
    z.quiet_from, z.quiet_until, coalesce(n.sent, 0) AS counted,
    CASE WHEN NOT c.mail THEN 'no_address' WHEN NOT coalesce(a.granted, FALSE)
      THEN 'no_consent' END AS stuck,
    greatest(CASE WHEN z.quiet THEN z.release END, CASE WHEN n.sent >= 1
      THEN n.oldest + INTERVAL '3 days' END) AS release
  FROM moving AS m JOIN (SELECT customer_id, tz, email IS NOT NULL AS mail,
    push_token IS NOT NULL AS push FROM shop.customers) AS c ON c.customer_id = m.customer_id
  JOIN zone AS z ON z.tz = c.tz
  LEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, granted FROM (
      SELECT customer_id, changed_at, status = 'opt_in' AS granted FROM shop.consents
      WHERE topic = 'email' AND changed_at <= {t.now}
        AND customer_id IN (SELECT customer_id FROM moving)
      UNION ALL SELECT customer_id, "at", granted FROM journey.consent_change
      WHERE consent = 'email_marketing' AND "at" <= {t.now}) AS k
    ORDER BY customer_id, changed_at DESC, granted) AS a ON a.customer_id = m.customer_id
  LEFT JOIN (SELECT customer_id, count(*) AS sent, min(decided_at) AS oldest FROM journey.message
    WHERE channel = 'email' AND counted AND decided_at > {t.now} - INTERVAL '3 days'
      AND customer_id IN (SELECT customer_id FROM moving) GROUP BY customer_id) AS n
    ON n.customer_id = m.customer_id
  WHERE NOT m.held_out) AS d"""


def _messages(t: Tick) -> str:
    return f"""INSERT INTO {MESSAGE}
SELECT customer_id, id, id / {BATCH}, run_id, {JOURNEY}, 1, step, 1, channel, TRUE, {t.now},
  arrived_at + INTERVAL '7 days', CASE channel WHEN 'email' THEN quiet_from END,
  CASE channel WHEN 'email' THEN quiet_until END, CASE channel WHEN 'email' THEN 0.0004 END
FROM (SELECT *, row_number() OVER () - 1 + {t.first_batch * BATCH} AS id FROM decided
  WHERE channel IS NOT NULL) AS d"""


def _batches(t: Tick, messages: int) -> str:
    return f"""INSERT INTO journey.batch
SELECT {t.first_batch} + n, {t.now}, least({BATCH}, {messages} - n * {BATCH}), FALSE, NULL, NULL,
  NULL, 0 FROM generate_series(0, {-(-messages // BATCH) - 1}) AS g(n)"""


def _decisions(t: Tick) -> str:
    return f"""INSERT INTO journey.decision
SELECT customer_id, run_id, {JOURNEY}, step, {t.now}, {t.number},
  CASE WHEN step IN ({AGAIN}, {LAST}) THEN 'no_address' ELSE stuck END,
  '{{"counted":' || counted || '}}' FROM decided WHERE channel IS NULL AND NOT held"""


def _left(t: Tick) -> str:
    return f"""UPDATE journey.run AS r SET step = NULL, arrived_at = {t.now}, wake_at = NULL,
  status = 2, reason = 'converted', ended_at = {t.now}
FROM leaving AS x WHERE x.customer_id = r.customer_id AND x.run_id = r.run_id"""


def _state(t: Tick) -> dict[str, str]:
    """What a run is behind the decision `d`."""
    return {
        "step": f"CASE WHEN d.held THEN d.step ELSE {ahead('d')} END",
        "arrived_at": f"CASE WHEN d.held THEN d.arrived_at ELSE {t.now} END",
        "wake_at": f"""CASE WHEN d.held THEN d.release
  WHEN d.step IN ({PLAIN}, {NAMED}) THEN {t.now} + INTERVAL '48 hours'
  WHEN d.step <> {LAST} THEN {t.now} + INTERVAL '120 hours' END""",
        "status": f"CASE WHEN d.step = {LAST} AND NOT d.held THEN 1 ELSE 0 END",
        "reason": f"CASE WHEN d.held THEN d.waits_for WHEN d.step = {LAST} THEN 'end' END",
        "ended_at": f"CASE WHEN d.step = {LAST} AND NOT d.held THEN {t.now} END",
    }


def _moved(t: Tick) -> str:
    changed = ", ".join(f"{name} = {sql}" for name, sql in _state(t).items())
    return f"""UPDATE journey.run AS r SET {changed}
FROM decided AS d
WHERE d.customer_id = r.customer_id AND d.run_id = r.run_id AND NOT d.fresh"""


def _entered(t: Tick) -> str:
    state = _state(t)
    names = ("step", "arrived_at", "wake_at", "status", "reason", "ended_at")
    return f"""INSERT INTO journey.run (customer_id, run_id, journey, version, entered_at, passes,
  {", ".join(names)})
SELECT d.customer_id, d.run_id, {JOURNEY}, 1, d.entered_at, 0,
  {", ".join(state[name] for name in names)}
FROM decided AS d WHERE d.fresh
UNION ALL SELECT customer_id, run_id, {JOURNEY}, 1, entered_at, 0, NULL, arrived_at, NULL, 4,
  'held_out', {t.now} FROM moving WHERE held_out"""
