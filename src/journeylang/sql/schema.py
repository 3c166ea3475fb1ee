"""What stands in the runtime's own tables, and the views that people read instead.

The tables themselves are made by `migrations`.
"""

from __future__ import annotations

# Stands before the name of a service where a message has its channel.
CALLS = "invoke "

# Run statuses, as stored in run.status.
ACTIVE = 0
FINISHED = 1
EXITED = 2
GONE = 3
HELD_OUT = 4
CONTROL = 5
STATUS_NAMES = {
    ACTIVE: "active",
    FINISHED: "finished",
    EXITED: "exited",
    GONE: "gone",
    HELD_OUT: "held_out",
    CONTROL: "global_control",
}

# Why a run has moved, as stored in transition.why.
WHY = {
    "entered": 1,
    "due": 2,
    "event": 3,
    "state": 4,
    "timeout": 5,
    "sent": 6,
    "skipped": 7,
    "held": 8,
    "retry": 9,
    "done": 10,
    "exit": 11,
    "moved": 12,
    "gone": 13,
}

# Suppressions that do not bind what a customer has to be told (bookings, receipts).
OF_MARKETING = ("unsubscribe",)

# States of a message, in the order of their lattice: feedback may come in any order, the
# greatest rank is the state.
RECEIPT_RANKS = {
    "queued": 0,
    "submitting": 10,
    "retry": 15,
    "unknown": 20,
    "cancelled": 30,
    "expired": 31,
    "failed": 32,
    "accepted": 40,
    "delivered": 50,
    "bounced": 60,
}

# Of these, those that end a message.
FINAL = ("cancelled", "expired", "failed", "accepted", "delivered", "bounced")


def views() -> dict[str, str]:
    """The documented, stable views by their names: names instead of numbers."""
    statuses = " ".join(f"WHEN {n} THEN '{name}'" for n, name in STATUS_NAMES.items())
    ranks = " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in RECEIPT_RANKS.items())
    reasons = " ".join(f"WHEN {n} THEN '{name}'" for name, n in WHY.items())
    names = " ".join(f"WHEN {rank} THEN '{state}'" for state, rank in RECEIPT_RANKS.items())
    public_id = public_message_id("m", "s")
    return {
        "runs": f"""
SELECT r.customer_id, r.run_id, v.name AS journey, r.version, s.path AS step, r.arrived_at,
  r.wake_at, r.entered_at, CASE r.status {statuses} END AS status, r.reason, r.ended_at
FROM journey.run AS r
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = r.journey
LEFT JOIN journey.step AS s ON s.step = r.step""",
        "messages": f"""
SELECT m.customer_id, {public_id} AS message, v.name AS journey, m.version, s.path AS step,
  m.channel, m.decided_at, m.expires_at, m.cost,
  CASE coalesce(t.rank, 0) {names} END AS state, m.run_id, m.message_id, m.parts
FROM journey.message AS m
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
LEFT JOIN (SELECT message_id, max(CASE state {ranks} END) AS rank FROM journey.receipt
  GROUP BY message_id) AS t ON t.message_id = m.message_id
WHERE m.action IS NULL""",
        "calls": f"""
SELECT m.customer_id, {public_id} AS call, v.name AS journey, m.version, s.path AS step,
  substr(m.channel, {len(CALLS) + 1}) AS service, m.action, m.content AS data, m.decided_at,
  m.expires_at, CASE coalesce(t.rank, 0) {names} END AS state, m.run_id, m.message_id
FROM journey.message AS m
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
LEFT JOIN (SELECT message_id, max(CASE state {ranks} END) AS rank FROM journey.receipt
  GROUP BY message_id) AS t ON t.message_id = m.message_id
WHERE m.action IS NOT NULL""",
        "non_sends": """
SELECT d.customer_id, v.name AS journey, s.path AS step, d.at, d.reason, d.figures, d.run_id
FROM journey.decision AS d
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = d.journey
LEFT JOIN journey.step AS s ON s.step = d.step""",
        "exposures": """
SELECT x.customer_id, v.name AS journey, s.path AS experiment, x.arm, x.at, x.run_id, x.salt
FROM journey.exposure AS x
JOIN journey.step AS s ON s.step = x.experiment
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = s.journey""",
        "preferences": """
SELECT p.customer_id, p.name, p.value, p.at, p.source
FROM (SELECT w.*, row_number() OVER (PARTITION BY w.customer_id, w.name
    ORDER BY w.at DESC, w.value) AS place
  FROM (SELECT k.customer_id, 'consent ' || k.consent AS name,
      CASE WHEN k.granted THEN 'yes' ELSE 'no' END AS value, k.at, k.source
    FROM journey.consent_change AS k
    UNION ALL SELECT f.customer_id, f.name, f.value, f.at, 'preferences'
    FROM journey.preference AS f) AS w) AS p WHERE p.place = 1""",
        "tasks": f"""
SELECT f.customer_id, {public_id} AS message, v.name AS journey, s.path AS step, m.channel, f.at,
  f.data, f.event_id
FROM journey.message_event AS f
JOIN journey.message AS m ON m.customer_id = f.customer_id AND m.message_id = f.message_id
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
WHERE f.name = 'replied' AND coalesce(f.received_at, f.at) <= (SELECT max(l.now)
    FROM journey.lock AS l)
  AND NOT EXISTS (SELECT 1 FROM journey.transition AS t WHERE t.customer_id = f.customer_id
    AND t.at = f.at AND t.why IN ({WHY["event"]}, {WHY["entered"]}))
  AND NOT EXISTS (SELECT 1 FROM journey.message_event AS u WHERE u.customer_id = f.customer_id
    AND u.message_id = f.message_id AND u.at = f.at AND u.name = 'unsubscribed')""",
        "history": f"""
SELECT h.customer_id, v.name AS journey, h.at, f.path AS from_step, t.path AS to_step,
  CASE h.why {reasons} END AS why, h.run_id, h.tick
FROM journey.transition AS h
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = h.journey
LEFT JOIN journey.step AS f ON f.step = h.from_step
LEFT JOIN journey.step AS t ON t.step = h.to_step""",
    }


def public_message_id(message: str, step: str) -> str:
    """The message's name outside, and its idempotency key: a hash of (run, step, occurrence).

    The customer is part of it, for run ids are unique per customer only.
    """
    return (
        f"md5({message}.customer_id || ':' || {message}.run_id || ':' || {step}.path || ':'"
        f" || {message}.occurrence)"
    )
