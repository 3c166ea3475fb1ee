"""Adaptive experiments: who gets which arm today.

The first tick of a UTC day draws each arm's share for that day from what is known then: of
everyone whose window has passed, how many of an arm reached the goal. An arm once given is
kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import md5
from random import Random

from journeylang.model.journey import (
    Arm,
    Block,
    Experiment,
    If,
    Race,
    Repeat,
    WaitMoment,
    WaitState,
)
from tests.oracle.chance import bucket
from tests.oracle.facts import Run
from tests.oracle.stage import Stage
from tests.oracle.values import Subject

DRAWS = 2_000


def experiments(block: Block) -> Iterator[Experiment]:
    """All experiments below a block."""
    for step in block:
        match step:
            case Experiment():
                yield step
                for arm in step.arms:
                    yield from experiments(arm.body)
            case WaitMoment() | Repeat():
                yield from experiments(step.body)
            case WaitState():
                yield from experiments(step.then)
                yield from experiments(step.timeout)
            case If():
                yield from experiments(step.then)
                yield from experiments(step.otherwise)
            case Race():
                for branch in step.branches:
                    yield from experiments(branch.body)
                yield from experiments(step.timeout)
            case _:
                pass


def learn(stage: Stage) -> None:
    """The shares of the day, if this is the day's first tick."""
    today = stage.now.date()
    for journey in stage.project.journeys.values():
        for experiment in experiments(journey.body):
            if experiment.learns is None:
                continue
            key = (journey.name, experiment.path)
            known = stage.memory.shares.get(key)
            if known is None or known[0] < today:
                stage.memory.shares[key] = (today, _shares(stage, journey.name, experiment))


def _shares(stage: Stage, journey: str, experiment: Experiment) -> list[int]:
    goal = experiment.learns
    assert goal is not None
    assert goal.within is not None
    window = timedelta(seconds=goal.within)
    people = {arm.name: 0 for arm in experiment.arms}
    reached = {arm.name: 0 for arm in experiment.arms}
    runs = {(run.customer, run.run_id): run for run in stage.memory.runs}
    for exposure in stage.memory.exposures:
        if (exposure.journey, exposure.experiment) != (journey, experiment.path):
            continue
        if exposure.at + window > stage.now:
            continue
        run = runs[exposure.customer, exposure.run_id]
        people[exposure.arm] += 1
        reached[exposure.arm] += any(
            exposure.at < event.at <= exposure.at + window
            and (goal.where is None or stage.holds(goal.where, run, event))
            for event in stage.reader.happenings(goal.event, Subject(run=run))
        )
    if not any(people.values()):
        return [arm.high - arm.low for arm in experiment.arms]
    day = stage.now.date().isoformat()
    digest = md5(f"{experiment.salt}:{day}".encode(), usedforsecurity=False).hexdigest()
    random = Random(int(digest, 16))
    wins = dict.fromkeys(people, 0)
    for _ in range(DRAWS):
        drawn = {
            name: random.betavariate(1 + reached[name], 1 + people[name] - reached[name])
            for name in people
        }
        wins[max(drawn, key=lambda name: drawn[name])] += 1
    return _whole([0.05 + (1 - len(wins) * 0.05) * (n / DRAWS) for n in wins.values()])


def _whole(shares: list[float]) -> list[int]:
    """Hundredths of a percent: cut off, and one more for those who lost most, until 100%."""
    points = [int(10_000 * share) for share in shares]
    while sum(points) < 10_000:
        lost = [10_000 * share - n for share, n in zip(shares, points, strict=True)]
        points[lost.index(max(lost))] += 1
    return points


def arm_of(stage: Stage, run: Run, experiment: Experiment) -> Arm:
    """The arm that the customer has already, or today's."""
    for exposure in stage.memory.exposures:
        at = (exposure.journey, exposure.experiment, exposure.customer)
        if at == (run.journey, experiment.path, run.customer):
            return next(arm for arm in experiment.arms if arm.name == exposure.arm)
    left = bucket(experiment.salt, run.customer)
    _, shares = stage.memory.shares[run.journey, experiment.path]
    for arm, share in zip(experiment.arms, shares, strict=True):
        if left < share:
            return arm
        left -= share
    raise AssertionError("shares add up to 100%")
