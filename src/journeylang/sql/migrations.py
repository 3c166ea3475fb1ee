"""How the runtime's own tables came to be, step by step: numbered, and forward only.

A database holds the numbers of the migrations that it has been through (`journey.migration`).
A fresh one goes through all of them, so that there is one way to the tables of today, and each
upgrade has been walked before. A migration that has landed is never changed: what is to be
otherwise is the next one.

Instants are UTC TIMESTAMPs. `{key}` is the type of the bound customer key, `{at}` the name of the
column `at`, quoted. Types are DuckDB's; the dialect spells them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.sql.dialects import DUCKDB, Dialect
from journeylang.sql.schema import views

# A bare `at` is a syntax error on DuckDB: quoted wherever no alias stands before it.
AT = '"at"'


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTable:
    """A table, and its columns as SQL has them."""

    name: str
    columns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColumn:
    """A column behind the others of a table; without a default it may be NULL."""

    table: str
    column: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A statement that both databases understand, for what rows there are; it adds no column."""

    statement: str


Change = NewTable | NewColumn | Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Changes that are made in one transaction."""

    number: int
    name: str
    changes: tuple[Change, ...]


# Two rules shape the tables. Every one leads with the customer, and every join is by it. And on
# DuckDB there is no key and no index on what a tick writes: with them a mass step costs two to
# four times as much; uniqueness comes from anti-joins inside the single writer's transaction.
#
# Small integers name steps (`step` is their dictionary, unique in the whole project); the views
# carry the names.
FIRST = {
    "migration": ("number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL"),
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
        " now TIMESTAMP NOT NULL, next_batch BIGINT NOT NULL"
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
    "message": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, batch_id BIGINT NOT NULL,"
        " run_id BIGINT NOT NULL, journey INTEGER NOT NULL, version INTEGER NOT NULL,"
        " step INTEGER NOT NULL, occurrence INTEGER NOT NULL, channel VARCHAR NOT NULL,"
        " counted BOOLEAN NOT NULL, decided_at TIMESTAMP NOT NULL,"
        " expires_at TIMESTAMP NOT NULL, quiet_from TIMESTAMP, quiet_until TIMESTAMP,"
        " cost DECIMAL(18,4), content VARCHAR"
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
    # What providers say.
    "message_event": (
        "customer_id {key} NOT NULL, message_id BIGINT NOT NULL, provider VARCHAR NOT NULL,"
        " event_id VARCHAR NOT NULL, name VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL, data VARCHAR"
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

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        number=1,
        name="the first tables",
        changes=tuple(NewTable(name=name, columns=columns) for name, columns in FIRST.items()),
    ),
    Migration(
        number=2,
        name="topics, calls outside, the lease, and when feedback was taken in",
        changes=(
            NewColumn(table="message", column="topic", kind="VARCHAR"),
            # Calls outside (`invoke`) stand among the messages: the same worker claims, lets out
            # and records them. They are told apart by `action`, which no message has. Nothing that
            # counts messages counts them: `counted` is FALSE, and the channel (`invoke loyalty`)
            # is none that a name could be.
            NewColumn(table="message", column="action", kind="VARCHAR"),
            NewColumn(table="lock", column="holder", kind="VARCHAR"),
            NewColumn(table="lock", column="lease_until", kind="TIMESTAMP"),
            # The clock of whoever took it in.
            NewColumn(table="message_event", column="received_at", kind="TIMESTAMP"),
        ),
    ),
    Migration(
        number=3,
        name="rows that are set aside for their keys",
        changes=(
            # One row per key that several rows have, as text; without a key, one for all such rows
            # of the table, or for all of those that are too many (`stops`).
            NewTable(
                name="set_aside",
                columns=(
                    "source VARCHAR NOT NULL, key VARCHAR, reason VARCHAR NOT NULL,"
                    " rows BIGINT NOT NULL, stops BOOLEAN NOT NULL"
                ),
            ),
        ),
    ),
    Migration(
        number=4,
        name="what was applied",
        changes=(
            # An apply: the digests of the project's texts by path, and its journeys' versions.
            NewTable(
                name="revision",
                columns="revision INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL,"
                " digest VARCHAR NOT NULL, files VARCHAR NOT NULL, versions VARCHAR NOT NULL",
            ),
            NewTable(name="source", columns="digest VARCHAR NOT NULL, content VARCHAR NOT NULL"),
        ),
    ),
    Migration(
        number=5,
        name="several versions side by side",
        changes=(
            # The version whose people rest there; none for the one that is entered now.
            NewColumn(table="step", column="version", kind="INTEGER"),
        ),
    ),
    Migration(
        number=6,
        name="what people wish for, sums of opens and clicks, feedback of what is not known yet",
        changes=(
            # The newest of a name counts.
            NewTable(
                name="preference",
                columns="customer_id {key} NOT NULL, name VARCHAR NOT NULL,"
                " value VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL",
            ),
            # Opens and clicks of those who are not to be told apart; rows of one day add up.
            NewTable(
                name="tracking_sum",
                columns="step INTEGER NOT NULL, channel VARCHAR NOT NULL, day DATE NOT NULL,"
                " name VARCHAR NOT NULL, number BIGINT NOT NULL",
            ),
            # What a provider says of messages that are not known by the provider's name yet.
            NewTable(
                name="unclaimed",
                columns="provider VARCHAR NOT NULL, event_id VARCHAR NOT NULL,"
                " received_at TIMESTAMP NOT NULL, line VARCHAR NOT NULL",
            ),
        ),
    ),
    Migration(
        number=7,
        name="steps that somebody may come to again",
        changes=(
            # Since which apply: those who have been there are let pass.
            NewColumn(table="step", column="again", kind="TIMESTAMP"),
        ),
    ),
    Migration(
        number=8,
        name="channels that are paused, and what a service outside is told",
        changes=(
            NewTable(
                name="channel_pause",
                columns="channel VARCHAR NOT NULL, since TIMESTAMP NOT NULL, until TIMESTAMP,"
                " cause VARCHAR NOT NULL, detail VARCHAR NOT NULL",
            ),
            # What somebody has chosen: `open` until it is `accepted`, or has `failed`.
            NewTable(
                name="notice",
                columns="notice_id VARCHAR NOT NULL, customer_id {key} NOT NULL,"
                " service VARCHAR NOT NULL, data VARCHAR NOT NULL, {at} TIMESTAMP NOT NULL,"
                " attempt INTEGER NOT NULL, state VARCHAR NOT NULL, not_before TIMESTAMP NOT NULL,"
                " detail VARCHAR",
            ),
        ),
    ),
    Migration(
        number=9,
        name="text messages of several parts",
        changes=(
            # Known when the message is written; none: one. `cost` and `budget_use` follow it.
            NewColumn(table="message", column="parts", kind="INTEGER"),
        ),
    ),
)

LATEST = MIGRATIONS[-1].number


def statements(migration: Migration, key_type: str, dialect: Dialect) -> Iterator[str]:
    """The statements of a migration.

    Tables and columns that are there already stay as they are: databases from before there were
    numbers have some of them.
    """
    for change in migration.changes:
        match change:
            case NewTable():
                columns = dialect.stored_type(change.columns).format(key=key_type, at=AT)
                yield f'CREATE TABLE IF NOT EXISTS journey."{change.name}" ({columns})'
            case NewColumn():
                kind = dialect.stored_type(change.kind).format(key=key_type)
                yield (
                    f'ALTER TABLE journey."{change.table}"'
                    f" ADD COLUMN IF NOT EXISTS {change.column} {kind}"
                )
            case Run():
                yield change.statement
            case _:
                assert_never(change)


def create_tables(key_type: str, dialect: Dialect = DUCKDB) -> list[str]:
    """Everything that a fresh database goes through, without the record of it."""
    return [
        dialect.own_schema(),
        *(line for one in MIGRATIONS for line in statements(one, key_type, dialect)),
        *dialect.indexes(),
        *(f"CREATE OR REPLACE VIEW journey.{name} AS{query}" for name, query in views().items()),
    ]


def _tables() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for migration in MIGRATIONS:
        for change in migration.changes:
            match change:
                case NewTable():
                    found[change.name] = change.columns
                case NewColumn():
                    found[change.table] += f", {change.column} {change.kind}"
                case Run():
                    pass
                case _:
                    assert_never(change)
    return found


TABLES = _tables()
"""The tables as they are today, with their columns."""
