"""What the oracle knows: the user's tables, and what became of everybody so far.

Instants are naive datetimes in UTC. Money is a Decimal, a duration a timedelta, an unknown
value None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from journeylang.model.journey import Journey

Record = dict[str, Any]
"""A row of a table: values by column."""

Status = Literal["active", "finished", "exited", "gone", "held_out", "global_control"]


@dataclass(slots=True, kw_only=True)
class Tables:
    """All that a tick reads besides what it remembers itself.

    `rows` are the user's tables by name ("crm.customers"). The rest is what happens around
    messages: `feedback` rows have run_id, step, name, event_id, at and data (a mapping);
    `consent_changes` have customer_id, consent, at, granted; `suppressed` are customer,
    channel and reason; `given_back` are run_id, step and instant of those whose message no provider
    ever accepted; `parts` tells by the same in how many parts messages went, other than one.
    """

    rows: dict[str, list[Record]] = field(default_factory=dict)
    feedback: list[Record] = field(default_factory=list)
    consent_changes: list[Record] = field(default_factory=list)
    suppressed: set[tuple[Any, str, str]] = field(default_factory=set)
    given_back: set[tuple[int, str, datetime]] = field(default_factory=set)
    parts: dict[tuple[int, str, datetime], int] = field(default_factory=dict)

    def cost(self, message: Message) -> Decimal | None:
        """Of all parts in which it has gone out; as long as it has not, of one."""
        parts = self.parts.get((message.run_id, message.step, message.decided_at), 1)
        return None if message.cost is None else message.cost * parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    key: Any
    zone: str
    locale: str
    prefers: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A row of an event; `message` is the one that a built-in event is about."""

    key: Any
    at: datetime
    fields: Mapping[str, Any]
    message: Message | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """One enrolment. `step` is where it rests; `reason` says why it is held, or how it ended.

    `pinned` is the version on which it finishes, with all that is asked there; None: the newest.
    """

    journey: str
    customer: Any
    run_id: int
    entered_at: datetime
    arrived_at: datetime
    entry: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "active"
    step: str | None = None
    wake_at: datetime | None = None
    reason: str | None = None
    passes: dict[str, int] = field(default_factory=dict)
    pinned: Journey | None = None

    @property
    def occurrence(self) -> int:
        """Tells the passes of the loops that the run is in apart; without one it is 1."""
        number = 0
        for count in self.passes.values():
            number = number * 1000 + count
        return number or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`quiet`: the next quiet time, in which a message that is still about does not leave.

    `version` is the one on which people finish that it belongs to; None: the newest.
    """

    journey: str
    version: Journey | None
    customer: Any
    run_id: int
    step: str
    occurrence: int
    channel: str
    counted: bool
    decided_at: datetime
    expires_at: datetime
    quiet: tuple[datetime, datetime] | None
    cost: Decimal | None
    topic: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call outside; of lists `data` has the values that are known."""

    journey: str
    customer: Any
    run_id: int
    step: str
    occurrence: int
    service: str
    action: str
    decided_at: datetime
    expires_at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Pause:
    """A journey stands still `since` a tick, behind the last one that moved it (`after`).

    `awake`: its runs have been looked at again behind `until`.
    """

    journey: str
    since: datetime
    after: datetime
    cause: str
    until: datetime | None = None
    awake: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a message took from a budget or a capacity."""

    ledger: tuple[str, ...]
    amount: Decimal
    at: datetime
    run_id: int
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A non-send, or without a step a non-entry."""

    journey: str
    customer: Any
    run_id: int
    step: str | None
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An entry that a `start` left behind."""

    journey: str
    customer: Any
    key: str
    at: datetime
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """First time at an experiment under a salt, or first entry into a journey with a hold-out."""

    journey: str
    experiment: str
    salt: str
    customer: Any
    arm: str
    at: datetime
    run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A value that a run's `set` wrote; `order` is by which the last of several runs is told."""

    run: Run
    step: str
    name: str
    value: Any
    order: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCode:
    """A promo's code, and the message for which it was drawn."""

    promo: str
    customer: Any
    code: str
    journey: str
    run_id: int
    step: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a tick leaves to the next ones.

    `applied` has each journey's first apply, `now` the latest tick, and before the first one
    the apply itself. `looked` has the tick at which an `enter when`
    was last looked at, `members` who was inside then (of `enter when joins`; before, who was at
    the apply), `shares` the day's shares of what learns (`learning.of`), `started` the run
    and the step of each `start` outside of loops.
    """

    applied: Mapping[str, datetime]
    now: datetime
    looked: dict[str, datetime] = field(default_factory=dict)
    members: dict[str, set[Any]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    codes: list[DrawnCode] = field(default_factory=list)
    shares: dict[tuple[str, str, object], tuple[date, list[int]]] = field(default_factory=dict)
    profile: dict[tuple[Any, str], Written] = field(default_factory=dict)
    started: set[tuple[int, str]] = field(default_factory=set)
    # How many were missing when the latest tick was not to be, and its instant.
    missing: tuple[int, datetime | None] = (0, None)
