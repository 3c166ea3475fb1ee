"""Channels that are paused, and the shares of bounces and complaints that they are judged by."""

from __future__ import annotations

from journeylang.sql.dialects import Dialect, text

OPEN = """SELECT p.channel, p.since, p.cause, p.detail FROM journey.channel_pause AS p
WHERE p.until IS NULL ORDER BY p.channel, p.since"""
"""-> (channel, since, cause, detail) of the channels that are paused."""


def shares(d: Dialect) -> str:
    """{since} -> (channel, messages, hard bounces, complaints) of what was decided since then, and
    since the channel went on last, and has been handed over.

    An address that the provider refuses at once has bounced as well.
    """
    kind = d.json_text("f.data", "kind")
    return f"""WITH handed AS (SELECT m.channel, m.message_id, m.customer_id,
    bool_or(r.state = 'failed') AS refused
  FROM journey.message AS m JOIN journey.receipt AS r ON r.message_id = m.message_id
    AND r.customer_id = m.customer_id
  WHERE m.action IS NULL AND m.decided_at > {d.parameter("since")}
    AND m.decided_at > coalesce((SELECT max(p.until) FROM journey.channel_pause AS p
      WHERE p.channel = m.channel), TIMESTAMP '1970-01-01')
    AND (r.state IN ('accepted', 'delivered', 'bounced')
      OR (r.state = 'failed' AND r.detail LIKE 'invalid_recipient%'))
  GROUP BY m.channel, m.message_id, m.customer_id),
told AS (SELECT f.customer_id, f.message_id, bool_or(f.name = 'complained') AS complained,
    bool_or(f.name = 'bounced' AND {kind} = 'hard') AS bounced
  FROM journey.message_event AS f JOIN handed AS h ON h.message_id = f.message_id
    AND h.customer_id = f.customer_id
  WHERE f.name IN ('complained', 'bounced') GROUP BY f.customer_id, f.message_id)
SELECT h.channel, count(*), count(*) FILTER (WHERE h.refused OR t.bounced),
  count(*) FILTER (WHERE t.complained)
FROM handed AS h LEFT JOIN told AS t ON t.message_id = h.message_id
  AND t.customer_id = h.customer_id
GROUP BY h.channel ORDER BY h.channel"""


def begin(d: Dialect) -> str:
    """{channel, since, cause, detail}: pause a channel, unless it is paused."""
    channel = d.parameter("channel")
    return f"""INSERT INTO journey.channel_pause (channel, since, until, cause, detail)
SELECT {channel}, {d.parameter("since")}, NULL, {d.parameter("cause")}, {d.parameter("detail")}
WHERE NOT EXISTS (SELECT 1 FROM journey.channel_pause AS p
  WHERE p.channel = {channel} AND p.until IS NULL)"""


def end(channel: str) -> str:
    """The channel goes on; what was decided before the latest tick is not judged again."""
    return f"""UPDATE journey.channel_pause
SET until = coalesce((SELECT now FROM journey.lock WHERE name = 'tick'), since)
WHERE channel = {text(channel)} AND until IS NULL"""
