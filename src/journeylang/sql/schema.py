"""The runtime's own tables, in schema `journey` of the user's database.

Two rules shape them. Every table leads with the customer, and every join is by it. And on
DuckDB there is no key and no index on what a tick writes: with them a mass step costs
two to four times as much; uniqueness comes from anti-joins inside the single writer's
transaction.

Instants are UTC TIMESTAMPs. `{key}` is the type of the bound customer key. Small integers
name steps (`step` is their dictionary, unique in the whole project); the views carry the
names.
"""

from __future__ import annotations

from journeylang.sql.dialects import DUCKDB, Dialect

SCHEMA_VERSION = 1

# A bare `at` is a syntax error on DuckDB: quoted wherever no alias stands before it.
AT = '"at"'

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

TABLES = {
    "meta": "name VARCHAR NOT NULL, value VARCHAR NOT NULL",
    "version": (
        "journey INTEGER NOT NULL, name VARCHAR NOT NULL, version INTEGER NOT NULL,"
        " applied_at TIMESTAMP NOT NULL, fingerprint VARCHAR NOT NULL, plan VARCHAR NOT NULL"
    ),
    "step": (
        "step INTEGER NOT NULL, journey INTEGER NOT NULL, path VARCHAR NOT NULL,"
        " kind VARCHAR NOT NULL"
    ),
    "tick": (
        "tick BIGINT NOT NULL, now TIMESTAMP NOT NULL, entered BIGINT NOT NULL,"
        " moved BIGINT NOT NULL, sent BIGINT NOT NULL, skipped BIGINT NOT NULL"
    ),
    "watermark": "name VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL",
    "lock": (
        "name VARCHAR NOT NULL, token BIGINT NOT NULL, previous TIMESTAMP NOT NULL,"
        " now TIMESTAMP NOT NULL, next_batch BIGINT NOT NULL, holder VARCHAR,"
        " lease_until TIMESTAMP"
    ),
    # One row per enrolment. `step` is where the run rests; `wake_at` when time alone moves it.
    "run": (
        "customer_id {key} NOT NULL, run_id BIGINT NOT NULL, journey INTEGER NOT NULL,"
        " version INTEGER NOT NULL, step INTEGER, arrived_at TIMESTAMP NOT NULL,"
        " wake_at TIMESTAMP, entered_at TIMESTAMP NOT NULL, status SMALLINT NOT NULL,"
        " reason VARCHAR, entry VARCHAR, ended_at TIMESTAMP, passes INTEGER NOT NULL"
    ),
    # One row per move of a run, append only; the view over it is `journey.history`.
    "transition": (
        "customer_id {key} NOT NULL, run_id BIGINT NOT NULL, journey INTEGER NOT NULL,"
        " {at} TIMESTAMP NOT NULL, tick BIGINT NOT NULL, from_step INTEGER, to_step INTEGER,"
        " why SMALLINT NOT NULL"
    ),
    # One row per decided message, immutable. `content` is the JSON of `with` values that are
    # not constants, `entry` of the run is joined when it is rendered.
    #
    # Calls outside (`invoke`) stand here too: the same worker claims, lets out and records them.
    # They are told apart by `action`, which no message has. Nothing that counts messages counts
    # them: `counted` is FALSE, and the channel (`invoke loyalty`) is none that a name could be.
    "message": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, batch_id BIGINT NOT NULL,"
        " run_id BIGINT NOT NULL, journey INTEGER NOT NULL, version INTEGER NOT NULL,"
        " step INTEGER NOT NULL, occurrence INTEGER NOT NULL, channel VARCHAR NOT NULL,"
        " counted BOOLEAN NOT NULL, decided_at TIMESTAMP NOT NULL,"
        " expires_at TIMESTAMP NOT NULL, quiet_from TIMESTAMP, quiet_until TIMESTAMP,"
        " cost DECIMAL(18,4), content VARCHAR, topic VARCHAR, action VARCHAR"
    ),
    # Some hundreds of messages: what a delivery worker claims, by lease and fencing token.
    "batch": (
        "batch_id BIGINT NOT NULL, decided_at TIMESTAMP NOT NULL, messages INTEGER NOT NULL,"
        " done BOOLEAN NOT NULL, not_before TIMESTAMP, lease_until TIMESTAMP,"
        " holder VARCHAR, token BIGINT NOT NULL"
    ),
    # One row per change of a message's state, append only; the greatest rank is the state.
    "receipt": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, attempt INTEGER NOT NULL,"
        " state VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL, provider VARCHAR,"
        " provider_id VARCHAR, detail VARCHAR, given_back BOOLEAN NOT NULL"
    ),
    # Non-sends and non-entries, with the figures behind them (JSON).
    "decision": (
        "customer_id {key} NOT NULL, run_id BIGINT NOT NULL, journey INTEGER NOT NULL,"
        " step INTEGER, {at} TIMESTAMP NOT NULL, tick BIGINT NOT NULL, reason VARCHAR NOT NULL,"
        " figures VARCHAR"
    ),
    # What providers say; `received_at` is the clock of whoever took it in.
    "message_event": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, provider VARCHAR NOT NULL,"
        " event_id VARCHAR NOT NULL, name VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL, data VARCHAR,"
        " received_at TIMESTAMP"
    ),
    "exposure": (
        "customer_id {key} NOT NULL, experiment INTEGER NOT NULL, arm VARCHAR NOT NULL,"
        " {at} TIMESTAMP NOT NULL, run_id BIGINT NOT NULL, salt VARCHAR NOT NULL"
    ),
    # The ranges of an adaptive experiment's arms, or of a send's channels, once per UTC day.
    "weight": (
        "experiment INTEGER NOT NULL, salt VARCHAR NOT NULL, day DATE NOT NULL,"
        " arm VARCHAR NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL"
    ),
    # A journey that stands still, by ticks; the last row without `until` holds.
    "pause": (
        "journey INTEGER NOT NULL, since TIMESTAMP NOT NULL, after TIMESTAMP NOT NULL,"
        " until TIMESTAMP, caught_up BOOLEAN NOT NULL, cause VARCHAR NOT NULL,"
        " detail VARCHAR NOT NULL"
    ),
    # What messages have taken from budgets and capacities; a receipt may give it back.
    "budget_use": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, budget VARCHAR NOT NULL,"
        " {at} TIMESTAMP NOT NULL, amount DECIMAL(18,4) NOT NULL"
    ),
    # What the lists of people in the project's files said at the latest apply.
    "list": "path VARCHAR NOT NULL, digest VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL",
    "list_entry": "list VARCHAR NOT NULL, value VARCHAR NOT NULL",
    "prospect": (
        "prospects VARCHAR NOT NULL, value VARCHAR NOT NULL, consent VARCHAR NOT NULL,"
        " {at} TIMESTAMP NOT NULL, granted BOOLEAN NOT NULL, source VARCHAR, expires_at TIMESTAMP"
    ),
    # Who was inside when it was last looked at, per journey that is entered by joining a segment.
    "member": "customer_id {key} NOT NULL, journey INTEGER NOT NULL",
    # What `start` left for a later tick: entries by the name of the journey.
    "pending_entry": (
        "customer_id {key} NOT NULL, journey VARCHAR NOT NULL, entry_key VARCHAR NOT NULL,"
        " {at} TIMESTAMP NOT NULL, entry VARCHAR, run_id BIGINT NOT NULL, step INTEGER NOT NULL"
    ),
    "consent_change": (
        "customer_id {key} NOT NULL, consent VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL,"
        " granted BOOLEAN NOT NULL, source VARCHAR"
    ),
    # One row per customer and name: what `set` wrote last, and by which step. `value` is text.
    "profile": (
        "customer_id {key} NOT NULL, name VARCHAR NOT NULL, value VARCHAR, {at} TIMESTAMP NOT NULL,"
        " journey INTEGER NOT NULL, step INTEGER NOT NULL, run_id BIGINT NOT NULL"
    ),
    # Codes drawn for messages, each of them once.
    "promo_code": (
        "customer_id {key} NOT NULL, promo VARCHAR NOT NULL, code VARCHAR NOT NULL,"
        " run_id BIGINT NOT NULL, journey INTEGER NOT NULL, step INTEGER NOT NULL,"
        " tick BIGINT NOT NULL, {at} TIMESTAMP NOT NULL, expires_at TIMESTAMP"
    ),
    "suppression": (
        "customer_id {key}, channel VARCHAR NOT NULL, address_hash VARCHAR,"
        " {at} TIMESTAMP NOT NULL, reason VARCHAR NOT NULL"
    ),
}

# Columns that tables of an earlier version lack.
_ADDED = (
    ("message", "topic", "VARCHAR"),
    ("message", "action", "VARCHAR"),
    ("lock", "holder", "VARCHAR"),
    ("lock", "lease_until", "TIMESTAMP"),
    ("message_event", "received_at", "TIMESTAMP"),
)


def create_tables(key_type: str, dialect: Dialect = DUCKDB) -> list[str]:
    """Statements that create what is missing; running them again changes nothing."""
    stored = dialect.stored_type
    return [
        dialect.own_schema(),
        *(
            f'CREATE TABLE IF NOT EXISTS journey."{name}"'
            f" ({stored(columns).format(key=key_type, at=AT)})"
            for name, columns in TABLES.items()
        ),
        *(
            f'ALTER TABLE journey."{table}" ADD COLUMN IF NOT EXISTS {column} {stored(kind)}'
            for table, column, kind in _ADDED
        ),
        *dialect.indexes(),
        *views(),
    ]


def views() -> list[str]:
    """The documented, stable views: names instead of numbers."""
    statuses = " ".join(f"WHEN {n} THEN '{name}'" for n, name in STATUS_NAMES.items())
    ranks = " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in RECEIPT_RANKS.items())
    reasons = " ".join(f"WHEN {n} THEN '{name}'" for name, n in WHY.items())
    names = " ".join(f"WHEN {rank} THEN '{state}'" for state, rank in RECEIPT_RANKS.items())
    public_id = public_message_id("m", "s")
    return [
        f"""CREATE OR REPLACE VIEW journey.runs AS
SELECT r.customer_id, r.run_id, v.name AS journey, r.version, s.path AS step, r.arrived_at,
  r.wake_at, r.entered_at, CASE r.status {statuses} END AS status, r.reason, r.ended_at
FROM journey.run AS r
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = r.journey
LEFT JOIN journey.step AS s ON s.step = r.step""",
        f"""CREATE OR REPLACE VIEW journey.messages AS
SELECT m.customer_id, {public_id} AS message, v.name AS journey, m.version, s.path AS step,
  m.channel, m.decided_at, m.expires_at, m.cost,
  CASE coalesce(t.rank, 0) {names} END AS state, m.run_id, m.message_id
FROM journey.message AS m
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
LEFT JOIN (SELECT message_id, max(CASE state {ranks} END) AS rank FROM journey.receipt
  GROUP BY message_id) AS t ON t.message_id = m.message_id
WHERE m.action IS NULL""",
        f"""CREATE OR REPLACE VIEW journey.calls AS
SELECT m.customer_id, {public_id} AS call, v.name AS journey, m.version, s.path AS step,
  substr(m.channel, {len(CALLS) + 1}) AS service, m.action, m.content AS data, m.decided_at,
  m.expires_at, CASE coalesce(t.rank, 0) {names} END AS state, m.run_id, m.message_id
FROM journey.message AS m
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
LEFT JOIN (SELECT message_id, max(CASE state {ranks} END) AS rank FROM journey.receipt
  GROUP BY message_id) AS t ON t.message_id = m.message_id
WHERE m.action IS NOT NULL""",
        """CREATE OR REPLACE VIEW journey.non_sends AS
SELECT d.customer_id, v.name AS journey, s.path AS step, d.at, d.reason, d.figures, d.run_id
FROM journey.decision AS d
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = d.journey
LEFT JOIN journey.step AS s ON s.step = d.step""",
        """CREATE OR REPLACE VIEW journey.exposures AS
SELECT x.customer_id, v.name AS journey, s.path AS experiment, x.arm, x.at, x.run_id, x.salt
FROM journey.exposure AS x
JOIN journey.step AS s ON s.step = x.experiment
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = s.journey""",
        f"""CREATE OR REPLACE VIEW journey.history AS
SELECT h.customer_id, v.name AS journey, h.at, f.path AS from_step, t.path AS to_step,
  CASE h.why {reasons} END AS why, h.run_id, h.tick
FROM journey.transition AS h
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = h.journey
LEFT JOIN journey.step AS f ON f.step = h.from_step
LEFT JOIN journey.step AS t ON t.step = h.to_step""",
    ]


def public_message_id(message: str, step: str) -> str:
    """The message's name outside, and its idempotency key: a hash of (run, step, occurrence).

    The customer is part of it, for run ids are unique per customer only.
    """
    return (
        f"md5({message}.customer_id || ':' || {message}.run_id || ':' || {step}.path || ':'"
        f" || {message}.occurrence)"
    )
