"""Which tests are played in the same ticks, as customers of one database.

To a tick it is the same whether it moves one customer or a hundred, and nearly as cheap. Tests are
therefore played together, unless what happens to one customer could hang on another there: on a
place in a ranking, a code that is the last, a guard's figures. Those are played one after the
other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.entry import EnterByStart, EnterOn, EnterWhen
from journeylang.model.expressions import (
    Aggregate,
    All,
    Arithmetic,
    Between,
    BoundEvent,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EventSource,
    EventValue,
    Expression,
    Known,
    Listed,
    Negated,
    OneOf,
    SqlValue,
    TextMatch,
    TileBy,
    TopBy,
)
from journeylang.model.journey import BestHour, Journey, Race, Send, Start, WaitMoment
from journeylang.model.measures import RATES, Target
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.trials import Trial
from journeylang.model.walk import walk
from journeylang.plan.asks import asked
from journeylang.runtime.readings import ENOUGH
from journeylang.trial.clock import clock_of
from journeylang.trial.company import salts
from journeylang.trial.dates import hangs_on_dates
from journeylang.trial.draws import is_plain
from journeylang.trial.part import Part, customer_key
from journeylang.trial.played import Played
from journeylang.trial.stage import EMPTY

MOST = 200
"""So many tests are played in one database at most."""
WORTH = 2
"""Fewer than these are not worth another database."""
SPLIT = 100
"""Fewer than these take as long in one database as half of them: a tick's price is its own."""
APART = 20
"""Fewer than these, even of several journeys, are not worth another database either."""
FLOOD = 1_000
"""A guard of entries with a bound from here on is for more people than a test has."""

# What an event's row answers by itself, today and tomorrow.
_OF_ROWS = (
    *(Constant, EventValue, CustomerValue, Comparison, Between, OneOf, TextMatch, Known),
    *(All, Either, Negated, Arithmetic),
)
_AMONG_ALL = (TopBy, TileBy, Listed, SqlValue)

Scene = tuple[bool, str, tuple[str, ...], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Tests of one database, by their places; if they are `shifted`, all tick at one instant."""

    places: tuple[int, ...]
    shifted: bool


def companies(project: Project, trials: Sequence[Trial]) -> tuple[list[Together], list[int]]:
    """Tests that are played together, and the places of those that are not."""
    scenes: dict[Scene, list[int]] = {}
    alone: list[int] = []
    coupled: dict[str, bool] = {}
    dated: dict[str, bool] = {}
    for n, trial in enumerate(trials):
        name = trial.journey
        if name not in coupled:
            coupled[name] = _coupled(project, project.journeys[name])
            dated[name] = hangs_on_dates(project, project.journeys[name])
        if coupled[name] or not _fits(project, trial):
            alone.append(n)
        else:
            shifted = not (dated[name] or trial.rows or _at_the_end(trial))
            scenes.setdefault(_scene(trial, shifted=shifted), []).append(n)
    together: list[Together] = []
    free = max(1, (os.cpu_count() or 1) - len(scenes) + 1)
    for (shifted, *_), found in scenes.items():
        # By the calendar, those that begin at the same time have the most ticks in common.
        found.sort(key=lambda n: clock_of(project.binding, trials[n]).start)
        for places in _by_journey(project, trials, found, free) if shifted else (found,):
            for part in _parted(places, len(scenes)):
                if len(part) < WORTH:
                    alone += part
                else:
                    together.append(Together(places=tuple(part), shifted=shifted))
    return together, sorted(alone)


def _at_the_end(trial: Trial) -> bool:
    """Whether an instant is given that could be moved beyond the calendar's last year."""
    given = [*trial.customer, *(value for h in trial.happenings for value in h.values)]
    return any(isinstance(c.value, datetime) and c.value.year >= 9000 for _, c in given)


def overdrawn(project: Project, part: Part, played: Played) -> bool:
    """Whether a test alone might have come to the end of a budget, a capacity or a guard."""
    journey = project.journeys[part.trial.journey]
    policy = project.policies.get(journey.policy or "")
    budgets = (*journey.budgets, *(policy.budgets if policy is not None else ()))
    capacities = policy.capacities if policy is not None else ()
    costs = sum((m.cost for m in played.messages if m.cost is not None), Decimal())
    return (
        any(costs > budget.amount for budget in budgets)
        or any(len(played.messages) > capacity.limit for capacity in capacities)
        or (bool(journey.guards) and len(played.messages) >= ENOUGH)
    )


def _scene(trial: Trial, *, shifted: bool) -> Scene:
    """What of a test is the same for everybody in its database."""
    empty = tuple(sorted(name for name, given in trial.assigned if given == EMPTY))
    # By the calendar, those of other journeys have hardly a tick in common.
    return shifted, "" if shifted else trial.journey, empty, trial.rows


def _by_journey(
    project: Project, trials: Sequence[Trial], places: Sequence[int], parts: int
) -> list[list[int]]:
    """Each journey's tests together, in so many parts at most that take about as long.

    A tick's statements are those of its journeys: half of them take half as long.
    """
    if parts < 2 or len(places) < APART:
        return [list(places)]
    of: dict[str, list[int]] = {}
    for n in places:
        of.setdefault(trials[n].journey, []).append(n)
    # As measured: a step's statements take as long as a test's rows and clocks.
    weights = {
        name: len(own) + sum(1 for _ in steps(project.journeys[name].body))
        for name, own in of.items()
    }
    shares: list[tuple[int, list[int]]] = [(0, []) for _ in range(min(parts, len(of)))]
    for name in sorted(of, key=lambda name: weights[name], reverse=True):
        lightest = min(range(len(shares)), key=lambda n: shares[n][0])
        weight, taken = shares[lightest]
        shares[lightest] = (weight + weights[name], taken + of[name])
    return [taken for _, taken in shares]


def _parted(places: list[int], scenes: int) -> Iterator[list[int]]:
    """In as many parts as keep each processor at work, and none too large."""
    processors = os.cpu_count() or 1
    parts = -(-len(places) // MOST)
    if scenes < processors and len(places) >= SPLIT * processors:
        parts = max(parts, processors)
    size = -(-len(places) // parts)
    for first in range(0, len(places), size):
        yield places[first : first + size]


def _coupled(project: Project, journey: Journey) -> bool:
    """Whether what happens to a customer in a journey may hang on other customers."""
    if project.prospects or not _enters_by_itself(journey):
        return True
    if not all(_loose(guard) for guard in journey.guards):
        return True
    for step in steps(journey.body):
        match step:
            case Start():
                return True
            case WaitMoment(moment=BestHour()):
                return True
            case Race(branches=branches):
                # Its row is looked at again by each tick for which it is new.
                if not all(_of_its_row(branch.where) for branch in branches):
                    return True
                if any(_redeems(project, branch.event) for branch in branches):
                    return True
            case Send(code=code) if code is not None:
                if project.binding.promos[code.promo].first is not None:
                    return True
            case _:
                pass
    of = (journey, project.policies.get(journey.policy or ""))
    return any(
        isinstance(node, _AMONG_ALL)
        or _is_key(node)
        or (isinstance(node, Aggregate) and _redeems(project, node.event))
        for node in asked(project, of)
    )


def _redeems(project: Project, event: EventSource) -> bool:
    """Whether it matters which code somebody has: of a pool others may have drawn the first."""
    return isinstance(event, BoundEvent) and project.binding.events[event.name].redeems is not None


def _is_key(node: Expression) -> bool:
    """Whether a customer's key is asked for: in a database that is shared it says more."""
    return isinstance(node, CustomerValue) and node.name == "key"


def _loose(guard: Target) -> bool:
    """Whether a guard has nothing to say of so few people."""
    if guard.measure == "entries":
        return not guard.is_floor and guard.bound >= FLOOD
    return guard.measure in RATES


def _enters_by_itself(journey: Journey) -> bool:
    """Whether nobody enters who would not, if there were ticks between."""
    match journey.entry:
        case EnterOn(event=BoundEvent(), where=where):
            return _of_its_row(where)
        case EnterWhen() | EnterByStart():
            return True
        case _:
            return False


def _of_its_row(where: Expression | None) -> bool:
    return where is None or all(isinstance(node, _OF_ROWS) for node in walk(where))


def _fits(project: Project, trial: Trial) -> bool:
    """Whether all that a test gives can be given to its own customer alone."""
    if not is_plain(customer_key(project.binding, trial)) or salts(project, trial) is None:
        return False
    clock = clock_of(project.binding, trial)
    events = project.binding.events.values()
    late = timedelta(seconds=max((event.late for event in events), default=0))
    given = [h for h in trial.happenings if h.given]
    # Nobody enters by what was there before; but it may come late.
    return all(
        isinstance(h.event, BoundEvent) and clock.instant(h.at) < clock.start - late for h in given
    )
