"""What a dry run tells: counts over the days, by step, and whether targets would be met.

Counts are of the whole audience: of a sample they are scaled up, and carry an interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from math import sqrt

from journeylang.classes import dataclass
from journeylang.pictures.daily import Limit
from journeylang.pictures.flow import Way
from journeylang.pictures.settling import Tally
from journeylang.source import Span

NORMAL = 1.959964
"""Of the standard normal distribution, 95 % lie within so much on both sides of 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A count or an amount; `low` to `high` is its 95 % interval, both equal `value` if known."""

    value: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        return self.low == self.high


def estimate(total: float, squares: float, share: float) -> Estimate:
    """Of all, by a part into which each customer came with the probability `share`.

    `total` is a sum over the customers drawn, `squares` the sum of their squares. The estimator
    is Horvitz's and Thompson's for Poisson sampling: total / p, its variance estimated by
    (1 - p) / p^2 times the squares (Särndal, Swensson, Wretman, Model Assisted Survey Sampling,
    1992, section 3.5). Of nothing seen the upper bound is 3 / p, the rule of three.
    """
    value = total / share
    if share >= 1:
        return Estimate(value=value, low=value, high=value)
    if total == 0:
        return Estimate(value=0, low=0, high=3 / share)
    half = NORMAL * sqrt((1 - share) * squares) / share
    return Estimate(value=value, low=max(value - half, total), high=value + half)


ZERO = Estimate(value=0, low=0, high=0)


def total(counts: Iterable[Estimate]) -> Estimate:
    """The sum of estimates, as if they were independent of each other."""
    listed = list(counts)
    value = sum(e.value for e in listed)
    half = sqrt(sum((e.high - e.value) ** 2 for e in listed))
    return Estimate(value=value, low=max(value - half, 0), high=value + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a journey has sent by a channel in a UTC day. `date` is ISO."""

    date: str
    journey: str
    channel: str
    messages: Estimate
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: how many runs came to it, and at a send what became of them there.

    `held` counts decisions to wait, one run several times; `not_sent` are by reason.
    """

    path: str
    kind: str
    came: Estimate
    sent: Estimate | None = None
    not_sent: tuple[tuple[str, Estimate], ...] = ()
    held: tuple[tuple[str, Estimate], ...] = ()
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A journey: who came, what became of them, what it sent, and who went from where to where."""

    journey: str
    title: str | None
    entered: Estimate
    not_entered: tuple[tuple[str, Estimate], ...]
    active: Estimate
    ended: tuple[tuple[str, Estimate], ...]
    messages: Estimate
    cost: Decimal | None
    currency: str | None
    steps: tuple[Step, ...]
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A target and whether it is met: None where that cannot be judged by then.

    `kind` is kpi, guard or budget; `at` is when it broke.
    """

    kind: str
    journey: str | None
    target: str
    met: bool | None
    figure: str
    at: datetime | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """An arm: how many were exposed to it, of how many the time is over, who reached the goal."""

    name: str
    exposed: Estimate
    judged: int
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """An experiment, or a hold-out: what could be told by it, and when.

    `goal` is empty where there is none; only one with a window (`windowed`) tells anything.
    `rate` is that of the control arm (None: nobody can be judged). `a_day`: customers exposed a
    day, in all arms. `lifts` are relative: (lift, customers needed in two arms, days until then).
    `smallest` is the relative lift that is seen with the customers of the dry run, at 80 % power.
    `by_day`: by the day of the exposure and arm, those whose window is over, as they were drawn.
    """

    journey: str
    experiment: str
    goal: str
    arms: tuple[Arm, ...]
    windowed: bool
    rate: float | None
    a_day: float
    lifts: tuple[tuple[float, int, float | None], ...]
    smallest: float | None
    by_day: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a provider would be given: in all, and at most with one tick, at `peak_at`.

    `takes`: so many seconds it takes at worst until what has been decided has left, by one worker
    that keeps the channel's `rate`, from `takes_at` on; None: no rate is set.
    """

    provider: str
    channels: tuple[str, ...]
    messages: Estimate
    peak: Estimate
    peak_at: datetime
    takes: float | None = None
    takes_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All of it. Instants are naive UTC; `end` does not belong to the time any more.

    `assumed` are the assumptions as they would be written, `assumed_by` where they come from;
    `limits` the budgets that bound what was spent. `stepped` is why it went tick by tick; None:
    lives were worked out at once, and nobody knows at how many ticks nothing happened (`idle`).
    """

    start: datetime
    end: datetime
    step: int
    seed: int
    share: float
    customers: int
    ticks: int
    idle: int | None
    stepped: str | None
    assumed: tuple[str, ...]
    assumed_by: str
    courses: tuple[Course, ...]
    days: tuple[Day, ...]
    verdicts: tuple[Verdict, ...]
    experiments: tuple[Power, ...]
    loads: tuple[Load, ...]
    notes: tuple[str, ...]
    limits: tuple[Limit, ...] = ()

    @property
    def messages(self) -> float:
        return sum(course.messages.value for course in self.courses)

    @property
    def costs(self) -> dict[str, Decimal]:
        """By currency."""
        found: dict[str, Decimal] = {}
        for course in self.courses:
            if course.cost is not None and course.currency is not None:
                found[course.currency] = found.get(course.currency, Decimal(0)) + course.cost
        return found

    @property
    def failed(self) -> bool:
        """Whether a target is missed."""
        return any(verdict.met is False for verdict in self.verdicts)
