"""What is measured of a journey, and what is wanted of it: targets, guards, a customer's worth."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue
from journeylang.source import Span

Comparing = Literal["<", "<=", ">", ">="]

RATES: dict[str, str] = {
    "open_rate": "opened",
    "click_rate": "clicked",
    "bounce_rate": "bounced",
    "complaint_rate": "complained",
    "unsubscribe_rate": "unsubscribed",
}
"""Rates per sent message, by the event that is counted."""

OF_GOALS = ("conversion", "revenue", "orders", "leads", "roi")
"""Measures of what the journey's first goal brings."""

OF_COHORTS = ("conversion", "roi")
"""Those of them that are shares, of customers whose time to reach the goal is over."""

OF_MESSAGES = (*RATES, "sends", "cost")
"""Measures that may be those of one channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`kpi` and `guard`: a measure and what it has to be.

    `bound` is a fraction for rates (0.001 is 0.1 %), an amount of `currency`, or a count. `over`
    in seconds is the window that it is measured in, None is all time.
    """

    measure: str
    channel: str | None
    operator: Comparing
    bound: Decimal
    currency: str | None
    over: int | None
    by: date | None
    span: Span = field(compare=False, repr=False)

    @property
    def is_floor(self) -> bool:
        """Whether the figure has to be so large, and begins by being too small."""
        return self.operator in (">", ">=")

    def holds(self, figure: Decimal) -> bool:
        """Whether a figure is as it has to be."""
        match self.operator:
            case "<":
                return figure < self.bound
            case "<=":
                return figure <= self.bound
            case ">":
                return figure > self.bound
            case ">=":
                return figure >= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class EventField:
    """A money field of an event's rows."""

    event: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """`value { … }`: what a customer brings in and costs, all in `currency`."""

    revenue: EventField
    goods: EventField | None
    acquisition: CustomerValue | None
    currency: str
    span: Span = field(compare=False, repr=False)


MEASURES: tuple[str, ...] = (
    *(*OF_GOALS, "cost", "sends", "entries"),
    *RATES,
)
COMPARISONS: tuple[str, ...] = get_args(Comparing)
