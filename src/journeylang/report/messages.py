"""The messages of journeys that count: those that were not given back."""

from __future__ import annotations

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
