"""What was measured for a target, and whether that is as it has to be."""

from __future__ import annotations

from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.measures import OF_COHORTS, RATES, Target

ENOUGH = 200
"""Rates of fewer messages are not judged, nor shares of fewer customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure, how many messages or customers it rests on, and of what it is a share (None: of
    nothing, it is as it is).
    """

    target: Target
    rests: int
    figure: Decimal
    of: Decimal | None = None

    @property
    def value(self) -> Decimal | None:
        """What is held against the bound; None: it is a share of zero."""
        if self.of is None:
            return self.figure
        return self.figure / self.of if self.of else None

    @property
    def holds(self) -> bool | None:
        """None: it rests on too little to be judged."""
        value = self.value
        if value is None or (self.unit and self.rests < ENOUGH):
            return None
        return self.target.holds(value)

    @property
    def unit(self) -> str:
        """What a share rests on; empty for sums."""
        if self.target.measure in RATES:
            return "messages"
        return "customers" if self.target.measure in OF_COHORTS else ""

    @property
    def told(self) -> str:
        """The figure, as pauses and the status show it."""
        if self.target.measure == "roi" and self.value is not None:
            return f"{self.value:.4f}"
        if self.unit:
            return f"{self.figure:f} of {self.rests:,} {self.unit}"
        return f"{self.figure.normalize():f}"


def of_messages(target: Target, messages: int, figure: Decimal) -> Reading:
    """Of a measure of messages: a rate is a share of them."""
    of = Decimal(messages) if target.measure in RATES else None
    return Reading(target=target, rests=messages, figure=figure, of=of)
