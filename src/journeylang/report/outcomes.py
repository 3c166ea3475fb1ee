"""What groups of customers have done within a goal's window: sums, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from journeylang.classes import dataclass
from journeylang.model.expressions import Age, Expression, TileBy, TopBy
from journeylang.model.journey import Goal, Journey
from journeylang.plan.asks import asked
from journeylang.plan.results import results_of
from journeylang.report.groups import Groups
from journeylang.report.source import Source
from journeylang.report.sums import Question, asks_of_runs, statement
from journeylang.stats.moments import Pairs, Rate, Sample

Figure = int | float | Decimal
"""As a database has summed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one group. Only ``customers`` counts those whose time is not over yet.

    ``part`` is what the group was divided by, if it was, ``day`` when the exposures' day or the
    first day of their period is told apart. ``value`` and ``net`` (what is left behind goods,
    offers and messages) are per customer; None without an amount, or if not asked for.
    ``each_event`` pairs the value with the goal's events. ``acquisition`` is what the mature
    customers cost once, before any of it: no part of ``net``, for it is the same whatever is done
    with them.
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
    day: date | None = None
    each_event: Pairs | None = None

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


def by_day(
    source: Source,
    journey: Journey,
    goal: Goal,
    groups: Groups,
    by: Expression | None = None,
    *,
    worth: bool = False,
) -> list[Outcome]:
    """By group, part and UTC day of the exposure.

    Who has an event in (exposure, exposure + within] has reached the goal; without a window until
    now. Messages count from the exposure on, those given back do not. `worth`: with goods, offers,
    what is left and acquisition, which are nothing otherwise.
    """
    question = Question(goal=goal, groups=groups, worth=worth)
    found = source.once(statement(source, journey, [question], by))
    known = results_of(source.project, goal).revenue is not None
    return [_outcome(known, worth, *row) for _, *row in found]


def read_together(source: Source, journey: Journey, questions: Sequence[Question]) -> None:
    """Read what several parts of a report will ask for, each table once.

    Those that ask of runs are read alone: who was exposed elsewhere was so in another run.
    """
    assert source.kept is not None
    alone = {statement(source, journey, [one]): one for one in questions}
    some = [of for of, one in alone.items() if not asks_of_runs(source, journey, one)]
    for first in range(0, len(some), _TOGETHER):
        those = some[first : first + _TOGETHER]
        if len(those) > 1:
            found = source.query(statement(source, journey, [alone[of] for of in those]))
            rows: list[list[tuple[Any, ...]]] = [[] for _ in those]
            for number, *row in found:
                rows[number].append((0, *row))
            source.kept.update(zip(those, rows, strict=True))
    for of in alone:
        source.once(of)


_TOGETHER = 8
"""So many questions fit into one statement: it has a handful of columns for each."""


def outcomes(
    source: Source,
    journey: Journey,
    goal: Goal,
    groups: Groups,
    by: Expression | None = None,
    *,
    worth: bool = False,
) -> list[Outcome]:
    """By group and part, all days together; see `by_day`."""
    return summed(by_day(source, journey, goal, groups, by, worth=worth))


def summed(found: Sequence[Outcome], period: Callable[[date], date] | None = None) -> list[Outcome]:
    """By group, part and period of the exposure; without periods all days together."""
    of: dict[tuple[str, str | None, date | None], list[Outcome]] = {}
    for one in found:
        day = None if period is None or one.day is None else period(one.day)
        of.setdefault((one.arm, one.part, day), []).append(one)
    return [_sum(ones, day) for (_, _, day), ones in of.items()]


def _sum(ones: Sequence[Outcome], day: date | None) -> Outcome:
    first = ones[0]
    return Outcome(
        arm=first.arm,
        part=first.part,
        day=day,
        customers=sum(one.customers for one in ones),
        mature=sum(one.mature for one in ones),
        reached=sum(one.reached for one in ones),
        events=sum(one.events for one in ones),
        value=_samples([one.value for one in ones]),
        each_event=_pairs([one.each_event for one in ones]),
        goods=sum(one.goods for one in ones),
        offers=sum(one.offers for one in ones),
        messages=sum(one.messages for one in ones),
        cost=sum(one.cost for one in ones),
        net=_samples([one.net for one in ones]),
        acquisition=sum(one.acquisition for one in ones),
    )


def _samples(of: Sequence[Sample | None]) -> Sample | None:
    known = [one for one in of if one is not None]
    if not known:
        return None
    return Sample(
        n=sum(one.n for one in known),
        total=sum(one.total for one in known),
        squares=sum(one.squares for one in known),
    )


def _pairs(of: Sequence[Pairs | None]) -> Pairs | None:
    known = [one for one in of if one is not None]
    if not known:
        return None
    return Pairs(
        n=sum(one.n for one in known),
        y=sum(one.y for one in known),
        x=sum(one.x for one in known),
        yy=sum(one.yy for one in known),
        xx=sum(one.xx for one in known),
        xy=sum(one.xy for one in known),
    )


def _outcome(
    known: bool,
    worth: bool,
    arm: str,
    part: str | None,
    day: date,
    customers: int,
    mature: int,
    reached: int,
    events: int,
    value: Figure,
    value2: float,
    events2: float,
    crossed: float,
    messages: int,
    cost: Figure,
    goods: Figure = 0,
    offers: Figure = 0,
    net: Figure = 0,
    net2: float = 0.0,
    acquisition: Figure = 0,
) -> Outcome:
    return Outcome(
        arm=arm,
        part=part,
        day=day,
        customers=int(customers),
        mature=int(mature),
        reached=int(reached),
        events=int(events),
        value=Sample(n=int(mature), total=value, squares=value2) if known else None,
        each_event=Pairs(n=int(mature), y=value, x=int(events), yy=value2, xx=events2, xy=crossed)
        if known
        else None,
        goods=goods,
        offers=offers,
        messages=int(messages),
        cost=cost,
        net=Sample(n=int(mature), total=net, squares=net2) if known and worth else None,
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
