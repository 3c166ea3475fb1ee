"""What became of messages, per channel: counts, and rates of what was sent."""

from __future__ import annotations

from journeylang.model.journey import Journey
from journeylang.report.source import Source
from journeylang.report.tables import Table, amount, count, share, text
from journeylang.sql.schema import RECEIPT_RANKS

_EVENTS = ("opened", "clicked", "replied", "complained", "unsubscribed")

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
    found = source.query(_statement(source, journey))
    by_channel = [(row[0], dict(zip(_COUNTS, row[1:-1], strict=True)), row[-1]) for row in found]
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


def _statement(source: Source, journey: Journey | None) -> str:
    kind = source.dialect.json_text("f.data", "kind")
    mine = "" if journey is None else f" AND m.journey = {source.number(journey)}"
    ranks = " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in RECEIPT_RANKS.items())
    seen = {name: f"f.name = '{name}'" for name in ("delivered", *_EVENTS)}
    seen |= {
        "hard": f"f.name = 'bounced' AND coalesce({kind}, '') <> 'soft'",
        "soft": f"f.name = 'bounced' AND {kind} = 'soft'",
        "machines": "f.name = 'prefetched'",
    }
    flags = ", ".join(f"bool_or({condition}) AS {name}" for name, condition in seen.items())
    sent = "FILTER (WHERE NOT j.back)"
    counted = {name: f"j.{name}" for name in _EVENTS} | {
        "delivered": f"j.delivered OR j.rank = {RECEIPT_RANKS['delivered']}",
        "hard": f"j.hard OR (j.rank = {RECEIPT_RANKS['bounced']} AND j.soft IS NOT TRUE)",
        "soft": "j.soft",
        "machines": "j.machines",
    }
    counts = {
        name: f"count(*) FILTER (WHERE NOT j.back AND ({condition}))"
        for name, condition in counted.items()
    }
    last = ("complained", "unsubscribed", "machines")
    columns = ("delivered", "opened", "clicked", "replied", "hard", "soft", *last)
    return f"""WITH state AS (
  SELECT t.message_id, max(CASE t.state {ranks} END) AS rank, bool_or(t.given_back) AS back
  FROM journey.receipt AS t GROUP BY t.message_id
), seen AS (
  SELECT f.message_id, {flags} FROM journey.message_event AS f
  WHERE f."at" <= {source.dialect.parameter("now")} GROUP BY f.message_id
), judged AS (
  SELECT m.channel, m.cost, coalesce(t.rank, 0) AS rank, coalesce(t.back, FALSE) AS back,
    {", ".join(f"e.{name}" for name in seen)}
  FROM journey.message AS m LEFT JOIN state AS t ON t.message_id = m.message_id
  LEFT JOIN seen AS e ON e.message_id = m.message_id
  WHERE m.action IS NULL{mine}
)
SELECT j.channel, count(*), count(*) {sent},
  count(*) FILTER (WHERE NOT j.back AND j.rank < {RECEIPT_RANKS["cancelled"]}),
  {", ".join(counts[name] for name in columns)}, sum(j.cost) {sent}
FROM judged AS j GROUP BY j.channel ORDER BY j.channel"""
