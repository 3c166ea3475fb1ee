"""What became of messages, per channel: counts, and rates of what was sent."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from journeylang.model.journey import Journey
from journeylang.report.messages import RETURNED, decided
from journeylang.report.source import Source
from journeylang.report.tables import Table, amount, count, share, text
from journeylang.sql.schema import RECEIPT_RANKS

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
    for channel, *numbers in source.query(_feedback(source, journey)):
        said[channel] = Counter(dict(zip(_TOLD, map(int, numbers), strict=True)))
    waiting = dict(_waiting(source, journey))
    of_channel: dict[str, Counter[str]] = {}
    costs: dict[str, Decimal] = {}
    for one in decided(source, journey):
        of = of_channel.setdefault(one.channel, Counter())
        of["decided"] += one.messages
        if not one.returned:
            of["sent"] += one.messages
            if one.cost is not None:
                costs[one.channel] = costs.get(one.channel, Decimal(0)) + one.cost
    by_channel = []
    for channel in sorted(of_channel):
        of = of_channel[channel] + said.get(channel, Counter())
        of["waiting"] = waiting.get(channel, 0)
        by_channel.append((channel, of, costs.get(channel)))
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


def _waiting(source: Source, journey: Journey | None) -> list[tuple[Any, ...]]:
    """(channel, messages) of what is not handed over yet: in a batch that is not done."""
    if not source.once("SELECT count(*) FROM journey.batch AS h WHERE NOT h.done")[0][0]:
        return []
    mine = "" if journey is None else f" AND m.journey = {source.number(journey)}"
    settled = ", ".join(
        f"'{state}'" for state, rank in RECEIPT_RANKS.items() if rank >= RECEIPT_RANKS["cancelled"]
    )
    return source.query(f"""SELECT m.channel, count(*) FROM journey.message AS m
JOIN journey.batch AS h ON h.batch_id = m.batch_id AND NOT h.done
WHERE m.action IS NULL{mine} AND NOT EXISTS (SELECT 1 FROM journey.receipt AS t
  WHERE t.message_id = m.message_id AND t.customer_id = m.customer_id
    AND (t.given_back OR t.state IN ({settled})))
GROUP BY m.channel""")


_TOLD = (
    *("delivered", "opened", "clicked", "replied", "hard_bounced", "soft_bounced"),
    *("complained", "unsubscribed", "by_machines"),
)
"""Kinds of feedback, each a bit of what is known of a message."""

_BOUNCED = 1 << len(_TOLD)
"""A bounce of which the receipt alone tells: hard, unless an event says of what kind."""


def _feedback(source: Source, journey: Journey | None) -> str:
    """{now} -> (channel, messages sent of which it is known, per kind).

    What is told of a message is a set, so that a message counts once per kind.
    """
    d = source.dialect
    names = {
        kind: 1 << place
        for place, kind in enumerate(_TOLD)
        if not kind.endswith(("bounced", "machines"))
    }
    hard, soft = (1 << _TOLD.index(kind) for kind in ("hard_bounced", "soft_bounced"))
    names["prefetched"] = 1 << _TOLD.index("by_machines")
    bits = " ".join(f"WHEN '{name}' THEN {bit}" for name, bit in names.items())
    how = f"CASE WHEN {d.json_text('f.data', 'kind')} = 'soft' THEN {soft} ELSE {hard} END"
    counts = []
    for place, kind in enumerate(_TOLD):
        known = f"t.told & {1 << place} <> 0"
        if kind == "hard_bounced":
            known += f" OR t.told & {_BOUNCED} <> 0 AND t.told & {hard | soft} = 0"
        counts.append(f"coalesce(sum(t.n) FILTER (WHERE {known}), 0)")
    mine = "" if journey is None else f" AND m.journey = {source.number(journey)}"
    # Events and receipts are gathered apart: of rows of two tables together PostgreSQL expects two
    # hundred messages, and would look the others up one by one.
    return f"""WITH told AS (
  SELECT f.message_id,
    bit_or(CASE f.name {bits} WHEN 'bounced' THEN {how} ELSE 0 END) AS told
  FROM journey.message_event AS f WHERE f."at" <= {d.parameter("now")} GROUP BY f.message_id
), came AS (
  SELECT t.message_id,
    bit_or(CASE t.state WHEN 'delivered' THEN {names["delivered"]} ELSE {_BOUNCED} END) AS told
  FROM journey.receipt AS t WHERE t.state IN ('delivered', 'bounced') GROUP BY t.message_id
), t AS (
  SELECT m.channel, coalesce(e.told, 0) | coalesce(r.told, 0) AS told, count(*) AS n
  FROM journey.message AS m
  LEFT JOIN told AS e ON e.message_id = m.message_id
  LEFT JOIN came AS r ON r.message_id = m.message_id
  LEFT JOIN {RETURNED} AS b ON b.message_id = m.message_id
  WHERE m.action IS NULL AND b.message_id IS NULL{mine}
  GROUP BY m.channel, coalesce(e.told, 0) | coalesce(r.told, 0)
)
SELECT t.channel, {", ".join(counts)} FROM t GROUP BY t.channel"""
