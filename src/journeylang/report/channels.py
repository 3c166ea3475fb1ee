"""What became of messages, per channel: counts, and rates of what was sent."""

from __future__ import annotations

from collections import Counter

from journeylang.model.journey import Journey
from journeylang.report.messages import RETURNED, sent
from journeylang.report.source import Source
from journeylang.report.tables import Table, amount, count, share, text
from journeylang.sql.schema import RECEIPT_RANKS

_KINDS = {"bounced": "hard_bounced", "soft": "soft_bounced", "prefetched": "by_machines"}

_COUNTS = (
    *("decided", "sent", "waiting", "delivered", "opened", "clicked", "replied"),
    *("hard_bounced", "soft_bounced", "complained", "unsubscribed", "by_machines"),
)
_RATES = (
    *("delivered", "opened", "clicked", "replied", "hard_bounced", "soft_bounced"),
    *("complained", "unsubscribed"),
)
_TITLES = {
    "hard_bounced": "hard",
    "soft_bounced": "soft",
    "complained": "complaints",
    "unsubscribed": "left",
    "by_machines": "machines",
}

_NOTE = (
    "Sent is what was decided and not given back (no provider had accepted it); rates are of that,"
    " and a message counts once per kind. Waiting is not handed over yet. Hard and soft are"
    " bounces, left are unsubscribed. Machines are openings and clicks by scanners and by mail"
    " privacy, which count as neither. Opened is what loaded an image: programs that load none or"
    " all of them make it too small or too large; clicks are the firmer figure. Columns of zeros"
    " are left out."
)


def channels(source: Source, journey: Journey | None) -> tuple[Table, Table]:
    """Counts and rates; of all journeys together without one."""
    said: dict[str, Counter[str]] = {}
    for channel, kind, messages in source.query(_feedback(source, journey)):
        said.setdefault(channel, Counter())[_KINDS.get(kind, kind)] = messages
    by_channel = []
    for channel, decided, out, waiting, cost in source.query(_counts(source, journey)):
        of = Counter(decided=decided, sent=out, waiting=waiting) + said.get(channel, Counter())
        by_channel.append((channel, of, cost))
    counts = Table(
        name="channels",
        title="messages by channel",
        columns=(
            text("channel"),
            *(count(name, _TITLES.get(name)) for name in _COUNTS),
            amount("cost"),
        ),
        rows=tuple((name, *(of[c] for c in _COUNTS), cost) for name, of, cost in by_channel),
        notes=(_NOTE,),
        terse=True,
    )
    rates = Table(
        name="channel_rates",
        title="rates, of messages sent",
        columns=(text("channel"), *(share(name, _TITLES.get(name)) for name in _RATES)),
        rows=tuple(
            (name, *(of[c] / of["sent"] if of["sent"] else None for c in _RATES))
            for name, of, _ in by_channel
        ),
        terse=True,
    )
    return counts, rates


def _counts(source: Source, journey: Journey | None) -> str:
    """-> (channel, decided, sent, waiting, cost). What waits is in a batch that is not done."""
    mine = "" if journey is None else f" AND m.journey = {source.number(journey)}"
    settled = ", ".join(
        f"'{state}'" for state, rank in RECEIPT_RANKS.items() if rank >= RECEIPT_RANKS["cancelled"]
    )
    return f"""WITH waits AS (
  SELECT m.channel, count(*) AS messages FROM journey.message AS m
  JOIN journey.batch AS h ON h.batch_id = m.batch_id AND NOT h.done
  WHERE m.action IS NULL{mine} AND NOT EXISTS (SELECT 1 FROM journey.receipt AS t
    WHERE t.message_id = m.message_id AND t.customer_id = m.customer_id
      AND (t.given_back OR t.state IN ({settled})))
  GROUP BY m.channel
)
SELECT m.channel, count(*), count(*) FILTER (WHERE b.message_id IS NULL),
  coalesce(max(w.messages), 0), sum(m.cost) FILTER (WHERE b.message_id IS NULL)
FROM journey.message AS m LEFT JOIN {RETURNED} AS b ON b.message_id = m.message_id
LEFT JOIN waits AS w ON w.channel = m.channel
WHERE m.action IS NULL{mine} GROUP BY m.channel ORDER BY m.channel"""


def _feedback(source: Source, journey: Journey | None) -> str:
    """{now} -> (channel, kind of feedback, messages sent of which it is known)."""
    d = source.dialect
    soft = f"f.name = 'bounced' AND {d.json_text('f.data', 'kind')} = 'soft'"
    now = d.parameter("now")
    return f"""WITH told AS (
  SELECT f.message_id, CASE WHEN {soft} THEN 'soft' ELSE f.name END AS kind
  FROM journey.message_event AS f WHERE f."at" <= {now}
  UNION
  SELECT t.message_id, t.state AS kind FROM journey.receipt AS t
  WHERE t.state = 'delivered' OR t.state = 'bounced' AND NOT EXISTS (
    SELECT 1 FROM journey.message_event AS f
    WHERE f.message_id = t.message_id AND f.customer_id = t.customer_id AND f.name = 'bounced')
)
SELECT m.channel, f.kind, count(*) FROM told AS f
JOIN {sent(source, journey)} AS m ON m.message_id = f.message_id
GROUP BY m.channel, f.kind"""
