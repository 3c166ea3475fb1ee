"""One plan type, read by the explainer and by the executor.

A run rests at a *park*: a wait, a race, or a send that holds. A step that leaves something
behind is one too, though nobody rests there for longer than a round of a tick. Between two
parks everything is instantaneous, so it is composed into one decision tree per *edge* (a way
out of a park, or the entry). Walking an edge ends in a *leaf*: the next park, or the end,
together with the experiments' arms that were met on the way. A tick then is: who leaves their
park by which edge (wake), which leaf does that edge lead to (advance), may the message be sent
(arbitrate).

Numbers: `step` is unique in the project and kept for ever; `edge` and `leaf` are unique in
a journey's version; `rule` numbers the local-time rules of the whole program.
"""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.entry import Entry, Runs
from journeylang.model.expressions import CustomerValue, EventSource, Expression, SegmentTest
from journeylang.model.journey import (
    Calendar,
    Candidate,
    Code,
    Elapsed,
    ExitWhen,
    Goal,
    Holdout,
    Pick,
    Purpose,
    Reenter,
    TimeOfDay,
    Value,
)
from journeylang.model.measures import Target
from journeylang.model.policy import Action, Control
from journeylang.model.types import Type
from journeylang.plan.passes import STRAIGHT, Passes
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietTimes:
    """Local times in which nothing is sent; each window may cross midnight."""

    windows: tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStart:
    """The first instant of the local day `days` after (or before, if negative) an instant's."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """When a clock shows a wall-clock time: near the tick, or `far` ahead too."""

    far: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastClock:
    """How far a clock was ahead of UTC, for some days before the tick."""

    days: int


# A rule over local time. Waits map an arrival to a wake; quiet times say whether it is
# quiet now, and until when; a wall clock maps what it shows to an instant.
ZoneRule = Calendar | TimeOfDay | DayStart | QuietTimes | WallClock | PastClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment in the data, as SQL is to find it.

    `wall` is the rule of the wall clock that a date or a time of day is on (None: an instant);
    `weekdays` those on which a time of day may be.
    """

    value: Expression
    wall: int | None = None
    weekdays: tuple[int, ...] | None = None


# For so many days an open tells something about the hour at which somebody reads.
OPENS_COUNT = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHour:
    """When the hour next begins at which a customer opens most, at most `within` seconds on.

    `wall` and `past` are the rules of the clocks on which hours are counted on and back.
    """

    within: int
    wall: int
    past: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Where an edge leads. `step` None ends the run with `reason`.

    `exposures` are (step of the experiment, arm) met on the way; of a factor the arm is None,
    for it leads nowhere else: the customer's bucket says which one.
    """

    leaf: int
    step: int | None
    reason: str | None = None
    exited: bool = False
    passes: Passes = STRAIGHT
    exposures: tuple[tuple[int, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """An `if`."""

    condition: Expression
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """An experiment: arms as (low, high, node) over the customer's bucket.

    Of an adaptive one the ranges are those of the day, by the names of the arms (`learned`).
    `kept`: the number under which its exposures are kept, if it is another.
    """

    step: int
    salt: str
    arms: tuple[tuple[int, int, Node], ...]
    learned: tuple[str, ...] = ()
    kept: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Whether a moment is later than the arrival. Unknown is not."""

    moment: Moment | OpeningHour
    then: Leaf
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Whether a loop has passes left, at the end of one; `met` is what the way has made of them."""

    depth: int
    times: int
    met: Passes
    then: Node
    otherwise: Node


Node = Leaf | Decide | Split | Ahead | Again

EdgeKind = Literal["entered", "due", "event", "state", "timeout", "retry", "sent", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A way out of a park (`step`; None is the entry); `retry` leads back to a held send."""

    edge: int
    step: int | None
    kind: EdgeKind
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitPark:
    """`rule` is set for spans on the calendar and times of day, `seconds` for elapsed ones."""

    step: int
    path: str
    until: Elapsed | Calendar | TimeOfDay
    seconds: int | None
    rule: int | None
    edge: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentPark:
    """The wait for a moment that was ahead at arrival."""

    step: int
    path: str
    moment: Moment | OpeningHour
    edge: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePark:
    """`then` is the edge of those for whom the condition came true, `edge` the timeout's."""

    step: int
    path: str
    condition: Expression
    then: int
    seconds: int | None
    rule: int | None
    edge: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceBranch:
    event: EventSource
    where: Expression | None
    edge: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RacePark:
    """Branches in the order written; `edge` is the timeout's."""

    step: int
    path: str
    branches: tuple[RaceBranch, ...]
    seconds: int | None
    rule: int | None
    edge: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRule:
    """A cap as it applies to one offer."""

    channel: str | None
    topic: str | None
    limit: int | CustomerValue
    segment: SegmentTest | None
    seconds: int | None
    calendar: Literal["day", "week", "month"] | None
    action: Action


CAPACITY = ": capacity "
"""Stands in the ledger of a capacity, and in no other name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A budget (`quota` of money) or a capacity (`quota` of messages) over all customers.

    What is charged is charged under `name`. At most one of `seconds` (rolling) and `calendar` is
    set; with neither it is used up for ever.
    """

    name: str
    kind: Literal["budget", "capacity"]
    quota: Decimal
    currency: str | None
    seconds: int | None
    calendar: Literal["day", "week", "month"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One channel of a send with all rules that bind it.

    `quiet` is the rule of all its quiet times, whether they are waited for or skipped.
    """

    step: int
    position: int
    channel: str
    template: str
    conditional: bool
    transactional: bool
    consents: tuple[str, ...]
    control: Control | None
    counted: bool
    caps: tuple[CapRule, ...]
    allowances: tuple[tuple[Allowance, Action], ...]
    quiet: int | None
    quiet_hold: int | None
    quiet_skip: int | None
    cost: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPark:
    """Candidates in the order in which they are tried; `preferred`: the favourite before all;
    `learned`: the channel that the day's shares give.

    `limit` in seconds from arrival: how long it may be held before it is skipped. `lacking` is
    the edge of those for whom a catalogue has too few rows or a promo no code, if it is not `edge`.
    """

    step: int
    path: str
    label: str
    preferred: bool
    learned: bool
    candidates: tuple[Candidate, ...]
    offers: tuple[Offer, ...]
    values: tuple[tuple[str, Value], ...]
    picks: tuple[Pick, ...]
    code: Code | None
    expires: int
    limit: int
    otherwise: Action | None
    topic: str | None
    edge: int
    retry: int
    depth: int
    lacking: int | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """`set NAME = EXPR`."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """`start JOURNEY with {…}`; values with the types under which they are handed over.

    `depth` counts the loops around it.
    """

    journey: str
    values: tuple[tuple[str, Expression, Type], ...]
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`invoke SERVICE "action" with {…}`; `depth` counts the loops around it."""

    service: str
    action: str
    values: tuple[tuple[str, Value], ...]
    depth: int


Act = Assign | Begin | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPark:
    """A step that leaves something behind and is passed in the round after arrival."""

    step: int
    path: str
    act: Act
    edge: int
    span: Span


Park = WaitPark | MomentPark | StatePark | RacePark | SendPark | ActionPark


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What is judged by a goal: the exposures of an adaptive experiment, or the messages of a
    send to the best channel. `arms` or channels are (name, low, high) until anything is known.
    `kept`: as a `Split`'s.
    """

    step: int
    salt: str
    arms: tuple[tuple[str, int, int], ...]
    goal: Goal
    judged: Literal["exposures", "messages"]
    kept: int | None = None

    @property
    def experiment(self) -> int:
        """The number of its exposures and weights."""
        return self.step if self.kept is None else self.kept


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDraw:
    """The arms of a factor: (text of the value, low, high) over the customer's bucket.

    Of a `learned` one the ranges are those of the day.
    """

    step: int
    salt: str
    arms: tuple[tuple[str, int, int], ...]
    learned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Money that comes with an event: a field of its rows, of those for which `where` holds."""

    event: EventSource
    where: Expression | None
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What guards on results are measured by; amounts only where they are asked for."""

    goal: Goal
    revenue: Amount | None
    goods: Amount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPlan:
    """All of a journey that a tick needs.

    `holdout_step` numbers its exposures; `salts` are those of its experiments, by step. `kept`:
    under which number the exposures are kept of one that an earlier version draws by another salt.
    `reenter_rule` maps an entry's instant to the one before which the previous entry must lie.
    """

    journey: int
    name: str
    purpose: Purpose
    priority: int
    entry: Entry
    reenter: Reenter
    reenter_rule: int | None
    runs: Runs | None
    only: Expression | None
    exits: tuple[ExitWhen, ...]
    guards: tuple[Target, ...]
    results: Results | None
    holdout: Holdout | None
    control: Control | None
    holdout_step: int
    salts: tuple[tuple[int, str], ...]
    factors: tuple[FactorDraw, ...]
    entry_fields: tuple[str, ...]
    parks: tuple[Park, ...]
    edges: tuple[Edge, ...]
    leaves: tuple[Leaf, ...]
    learning: tuple[Learning, ...]
    max_rounds: int
    # Steps of earlier versions, each with its version; None is left out of what is stored.
    pinned: tuple[tuple[int, int], ...] | None = None
    kept: tuple[tuple[int, int], ...] | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Everything that runs: the journeys and the local-time rules that they share."""

    journeys: tuple[JourneyPlan, ...]
    rules: tuple[ZoneRule, ...]
