"""How often, when, and for whom never."""

from __future__ import annotations

from dataclasses import field
from datetime import time
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue, SegmentTest
from journeylang.source import Span

Action = Literal["hold", "skip"]
CalendarUnit = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `limit` marketing messages per window, or as many as the customer wishes.

    `channel` None counts every channel; `topic` counts messages about it alone. It binds the
    customers of `segment`, or all. Exactly one of `seconds` (rolling) and `calendar` (of the
    customer's own clock) is set.
    """

    channel: str | None
    limit: int | CustomerValue
    topic: str | None = None
    segment: SegmentTest | None = None
    seconds: int | None = None
    calendar: CalendarUnit | None = None
    action: Action = "hold"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """No message of these channels from `start` until `end`, local; may cross midnight."""

    channels: tuple[str, ...]
    start: time
    end: time
    action: Action = "hold"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `amount` of `currency` for messages by `channel` (None: by any) per window.

    At most one of `seconds` (rolling) and `calendar` (of the project's own clock) is set; with
    neither it is for all time, and then never waited for.
    """

    channel: str | None
    amount: Decimal
    currency: str
    seconds: int | None = None
    calendar: CalendarUnit | None = None
    action: Action = "hold"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """At most `limit` messages by `channel` per window, over all customers."""

    channel: str
    limit: int
    seconds: int | None = None
    calendar: CalendarUnit | None = None
    action: Action = "hold"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The global control group: `share` in basis points (200 = 2 %), never messaged."""

    share: int
    salt: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`service_ignores`: what messages of purpose `service` need not keep (caps, quiet)."""

    name: str
    caps: tuple[Cap, ...] = ()
    quiets: tuple[Quiet, ...] = ()
    budgets: tuple[Budget, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    control: Control | None = None
    service_ignores: tuple[Literal["caps", "quiet"], ...] = ()
    span: Span = field(compare=False, repr=False)
