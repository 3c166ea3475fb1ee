"""The messages of journeys that count: those that were not given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.journey import Journey
from journeylang.report.source import Source

RETURNED = "(SELECT DISTINCT t.message_id FROM journey.receipt AS t WHERE t.given_back)"
"""Messages that no provider has accepted. Joined, and not asked for one by one: there are few."""


def sent(source: Source, journey: Journey | None) -> str:
    """Of a journey, or of all: customer_id, message_id, run_id, channel, decided_at, cost."""
    mine = "" if journey is None else f" AND m.journey = {source.number(journey)}"
    return f"""(SELECT m.customer_id, m.message_id, m.run_id, m.channel, m.decided_at, m.cost
    FROM journey.message AS m LEFT JOIN {RETURNED} AS b ON b.message_id = m.message_id
    WHERE m.action IS NULL AND b.message_id IS NULL{mine})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Messages of a step and a channel on a UTC day; `cost` None where none of them has one.

    `returned`: given back, since no provider had accepted them.
    """

    journey: int
    path: str
    channel: str
    day: date
    returned: bool
    messages: int
    cost: Decimal | None


def decided(source: Source, journey: Journey | None = None) -> Iterator[Decided]:
    """Of all journeys, or of one; the messages are read once for a whole report."""
    found = source.once(f"""WITH k AS (
  SELECT m.journey, m.step, m.channel, CAST(m.decided_at AS DATE) AS day,
    b.message_id IS NOT NULL AS returned, count(*) AS n, sum(m.cost) AS cost
  FROM journey.message AS m LEFT JOIN {RETURNED} AS b ON b.message_id = m.message_id
  WHERE m.action IS NULL
  GROUP BY m.journey, m.step, m.channel, CAST(m.decided_at AS DATE), b.message_id IS NOT NULL
)
SELECT k.journey, s.path, k.channel, k.day, k.returned, k.n, k.cost
FROM k JOIN journey.step AS s ON s.step = k.step ORDER BY 1, 2, 3, 4, 5""")
    number = None if journey is None else source.number(journey)
    for row in found:
        if number is None or row[0] == number:
            of, path, channel, day, returned, messages, cost = row
            yield Decided(
                journey=of,
                path=path,
                channel=channel,
                day=day,
                returned=returned,
                messages=messages,
                cost=cost,
            )
