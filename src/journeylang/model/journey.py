"""A journey as meant: how one enters, what happens, how one leaves.

A step's `path` is its identity for ever: the labels of enclosing labelled steps and arm
names, joined by "/", without the journey's name (`subject/named/hello`).
"""

from __future__ import annotations

from dataclasses import field
from datetime import time
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.entry import Entry, Fields, Runs
from journeylang.model.expressions import Drawn, EventSource, Expression
from journeylang.model.measures import Target
from journeylang.model.policy import Budget
from journeylang.model.types import Type
from journeylang.source import Span

Block = tuple["Step", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """A span of elapsed time (`h m s`), in seconds."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A span on the customer's own calendar: months first, then days (a week is 7 days)."""

    months: int = 0
    days: int = 0


WaitSpan = Elapsed | Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay:
    """The next such local time, strictly after arrival, on an allowed ISO weekday (1 = Monday)."""

    at: time
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Hold a customer for a span or until a local time of day."""

    label: str
    path: str
    until: Elapsed | Calendar | TimeOfDay
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestHour:
    """`best hour within 24h`: when the hour next begins at which the customer opens most.

    Passed at once where that is more than `within` seconds after arrival.
    """

    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitMoment:
    """`wait until MOMENT`: a moment in the data, as it stands at arrival.

    A date is the midnight with which it begins on the customer's clock; a time of day the next
    such time strictly after arrival, on an allowed ISO weekday. `body` is the step behind it if
    that is left out where the moment has passed (`else skip`); `leaves` if the run then ends
    (`else exit`). An unknown moment counts as passed.
    """

    label: str
    path: str
    moment: Expression | BestHour
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    body: Block = ()
    leaves: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitState:
    """`wait until CONDITION up to 7d`: until a tick at which it is true, at most `deadline`."""

    label: str
    path: str
    condition: Expression
    deadline: WaitSpan
    then: Block
    timeout: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One awaited event of a race. `where` is in the event's scope."""

    event: EventSource
    where: Expression | None
    body: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Wait for the earliest of several events, at most `deadline`: then `timeout`."""

    label: str
    path: str
    branches: tuple[Branch, ...]
    deadline: WaitSpan
    timeout: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """`sizes: ["s", "m"]`: those of the items that are known, in the order written.

    `type` is that of each of them.
    """

    items: tuple[Expression, ...]
    type: Type | None
    span: Span = field(compare=False, repr=False)


Value = Expression | Several


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One channel of a send. `template` is the name as written, or `<journey>/<label>`.

    `values` are its own; of a name that the whole send gives too, its own is meant.
    """

    channel: str
    template: str
    when: Expression | None = None
    values: tuple[tuple[str, Value], ...] = ()
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A send's own `else`: `skip`, or `hold` for at most `seconds`."""

    action: Literal["skip", "hold"]
    seconds: int | None = None
    span: Span = field(compare=False, repr=False)


Strategy = Literal["first", "preferred", "cheapest", "best"]


PickElse = Literal["skip", "exit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """`picks: top 3 of products by price`: the rows of a catalogue for which `by` is highest,
    of equals by key, of those for which `where` holds and `by` is known; `otherwise` if there
    are fewer than `count`, and `reason` is that of the `exit`. In both expressions an EventValue
    is a field of the row."""

    name: str
    catalog: str
    count: int
    by: Expression | None
    where: Expression | None
    otherwise: PickElse | None
    reason: str | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`code: promo(winback20) else exit as sold_out`: drawn with the decision.

    `reason` is that of the exit, and None for `else skip`.
    """

    name: str
    promo: str
    reason: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send by the first candidate that is open, in the order written or in the strategy's.

    `expires` in seconds (default 7 days). `learns` is the goal by which the best channel is found.
    """

    label: str
    path: str
    strategy: Strategy = "first"
    candidates: tuple[Candidate, ...]
    values: tuple[tuple[str, Value], ...] = ()
    picks: tuple[Pick, ...] = ()
    code: Code | None = None
    expires: int = 7 * 86400
    otherwise: Otherwise | None = None
    topic: str | None = None
    learns: Goal | None = None
    span: Span = field(compare=False, repr=False)

    def given(self, candidate: Candidate) -> dict[str, Value]:
        """What the template of one of the candidates is given, by name."""
        return {**dict(self.values), **dict(candidate.values)}


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    condition: Expression
    then: Block
    otherwise: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """`low <= bucket < high`, in basis points of the customers."""

    name: str
    low: int
    high: int
    control: bool
    body: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`within` in seconds (None: no end); `worth` names a numeric field of the event, and
    `currency` is that of it, if it is money."""

    event: EventSource
    where: Expression | None
    within: int | None
    worth: str | None
    currency: str | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """`goal` is its own one; `learns` is the goal by which the shares of an adaptive one move."""

    label: str
    path: str
    salt: str
    arms: tuple[Arm, ...]
    expect: str | None = None
    goal: Goal | None = None
    learns: Goal | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """`repeat up to 3 times until …`: `until` is asked after each pass."""

    label: str
    path: str
    times: int
    until: Expression | None
    body: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """`exit [as NAME]`; the default reason is `exit`."""

    reason: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """`set NAME = EXPR`: writes `profile.NAME`. It has no label, and its path is made up."""

    name: str
    path: str
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`start JOURNEY with {…}`: enters another journey, in a later tick.

    `values` as (name, value, type that the other journey declares).
    """

    label: str
    path: str
    journey: str
    values: tuple[tuple[str, Expression, Type], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """`invoke SERVICE "action" with {…}`: a call outside that is no message."""

    label: str
    path: str
    service: str
    action: str
    values: tuple[tuple[str, Value], ...] = ()
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One element that is tried in several forms; each form has its buckets under the salt."""

    name: str
    path: str
    value: Drawn
    span: Span = field(compare=False, repr=False)

    @property
    def arms(self) -> tuple[tuple[str, int, int], ...]:
        """Each option's text with the buckets `low <= bucket < high` that it owns."""
        bounds = self.value.bounds
        texts = [str(option.value) for option in self.value.options]
        return tuple(zip(texts, (0, *bounds), bounds, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Several elements tried at once: reaching it exposes, the sends behind it have the values.

    `goal` is its own one; `learns` is the goal by which the shares of an adaptive one move.
    """

    label: str
    path: str
    factors: tuple[Factor, ...]
    expect: str | None = None
    goal: Goal | None = None
    learns: Goal | None = None
    span: Span = field(compare=False, repr=False)


Step = (
    Wait
    | WaitMoment
    | WaitState
    | Race
    | Send
    | If
    | Experiment
    | Set
    | Invoke
    | Start
    | Factors
    | Repeat
    | Leave
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reenter:
    """`never`, `always`, or not before `days` local days after the previous entry."""

    rule: Literal["never", "always", "after"]
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitWhen:
    condition: Expression
    reason: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """`share` in basis points, never messaged in this journey."""

    share: int
    salt: str
    span: Span = field(compare=False, repr=False)


Purpose = Literal["marketing", "service", "transactional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The steps of an earlier version, which people who are on it go through to their end.

    `numbers` are those under which its steps rest beside the journey's own, by path; `texts` its
    templates, by the paths under which its sends name them.
    """

    version: int
    body: Block
    fields: Fields
    numbers: tuple[tuple[str, int], ...]
    texts: tuple[tuple[str, str], ...] = ()


Upgrade = Literal["migrate", "pin", "drain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    name: str
    title: str | None
    owner: str | None
    purpose: Purpose
    purpose_reason: str | None
    priority: int
    entry: Entry
    reenter: Reenter
    runs: Runs | None
    only: Expression | None
    exits: tuple[ExitWhen, ...]
    goals: tuple[Goal, ...]
    holdout: Holdout | None
    budgets: tuple[Budget, ...]
    kpis: tuple[Target, ...]
    guards: tuple[Target, ...]
    policy: str | None
    upgrade: Upgrade = "migrate"
    body: Block
    # Versions that somebody is still on, and all numbers that steps of any such had, by path.
    earlier: tuple[Earlier, ...] = ()
    aliases: tuple[tuple[str, tuple[int, ...]], ...] = ()
    span: Span = field(compare=False, repr=False)
