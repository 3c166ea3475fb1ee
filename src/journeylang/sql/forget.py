"""The statements that take a person out of the runtime's tables, and leave the sums.

Rows that figures are made of stay, under a key that is nobody's, without what was personal in
them. The numbers of runs are hashes with the customer in them: they become others. Rows that no
figure is made of go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journeylang.model.binding import Customers
from journeylang.sql.aside import source_of
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.lists import comparable
from journeylang.sql.schema import ACTIVE, FINAL, GONE, WHY

KEPT: Mapping[str, tuple[str, ...]] = {
    "run": ("entry",),
    "transition": (),
    "message": ("content",),
    "receipt": ("provider_id", "detail"),
    "decision": ("figures",),
    "message_event": ("data",),
    "exposure": (),
    "budget_use": (),
    # Nobody else is to draw the code.
    "promo_code": (),
}
"""Tables whose rows figures are made of, with the columns that may tell of a person."""

NUMBERED = ("run", "transition", "message", "decision", "exposure", "promo_code")
"""Those with numbers of runs."""

DELETED = ("member", "pending_entry", "consent_change", "profile", "preference", "notice")
"""Tables whose rows no figure is made of."""

LISTS = ("list_entry", "prospect")
"""Tables with addresses or keys of people, as `value`."""

OWN = (*KEPT, *DELETED, "suppression")
"""All tables in which a customer is named."""


def rows(key: str) -> str:
    """-> (table, how many rows are the customer's) of those with any; `key` is SQL."""
    return " UNION ALL ".join(
        f"SELECT {text(name)}, count(*) FROM journey.{name} AS t WHERE t.customer_id = {key}"
        " HAVING count(*) > 0"
        for name in OWN
    )


def used(key: str) -> str:
    """-> one row, if anything in the runtime's tables has the key."""
    return " UNION ALL ".join(
        f"SELECT 1 FROM journey.{name} AS t WHERE t.customer_id = {key}" for name in OWN
    )


def _unsent(key: str) -> str:
    """The customer's messages that have not ended, as `m`; behind FROM."""
    ended = ", ".join(text(state) for state in FINAL)
    return f"""journey.message AS m
WHERE m.customer_id = {key} AND NOT EXISTS (SELECT 1 FROM journey.receipt AS r
  WHERE r.message_id = m.message_id AND r.customer_id = {key} AND r.state IN ({ended}))"""


def _batches(key: str) -> str:
    """Those that are not done and have such messages; a condition on `b`."""
    return f"NOT b.done AND b.batch_id IN (SELECT m.batch_id FROM {_unsent(key)})"


def in_hand(key: str) -> str:
    """-> (lease_until) of each batch that is not done and has such messages."""
    return f"SELECT b.lease_until FROM journey.batch AS b WHERE {_batches(key)}"


def forget(key: str, other: str, salt: str, tick: int, d: Dialect) -> Iterator[str]:
    """{now} What is done, in this order: `key` becomes `other`, SQL both.

    `salt` is a chance text that is kept nowhere.
    """
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    active = f"customer_id = {key} AND status = {ACTIVE}"
    # A worker whose lease has run out is not to go on: it finds its token gone, or conflicts.
    yield f"UPDATE journey.batch AS b SET token = token + 1 WHERE {_batches(key)}"
    # What a provider said of messages, before it is forgotten whose they were.
    named = """'"message":"' || r.provider_id || '"'"""
    yield f"""DELETE FROM journey.unclaimed AS u WHERE EXISTS (SELECT 1 FROM journey.receipt AS r
  WHERE r.customer_id = {key} AND strpos(u.line, {named}) > 0)"""
    yield f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick, from_step,
  to_step, why)
SELECT r.customer_id, r.run_id, r.journey, {now}, {tick}, r.step, NULL, {WHY["gone"]}
FROM journey.run AS r WHERE {active}"""
    yield f"""UPDATE journey.run SET status = {GONE}, reason = 'gone', step = NULL,
  wake_at = NULL, arrived_at = {now}, ended_at = {now} WHERE {active}"""
    # What nobody has tried yet has cost nothing.
    yield f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at", provider,
  provider_id, detail, given_back)
SELECT m.customer_id, m.message_id, coalesce((SELECT max(r.attempt) FROM journey.receipt AS r
    WHERE r.message_id = m.message_id), 0) + 1, 'cancelled', {now}, NULL, NULL, NULL,
  NOT EXISTS (SELECT 1 FROM journey.receipt AS r WHERE r.message_id = m.message_id
    AND r.state IN ('submitting', 'unknown'))
FROM {_unsent(key)}"""
    other_run = d.hash60(text(salt), d.as_text("run_id"))
    for name, personal in KEPT.items():
        columns = {"customer_id": other, **dict.fromkeys(personal, "NULL")}
        if name in NUMBERED:
            columns["run_id"] = other_run
        if name == "message_event":
            columns["event_id"] = d.md5(text(salt), "event_id")
        changed = ", ".join(f"{column} = {value}" for column, value in columns.items())
        yield f"UPDATE journey.{name} SET {changed} WHERE customer_id = {key}"
    for name in DELETED:
        yield f"DELETE FROM journey.{name} WHERE customer_id = {key}"
    # An address stays suppressed, as its hash.
    yield f"DELETE FROM journey.suppression WHERE customer_id = {key} AND address_hash IS NULL"
    yield f"UPDATE journey.suppression SET customer_id = NULL WHERE customer_id = {key}"


def unset(bound: Customers, d: Dialect) -> str:
    """{key} The customer's key is no longer among those that several rows have."""
    return (
        f"DELETE FROM journey.set_aside WHERE source = {text(source_of(bound))}"
        f" AND key = {d.parameter('key')}"
    )


def unlist(d: Dialect) -> Iterator[str]:
    """{values} Rows of lists that have one of these: a key, an e-mail address or a number."""
    written = f"(SELECT unnest({d.parameter('values')}::VARCHAR[]) AS value) AS v"
    alike = ("v.value", comparable("v.value", "email", d), comparable("v.value", "phone", d))
    values = " UNION ALL ".join(f"SELECT {one} FROM {written}" for one in alike)
    for name in LISTS:
        yield f"DELETE FROM journey.{name} WHERE value IN ({values})"
