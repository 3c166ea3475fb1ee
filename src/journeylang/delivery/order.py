"""What one delivery is asked for, and what it tells afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.delivery.channels import Channel
from journeylang.delivery.links import Links
from journeylang.delivery.outcome import Cost, Refused, TryLater
from journeylang.delivery.pages import Style
from journeylang.delivery.scribes import Scribes
from journeylang.delivery.statements import Statements
from journeylang.delivery.writing import Writer
from journeylang.engines.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to deliver, with what, and how far: see `Outbox.deliver`."""

    engine: Engine
    recover: Callable[[], object]
    channels: Mapping[str, Channel]
    statements: Statements
    writer: Writer
    scribes: Scribes
    styles: Mapping[str, Style]
    links: Links
    journeys: Mapping[int, str]
    lease: timedelta
    now: Callable[[], datetime]
    limit: int | None
    until: datetime | None
    paused: AbstractSet[str]
    beside: bool
    progress: Callable[[int], None] | None


@dataclass(slots=True, kw_only=True)
class DeliverySummary:
    """What a delivery did. `waiting` messages stay queued, the first until `next_at`.

    `still`: channels that are paused, and why. `stopped`: channels that nothing goes through, and
    why. `to_pause`: journeys whose templates fail too often or not at all work, and why.
    `problems`: the first few messages that failed, without personal data. `costs`: what providers
    said that messages have cost, by currency.
    """

    accepted: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    put_off: int = 0
    unknown: int = 0
    waiting: int = 0
    next_at: datetime | None = None
    still: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, Refused | TryLater] = field(default_factory=dict)
    to_pause: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    costs: dict[str, Decimal] = field(default_factory=dict)

    def pay(self, cost: Cost | None) -> None:
        """What a provider said that a message has cost."""
        if cost is not None:
            self.costs[cost.currency] = self.costs.get(cost.currency, Decimal(0)) + cost.amount

    @property
    def handled(self) -> int:
        """Messages that something was recorded for."""
        ended = self.accepted + self.failed + self.cancelled + self.expired
        return ended + self.put_off + self.unknown
