"""Which tests are played in the same ticks, as customers of one database.

To a tick it is the same whether it moves one customer or a hundred, and nearly as cheap. Tests of
one journey are therefore played together, unless what happens to one customer could hang on
another there: on a budget, a place in a ranking, a code that is the last, a guard's figures.
Those are played one after the other.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from journeylang.model.entry import EnterByStart, EnterOn, EnterWhen
from journeylang.model.expressions import (
    All,
    Arithmetic,
    Between,
    BoundEvent,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EventValue,
    Known,
    Listed,
    Negated,
    OneOf,
    SqlValue,
    TextMatch,
    TileBy,
    TopBy,
)
from journeylang.model.journey import (
    BestHour,
    Experiment,
    Factors,
    Holdout,
    Journey,
    Send,
    Start,
    WaitMoment,
)
from journeylang.model.policy import Policy
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.trials import Trial
from journeylang.model.walk import walk
from journeylang.plan.asks import asked
from journeylang.trial.clock import clock_of
from journeylang.trial.draws import is_plain, key_with
from journeylang.trial.part import Part, customer_key
from journeylang.trial.stage import EMPTY, WHOLE, staged

MOST = 60
"""So many tests are played in one database at most."""
WORTH = 2
"""Fewer than these are not worth another database."""
FLOOD = 1_000
"""A guard of entries with a bound from here on is for more people than a test has."""

HELD = "\x1fholdout"
CONTROLLED = "\x1fcontrol"
_OUT = WHOLE - 1

# What an event's row answers by itself, today and tomorrow.
_OF_ROWS = (
    *(Constant, EventValue, CustomerValue, Comparison, Between, OneOf, TextMatch, Known),
    *(All, Either, Negated, Arithmetic),
)
_AMONG_ALL = (TopBy, TileBy, Listed, SqlValue)

Scene = tuple[str, tuple[str, ...], tuple[str, ...], object]


def companies(project: Project, trials: Sequence[Trial]) -> tuple[list[list[int]], list[int]]:
    """Tests that are played together, by their places, and those that are not."""
    scenes: dict[Scene, list[int]] = {}
    alone: list[int] = []
    coupled: dict[str, bool] = {}
    for n, trial in enumerate(trials):
        name = trial.journey
        if name not in coupled:
            coupled[name] = _coupled(project, project.journeys[name])
        if coupled[name] or not _fits(project, trial):
            alone.append(n)
        else:
            scenes.setdefault(_scene(trial), []).append(n)
    together: list[list[int]] = []
    for places in scenes.values():
        # Those that begin at the same time have the most ticks in common.
        places.sort(key=lambda n: clock_of(project.binding, trials[n]).start)
        together += _parted(places, len(scenes))
    return together, alone


def company(project: Project, trials: Sequence[Trial]) -> tuple[Project, list[Part]]:
    """The project as all of these tests see it, and the part of each."""
    first = trials[0]
    empty = tuple(pair for pair in first.assigned if pair[1] == EMPTY)
    stage = staged(project, replace(first, assigned=empty))
    names = {name for trial in trials for name, _ in trial.assigned}
    name = first.journey
    if "holdout" in names:
        journey = stage.journeys[name]
        held = Holdout(share=1, salt=HELD, span=journey.span)
        stage = replace(stage, journeys=stage.journeys | {name: replace(journey, holdout=held)})
    if "control" in names:
        stage = replace(
            stage, policies={n: _controlled(p, stage) for n, p in project.policies.items()}
        )
    parts = [
        Part(
            trial=trial,
            clock=clock_of(project.binding, trial),
            key=key_with(
                customer_key(project.binding, trial), number, _buckets(project, trial, names)
            ),
        )
        for number, trial in enumerate(trials)
    ]
    return stage, parts


def _controlled(policy: Policy, stage: Project) -> Policy:
    if policy.control is None:
        return policy
    return replace(
        stage.policies[policy.name], control=replace(policy.control, share=1, salt=CONTROLLED)
    )


def _scene(trial: Trial) -> Scene:
    """What of a test is the same for everybody in its database."""
    empty = tuple(sorted(name for name, given in trial.assigned if given == EMPTY))
    return trial.journey, tuple(sorted(trial.segments)), empty, trial.rows


def _parted(places: list[int], scenes: int) -> Iterator[list[int]]:
    """In as many parts as keep each processor at work, and none too large."""
    processors = os.cpu_count() or 1
    parts = -(-len(places) // MOST)
    if scenes < processors and len(places) >= WORTH * processors:
        parts = max(parts, processors)
    size = -(-len(places) // parts)
    for first in range(0, len(places), size):
        yield places[first : first + size]


def _coupled(project: Project, journey: Journey) -> bool:
    """Whether what happens to a customer in a journey may hang on other customers."""
    if project.prospects or not _enters_by_itself(journey):
        return True
    policy = project.policies.get(journey.policy or "")
    if journey.budgets or (policy is not None and (policy.budgets or policy.capacities)):
        return True
    if any(g.measure != "entries" or g.is_floor or g.bound < FLOOD for g in journey.guards):
        return True
    for step in steps(journey.body):
        match step:
            case Start():
                return True
            case WaitMoment(moment=BestHour()):
                return True
            case Send(code=code) if code is not None:
                if project.binding.promos[code.promo].first is not None:
                    return True
            case _:
                pass
    return any(isinstance(node, _AMONG_ALL) for node in asked(project, (journey, policy)))


def _enters_by_itself(journey: Journey) -> bool:
    """Whether nobody enters who would not, if there were ticks between."""
    match journey.entry:
        case EnterOn(event=BoundEvent(), where=where):
            return where is None or all(isinstance(node, _OF_ROWS) for node in walk(where))
        case EnterWhen() | EnterByStart():
            return True
        case _:
            return False


def _fits(project: Project, trial: Trial) -> bool:
    """Whether all that a test gives can be given to its own customer alone."""
    if not is_plain(customer_key(project.binding, trial)) or _salts(project, trial) is None:
        return False
    clock = clock_of(project.binding, trial)
    events = project.binding.events.values()
    late = timedelta(seconds=max((event.late for event in events), default=0))
    given = [h for h in trial.happenings if h.given]
    # Nobody enters by what was there before; but it may come late.
    return all(
        isinstance(h.event, BoundEvent) and clock.instant(h.at) < clock.start - late for h in given
    )


def _buckets(project: Project, trial: Trial, names: Collection[str]) -> dict[str, int]:
    found = dict(_salts(project, trial) or {})
    assigned = dict(trial.assigned)
    for name, salt in (("holdout", HELD), ("control", CONTROLLED)):
        if name in names:
            found[salt] = 0 if assigned.get(name) == "yes" else _OUT
    return found


def _salts(project: Project, trial: Trial) -> Mapping[str, int] | None:
    """A bucket for each salt by which what is assigned is drawn; None if there is none such."""
    ranges: dict[str, list[tuple[str, Mapping[str, tuple[int, int]]]]] = {}
    for step in steps(project.journeys[trial.journey].body):
        match step:
            case Experiment():
                arms = {arm.name: (arm.low, arm.high) for arm in step.arms}
                ranges.setdefault(step.salt, []).append((step.path, arms))
            case Factors():
                for factor in step.factors:
                    options = {name: (low, high) for name, low, high in factor.arms}
                    ranges.setdefault(factor.value.salt, []).append((factor.path, options))
            case _:
                pass
    assigned = dict(trial.assigned)
    found: dict[str, int] = {}
    for salt, drawn in ranges.items():
        for path, owned in drawn:
            if path in assigned:
                low, high = owned.get(assigned[path], (0, 0))
                if len(drawn) > 1 or low >= high:
                    return None
                found[salt] = low
    return found
