"""What groups of customers have done within a goal's window: sums, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from journeylang.model.expressions import Age, Expression, TileBy, TopBy
from journeylang.model.journey import Goal, Journey
from journeylang.plan.asks import asked
from journeylang.plan.operations import Results
from journeylang.plan.results import results_of
from journeylang.report.source import Source
from journeylang.report.sums import By, statement
from journeylang.stats.moments import Rate, Sample

Figure = int | float | Decimal
"""As a database has summed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one group. Only ``customers`` counts those whose time is not over yet.

    ``part`` is what the group was divided by, if it was. ``value`` and ``net`` (what is left behind
    goods, offers and messages) are per customer; None without an amount. ``acquisition`` is what
    the mature customers cost once, before any of it: no part of ``net``, for it is the same
    whatever is done with them.
    """

    arm: str
    part: str | None
    customers: int
    mature: int
    reached: int
    events: int
    value: Sample | None
    goods: Figure
    offers: Figure
    messages: int
    cost: Figure
    net: Sample | None
    acquisition: Figure = 0

    @property
    def rate(self) -> Rate:
        return Rate(n=self.mature, hits=self.reached)


def not_measured(source: Source, goal: Goal) -> str | None:
    """Why a goal cannot be asked of outside of a tick."""
    if asks_for_ticks(source, goal.where):
        return "its condition asks for a ranking or an age, which only a tick works out"
    return None


def asks_for_ticks(source: Source, *of: Expression | None) -> bool:
    """Whether something rests on rankings or on local dates."""
    found = (n for one in of if one is not None for n in asked(source.project, one))
    return any(isinstance(n, Age | TopBy | TileBy) for n in found)


def outcomes(
    source: Source, journey: Journey, goal: Goal, groups: str, by: By | None = None
) -> list[Outcome]:
    """By group and part. Who has an event in (exposure, exposure + within] has reached the goal;
    without a window until now. Messages count from the exposure on, those given back do not.
    """
    found = source.query(statement(source, journey, goal, groups, by))
    amounts = results_of(source.project, goal)
    return [_outcome(amounts, *row) for row in found]


def _outcome(
    amounts: Results,
    arm: str,
    part: str | None,
    customers: int,
    mature: int,
    reached: int,
    events: int,
    value: Figure,
    value2: float,
    goods: Figure,
    offers: Figure,
    messages: int,
    cost: Figure,
    net: Figure,
    net2: float,
    acquisition: Figure,
) -> Outcome:
    known = amounts.revenue is not None
    return Outcome(
        arm=arm,
        part=part,
        customers=customers,
        mature=mature,
        reached=reached,
        events=int(events),
        value=Sample(n=mature, total=value, squares=value2) if known else None,
        goods=goods,
        offers=offers,
        messages=int(messages),
        cost=cost,
        net=Sample(n=mature, total=net, squares=net2) if known else None,
        acquisition=acquisition,
    )


def total(of: Sample | None) -> Figure | None:
    """What a group has brought together."""
    if of is None:
        return None
    assert not isinstance(of.total, Fraction), "sums come from a database"
    return of.total


def each(of: Sample | None) -> float | None:
    """The mean per customer."""
    return float(of.total) / of.n if of is not None and of.n else None
