"""What a dry run's messages cost by day, as pictures and budgets ask for it."""

from __future__ import annotations

from datetime import date

from journeylang.pictures.daily import Sent
from journeylang.simulate.forecast import Forecast


def sent(forecast: Forecast) -> list[Sent]:
    """By day, journey and channel."""
    return [
        Sent(
            day=date.fromisoformat(day.date),
            journey=day.journey,
            channel=day.channel,
            messages=day.messages.value,
            cost=None if day.cost is None else float(day.cost),
        )
        for day in forecast.days
    ]
