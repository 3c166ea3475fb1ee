"""What is learnt: who gets which arm, and which channel is tried first today.

The first tick of a UTC day draws each arm's share for that day from what is known then: of
everyone whose window has passed, how many of an arm reached the goal. An arm once given is
kept. Of a send's channels each message is judged by itself, and each day draws anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import md5
from random import Random
from typing import Any

from journeylang.model.journey import (
    Block,
    Experiment,
    Factor,
    Factors,
    Goal,
    If,
    Journey,
    Race,
    Repeat,
    Send,
    WaitMoment,
    WaitState,
)
from tests.oracle.chance import bucket
from tests.oracle.channels import channels, place
from tests.oracle.facts import Run
from tests.oracle.stage import Stage
from tests.oracle.values import Subject

DRAWS = 2_000

# What learns, and from which goal.
Lesson = tuple[Experiment | Factor | Send, Goal]
# Whose the shares are: the journey, the path, and the salt or the version.
Key = tuple[str, str, object]


def learning(block: Block) -> Iterator[Lesson]:
    """Everything below a block that learns."""
    for step in block:
        match step:
            case Factors():
                if step.learns is not None:
                    yield from ((factor, step.learns) for factor in step.factors)
            case Send():
                if step.learns is not None:
                    yield step, step.learns
            case Experiment():
                if step.learns is not None:
                    yield step, step.learns
                for arm in step.arms:
                    yield from learning(arm.body)
            case WaitMoment() | Repeat():
                yield from learning(step.body)
            case WaitState():
                yield from learning(step.then)
                yield from learning(step.timeout)
            case If():
                yield from learning(step.then)
                yield from learning(step.otherwise)
            case Race():
                for branch in step.branches:
                    yield from learning(branch.body)
                yield from learning(step.timeout)
            case _:
                pass


def of(journey: str, version: Journey | None, step: Experiment | Factor | Send) -> Key:
    """What has shares: under one salt an experiment is one, a send is its version's."""
    match step:
        case Experiment():
            return journey, step.path, step.salt
        case Factor():
            return journey, step.path, step.value.salt
        case Send():
            return journey, step.path, id(version)


def learn(stage: Stage) -> None:
    """The shares of the day, if this is the day's first tick; of the newest version first."""
    today = stage.now.date()
    for journey in stage.project.journeys.values():
        pinned = [run.pinned for run in stage.active() if run.journey == journey.name]
        versions = {id(version): version for version in (None, *pinned)}
        for version in versions.values():
            for step, goal in learning((version or journey).body):
                key = of(journey.name, version, step)
                known = stage.memory.shares.get(key)
                if known is None or known[0] < today:
                    shares = _shares(stage, journey.name, version, step, goal)
                    stage.memory.shares[key] = (today, shares)


# What is judged: whose run, from when on, and what they got.
Judged = tuple[Any, int, datetime, str]


def _shares(
    stage: Stage,
    journey: str,
    version: Journey | None,
    step: Experiment | Factor | Send,
    goal: Goal,
) -> list[int]:
    judged: list[Judged] = [
        (x.customer, x.run_id, x.at, x.arm)
        for x in stage.memory.exposures
        if (x.journey, x.experiment, x.salt) == of(journey, version, step)
    ]
    if isinstance(step, Experiment):
        salt = step.salt
        unknown = {arm.name: arm.high - arm.low for arm in step.arms}
    elif isinstance(step, Factor):
        salt = step.value.salt
        unknown = _equal([str(option.value) for option in step.value.options])
    else:
        salt = f"{journey}/{step.path}"
        unknown = _equal(channels(step))
        judged = [
            (m.customer, m.run_id, m.decided_at, m.channel)
            for m in stage.memory.messages
            if (m.journey, m.step) == (journey, step.path)
            and m.version is version
            and (m.run_id, m.step, m.decided_at) not in stage.reader.tables.given_back
        ]
    return _drawn(stage, salt, unknown, _reached(stage, goal, judged))


def _equal(names: list[str]) -> dict[str, int]:
    """Each as likely, as nearly as ten thousand parts allow."""
    ends = [10_000 * n // len(names) for n in range(len(names) + 1)]
    return {name: ends[n + 1] - ends[n] for n, name in enumerate(names)}


def _reached(stage: Stage, goal: Goal, judged: list[Judged]) -> list[tuple[str, bool]]:
    """Of everyone whose time is over: what they got, and whether they reached the goal."""
    assert goal.within is not None
    window = timedelta(seconds=goal.within)
    runs = {(run.customer, run.run_id): run for run in stage.memory.runs}
    found = []
    for customer, run_id, since, arm in judged:
        if since + window > stage.now:
            continue
        run = runs[customer, run_id]
        reached = any(
            since < event.at <= since + window
            and (goal.where is None or stage.holds(goal.where, run, event))
            for event in stage.reader.happenings(goal.event, Subject(run=run))
        )
        found.append((arm, reached))
    return found


def _drawn(
    stage: Stage, salt: str, unknown: dict[str, int], found: list[tuple[str, bool]]
) -> list[int]:
    """The day's shares; as long as nothing is known, those that are given."""
    if not found:
        return list(unknown.values())
    people = {name: sum(arm == name for arm, _ in found) for name in unknown}
    reached = {name: sum(yes for arm, yes in found if arm == name) for name in unknown}
    day = stage.now.date().isoformat()
    digest = md5(f"{salt}:{day}".encode(), usedforsecurity=False).hexdigest()
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


def arm_of(stage: Stage, run: Run, path: str, salt: str, names: Sequence[str]) -> str:
    """The arm that the customer has already, or today's."""
    for exposure in stage.memory.exposures:
        at = (exposure.journey, exposure.experiment, exposure.salt, exposure.customer)
        if at == (run.journey, path, salt, run.customer):
            return exposure.arm
    _, shares = stage.memory.shares[run.journey, path, salt]
    return names[place(shares, bucket(salt, run.customer))]
