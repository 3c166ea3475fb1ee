"""The outbox's statements. Each is one SQL text; parameters are named in its docstring.

A message's state is told by its receipts. Those that end it (accepted, failed, cancelled,
expired, …) end it for ever; else the last attempt's greatest rank counts:

    (none)       queued
    submitting   in flight, or in doubt if who sent it is gone
    retry        certainly not taken; again after a pause
    unknown      in doubt

They hold for several workers at once: a batch is claimed by changing its token, `submitting`
is written only under a live lease with the token of the claim, and only where the slot
(message, attempt) is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

from journeylang.classes import dataclass
from journeylang.delivery.permission import Permission, some_customers
from journeylang.model.project import Project
from journeylang.model.walk import customer_fields, walk
from journeylang.plan.operations import Program
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.expressions import Rows, Scope, value
from journeylang.sql.gone import COUNTS, HELD
from journeylang.sql.profile import stored_value
from journeylang.sql.relations import customer_column
from journeylang.sql.schema import FINAL, RECEIPT_RANKS, public_message_id

FREE = 500
"""So many free batches are looked at together."""

FIRST_PAUSE = 60
LONGEST_PAUSE = 3600
"""Seconds before a message is tried again: doubled with each attempt, up to the longest."""


def pause(attempt: int) -> int:
    """Seconds to wait after attempt number `attempt` (from 1) was put off."""
    return min(FIRST_PAUSE << min(max(attempt, 1) - 1, 10), LONGEST_PAUSE)


class OpenMessage(NamedTuple):
    """A row of `Statements.open_messages`; `attempt` and what follows tell of the last attempt."""

    message: int
    batch: int
    journey: int
    step: int
    channel: str
    quiet_from: datetime | None
    quiet_until: datetime | None
    expires_at: datetime
    attempt: int
    state: str | None
    doubts: int
    last_at: datetime | None

    def waits_until(self, now: datetime) -> datetime:
        """The end of the quiet window, or of the pause since the last attempt, or `now`."""
        if (
            self.quiet_from is not None
            and self.quiet_until is not None
            and self.quiet_from <= now < self.quiet_until
        ):
            return self.quiet_until
        if self.state in {"retry", "unknown"} and self.last_at is not None:
            return self.last_at + timedelta(seconds=pause(self.attempt))
        return now


@dataclass(frozen=True, kw_only=True, eq=False)
class Statements:
    """All statements for one program on one engine.

    `exclusive`: the database has one process at a time, so that another holder's lease is
    that of a process that is gone.
    """

    project: Project
    program: Program
    dialect: Dialect
    exclusive: bool

    def p(self, name: str) -> str:
        return self.dialect.parameter(name)

    @cached_property
    def free(self) -> str:
        """{now, holder} -> (batch_id, token, messages): batches to be claimed, oldest first.

        None while the customers are rather being loaded, as the latest tick has found: whoever is
        missing would have theirs cancelled.
        """
        return f"""SELECT b.batch_id, b.token, b.messages FROM journey.batch AS b
WHERE NOT b.done AND (b.not_before IS NULL OR b.not_before <= {self.p("now")})
  AND ({self._unheld("b")})
  AND NOT EXISTS (SELECT 1 FROM journey.meta AS k
    WHERE k.name = {text(COUNTS)} AND k.value LIKE {text(f"{HELD}%")})
ORDER BY b.batch_id LIMIT {FREE}"""

    def _unheld(self, batch: str) -> str:
        """{now, holder} Whether nobody has a lease of the batch that still runs."""
        unheld = f"{batch}.lease_until IS NULL OR {batch}.lease_until <= {self.p('now')}"
        if self.exclusive:
            unheld += f" OR {batch}.holder <> {self.p('holder')}"
        return unheld

    @cached_property
    def claim(self) -> str:
        """{now, lease_until, holder, batches, tokens} -> (batch_id, new token).

        Of two workers that have seen the same token only one finds it still there; and whoever
        had it may have renewed the lease meanwhile.
        """
        return f"""UPDATE journey.batch SET holder = {self.p("holder")},
  token = journey.batch.token + 1, lease_until = {self.p("lease_until")}
FROM (SELECT unnest({self.p("batches")}::BIGINT[]) AS batch_id,
  unnest({self.p("tokens")}::BIGINT[]) AS token) AS l
WHERE l.batch_id = journey.batch.batch_id AND l.token = journey.batch.token
  AND ({self._unheld("journey.batch")})
RETURNING journey.batch.batch_id, journey.batch.token"""

    def doubt(self, channels: Iterable[str], *, aged: bool = False) -> str:
        """{now, batches}: `unknown` for what a lost worker may have handed over.

        For the channels whose provider knows no idempotency key; at the others the message
        is just sent again. `aged`: only what was handed over before {before}, for the channels
        whose provider forgets its keys.
        """
        old = f"\n  AND p.last_at < {self.p('before')}" if aged else ""
        names = ", ".join(text(name) for name in channels)
        return f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",
  provider, provider_id, detail, given_back)
SELECT m.customer_id, m.message_id, p.attempt, 'unknown', {self.p("now")}, p.provider, NULL,
  'the sender ended before the answer was recorded', FALSE
FROM journey.message AS m JOIN {self._progress()} AS p ON p.message_id = m.message_id
WHERE m.batch_id IN (SELECT unnest({self.p("batches")}::BIGINT[])) AND m.channel IN ({names})
  AND NOT p.ended AND p.state = 'submitting'{old}"""

    @cached_property
    def open_messages(self) -> str:
        """{batches} -> `OpenMessage` rows of what has not ended yet, the oldest first."""
        return f"""SELECT m.message_id, m.batch_id, m.journey, m.step, m.channel, m.quiet_from,
  m.quiet_until, m.expires_at, coalesce(p.attempt, 0), p.state, coalesce(p.doubts, 0), p.last_at
FROM journey.message AS m LEFT JOIN {self._progress()} AS p ON p.message_id = m.message_id
WHERE m.batch_id IN (SELECT unnest({self.p("batches")}::BIGINT[]))
  AND NOT coalesce(p.ended, FALSE)
ORDER BY m.message_id"""

    @cached_property
    def new_messages(self) -> str:
        """{batches} -> the same of batches that nobody has worked on before."""
        return f"""SELECT m.message_id, m.batch_id, m.journey, m.step, m.channel, m.quiet_from,
  m.quiet_until, m.expires_at, 0, NULL, 0, NULL
FROM journey.message AS m WHERE m.batch_id IN (SELECT unnest({self.p("batches")}::BIGINT[]))
ORDER BY m.message_id"""

    def _progress(self) -> str:
        """How far each message of the batches has come."""
        ended = ", ".join(text(state) for state in FINAL)
        ranks = " ".join(f"WHEN {text(s)} THEN {rank}" for s, rank in RECEIPT_RANKS.items())
        order = ("r.attempt", f"CASE r.state {ranks} END")
        newest = self.dialect.newest
        return f"""(SELECT r.message_id, max(r.attempt) AS attempt,
    {newest("r.state", *order)} AS state, {newest("r.at", *order)} AS last_at,
    {newest("r.provider", *order)} AS provider,
    count(*) FILTER (WHERE r.state = 'unknown') AS doubts,
    coalesce(bool_or(r.state IN ({ended})), FALSE) AS ended
  FROM journey.receipt AS r
  WHERE r.message_id IN (SELECT b.message_id FROM journey.message AS b
    WHERE b.batch_id IN (SELECT unnest({self.p("batches")}::BIGINT[])))
  GROUP BY r.message_id)"""

    @lru_cache(maxsize=256)  # noqa: B019 - it lives as long as its program
    def contents(self, channel: str, fields: tuple[str, ...], profile: tuple[str, ...] = ()) -> str:
        """{ids} -> (message_id, public id, known, address, zone, locale, entered_at, entry,
        content, then the customer's `fields` and `profile` values), for messages of one channel.

        The only statement that reads addresses.
        """
        scope = Scope(
            project=self.project,
            dialect=self.dialect,
            steps={},
            rows=Rows(name="i", alias="i"),
        )
        bound = self.project.binding.channels[channel].address
        address = value(bound, scope)
        asked = "".join(f", c.{quote(customer_column(name))}" for name in fields)
        types = self.project.profile
        asked += "".join(
            f", {self.dialect.cast(stored_value(name, 'i.customer_id'), types[name])}"
            for name in profile
        )
        needed = (*fields, *customer_fields(walk(bound)))
        base = some_customers(self.project.binding, needed, self.dialect)
        ids = f"SELECT unnest({self.p('ids')}::BIGINT[])"
        return f"""WITH i AS (SELECT m.* FROM journey.message AS m WHERE m.message_id IN ({ids})),
c AS (SELECT * FROM {base} AS c WHERE c.customer_id IN (SELECT customer_id FROM i))
SELECT i.message_id, {public_message_id("i", "s")}, c.customer_id IS NOT NULL,
  {self.dialect.as_text(address)}, c."_zone", c."_locale", r.entered_at, r.entry, i.content{asked}
FROM i JOIN journey.step AS s ON s.step = i.step
LEFT JOIN c ON c.customer_id = i.customer_id
LEFT JOIN journey.run AS r ON r.customer_id = i.customer_id AND r.run_id = i.run_id"""

    @cached_property
    def calls(self) -> str:
        """{ids} -> (message_id, public id, known, customer, action, content) of calls."""
        base = some_customers(self.project.binding, (), self.dialect)
        ids = f"SELECT unnest({self.p('ids')}::BIGINT[])"
        return f"""WITH i AS (SELECT m.* FROM journey.message AS m WHERE m.message_id IN ({ids})),
c AS (SELECT * FROM {base} AS c WHERE c.customer_id IN (SELECT customer_id FROM i))
SELECT i.message_id, {public_message_id("i", "s")}, c.customer_id IS NOT NULL,
  {self.dialect.as_text("i.customer_id")}, i.action, i.content
FROM i JOIN journey.step AS s ON s.step = i.step
LEFT JOIN c ON c.customer_id = i.customer_id"""

    @lru_cache(maxsize=64)  # noqa: B019 - it lives as long as its program
    def slots(self, channel: str) -> str:
        """{now, ids, names, attempts, hashes, doubts, provider, batches, tokens}
        -> (message_id, state, detail): who may go out over the channel now.

        The one statement that lets a message out: it writes `submitting`, or `expired` or
        `cancelled` with the reason, into the slot (message, attempt). What has a slot or has
        ended meanwhile, or whose lease is lost, is left out. Until it is committed nobody else
        claims the batches: they would not see the slots.
        """
        ended = ", ".join(text(state) for state in FINAL)
        now = self.p("now")
        permission = Permission(
            project=self.project, program=self.program, dialect=self.dialect, channel=channel
        )
        ctes = [
            f"""g AS (SELECT unnest({self.p("ids")}::BIGINT[]) AS message_id,
  unnest({self.p("names")}::VARCHAR[]) AS name,
  unnest({self.p("attempts")}::INTEGER[]) AS attempt,
  unnest({self.p("hashes")}::VARCHAR[]) AS address_hash,
  unnest({self.p("doubts")}::INTEGER[]) AS doubts)""",
            f"""held AS (SELECT b.batch_id FROM journey.batch AS b
  JOIN (SELECT unnest({self.p("batches")}::BIGINT[]) AS batch_id,
    unnest({self.p("tokens")}::BIGINT[]) AS token) AS l
    ON l.batch_id = b.batch_id AND l.token = b.token
  WHERE b.lease_until > {now}{self.dialect.held("b")})""",
            f"""i AS (SELECT m.customer_id, m.message_id, m.run_id, m.journey, m.step, m.decided_at,
    m.expires_at, g.name, g.attempt, g.address_hash, g.doubts
  FROM g JOIN journey.message AS m ON m.message_id = g.message_id
  WHERE m.batch_id IN (SELECT batch_id FROM held)
    AND m.message_id NOT IN (SELECT x.message_id FROM journey.receipt AS x
      JOIN g ON g.message_id = x.message_id
      WHERE x.state IN ({ended}) OR (x.state = 'submitting' AND x.attempt = g.attempt)))""",
            *permission.ctes(),
            f"""j AS (SELECT i.*, {permission.reason()} AS reason
  FROM i{permission.joins()})""",
        ]
        expired = f"j.expires_at <= {now}"
        return f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",
  provider, provider_id, detail, given_back)
WITH {("," + chr(10)).join(ctes)}
SELECT j.customer_id, j.message_id, j.attempt,
  CASE WHEN {expired} THEN 'expired' WHEN j.reason IS NOT NULL THEN 'cancelled'
    ELSE 'submitting' END,
  {now}, {self.p("provider")}, j.name, CASE WHEN {expired} THEN NULL ELSE j.reason END,
  ({expired} OR j.reason IS NOT NULL) AND j.doubts = 0
FROM j
RETURNING message_id, state, detail"""

    @cached_property
    def receipts_once(self) -> str:
        """The same, of which nobody knows whether it has been done already."""
        return f"""{self.receipts}
WHERE NOT EXISTS (SELECT 1 FROM journey.receipt AS x WHERE x.message_id = a.message_id
  AND x.attempt = a.attempt AND x.state = a.state)"""

    @cached_property
    def receipts(self) -> str:
        """{now, ids, attempts, states, provider, provider_ids, details, given_back}."""
        return f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",
  provider, provider_id, detail, given_back)
SELECT m.customer_id, m.message_id, a.attempt, a.state, {self.p("now")}, {self.p("provider")},
  a.provider_id, a.detail, a.given_back
FROM (SELECT unnest({self.p("ids")}::BIGINT[]) AS message_id,
  unnest({self.p("attempts")}::INTEGER[]) AS attempt,
  unnest({self.p("states")}::VARCHAR[]) AS state,
  unnest({self.p("provider_ids")}::VARCHAR[]) AS provider_id,
  unnest({self.p("details")}::VARCHAR[]) AS detail,
  unnest({self.p("given_back")}::BOOLEAN[]) AS given_back) AS a
JOIN journey.message AS m ON m.message_id = a.message_id"""

    @cached_property
    def suppress(self) -> str:
        """{now, ids, hashes, reasons}: addresses that do not exist, or whose owners objected at
        the provider, are not written to again."""
        return f"""INSERT INTO journey.suppression (customer_id, channel, address_hash,
  "at", reason)
SELECT m.customer_id, m.channel, a.address_hash, {self.p("now")}, a.reason
FROM (SELECT unnest({self.p("ids")}::BIGINT[]) AS message_id,
  unnest({self.p("hashes")}::VARCHAR[]) AS address_hash,
  unnest({self.p("reasons")}::VARCHAR[]) AS reason) AS a
JOIN journey.message AS m ON m.message_id = a.message_id"""

    @cached_property
    def suppress_too(self) -> str:
        """{now, ids, hashes}: whoever shares a suppressed address is suppressed by it.

        A tick asks the customer and never reads an address; from now on it knows.
        """
        return f"""INSERT INTO journey.suppression (customer_id, channel, address_hash,
  "at", reason)
SELECT DISTINCT m.customer_id, m.channel, a.address_hash, {self.p("now")}, s.reason
FROM (SELECT unnest({self.p("ids")}::BIGINT[]) AS message_id,
  unnest({self.p("hashes")}::VARCHAR[]) AS address_hash) AS a
JOIN journey.message AS m ON m.message_id = a.message_id
JOIN journey.suppression AS s ON s.channel = m.channel AND s.address_hash = a.address_hash
WHERE NOT EXISTS (SELECT 1 FROM journey.suppression AS k WHERE k.customer_id = m.customer_id
  AND k.channel = m.channel AND k.reason = s.reason)"""

    @cached_property
    def renew(self) -> str:
        """{lease_until, batches, tokens}: still at work on them."""
        return f"""UPDATE journey.batch SET lease_until = {self.p("lease_until")}
FROM (SELECT unnest({self.p("batches")}::BIGINT[]) AS batch_id,
  unnest({self.p("tokens")}::BIGINT[]) AS token) AS l
WHERE l.batch_id = journey.batch.batch_id AND l.token = journey.batch.token"""

    @cached_property
    def release(self) -> str:
        """{batches, tokens, done, not_before}: give batches back, if they are still held."""
        return f"""UPDATE journey.batch SET done = l.done, not_before = l.not_before,
  lease_until = NULL, holder = NULL
FROM (SELECT unnest({self.p("batches")}::BIGINT[]) AS batch_id,
  unnest({self.p("tokens")}::BIGINT[]) AS token, unnest({self.p("done")}::BOOLEAN[]) AS done,
  unnest({self.p("not_before")}::TIMESTAMP[]) AS not_before) AS l
WHERE l.batch_id = journey.batch.batch_id AND l.token = journey.batch.token"""

    @cached_property
    def warmth(self) -> str:
        """{channel, today} -> (days before today on which the channel had messages accepted,
        messages accepted or in doubt today)."""
        return f"""SELECT count(DISTINCT CAST(r."at" AS DATE)) FILTER (
    WHERE r."at" < {self.p("today")} AND r.state = 'accepted'),
  count(*) FILTER (WHERE r."at" >= {self.p("today")})
FROM journey.receipt AS r JOIN journey.message AS m ON m.message_id = r.message_id
WHERE m.channel = {self.p("channel")} AND r.state IN ('accepted', 'unknown')"""

    @cached_property
    def failures(self) -> str:
        """{since, journey} -> (messages whose template failed, messages tried), not older than
        the journey's newest version."""
        return f"""SELECT count(*) FILTER (WHERE r.state = 'failed' AND r.detail LIKE 'template %'),
  count(DISTINCT r.message_id)
FROM journey.receipt AS r JOIN journey.message AS m ON m.message_id = r.message_id
WHERE m.journey = {self.p("journey")} AND m.action IS NULL AND r.at > {self.p("since")}
  AND r.at >= (SELECT max(v.applied_at) FROM journey.version AS v
    WHERE v.journey = {self.p("journey")})
  AND r.at > coalesce((SELECT max(p.until) FROM journey.pause AS p
    WHERE p.journey = {self.p("journey")}), TIMESTAMP '1970-01-01')
  AND r.state IN ('failed', 'accepted', 'retry', 'unknown')"""


def doubtful_messages() -> str:
    """-> (public id, journey, step, channel, since, detail) of every message in doubt."""
    ended = ", ".join(text(state) for state in FINAL)
    return f"""SELECT {public_message_id("m", "s")}, v.name, s.path, m.channel, t.last_at, t.detail
FROM (SELECT r.message_id, max(r.at) AS last_at,
    max(r.detail) FILTER (WHERE r.state = 'unknown') AS detail
  FROM journey.receipt AS r GROUP BY r.message_id
  HAVING NOT bool_or(r.state IN ({ended})) AND (bool_or(r.state = 'unknown')
    OR max(r.attempt) FILTER (WHERE r.state = 'submitting')
      > coalesce(max(r.attempt) FILTER (WHERE r.state = 'retry'), 0))) AS t
JOIN journey.message AS m ON m.message_id = t.message_id
JOIN journey.step AS s ON s.step = m.step
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = m.journey
ORDER BY t.last_at, m.message_id"""
