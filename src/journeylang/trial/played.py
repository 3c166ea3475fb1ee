"""What has happened to the customers of tests, read from the database in which they were played."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.model.trials import Happening
from journeylang.plan.numbering import HOLDOUT_PATH
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.taken import edges_taken, ways_to
from journeylang.runtime.session import Session
from journeylang.source import Span
from journeylang.sql.schema import CALLS, STATUS_NAMES, WHY
from journeylang.trial.part import Part

_WHY = {number: name for name, number in WHY.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A run began; `status` is what has become of it, `reason` why it ended."""

    at: datetime
    status: str
    reason: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message by a channel; or a `call`, of the service that `channel` then names."""

    at: datetime
    step: str
    channel: str
    call: bool = False
    cost: Decimal | None = None

    @property
    def how(self) -> str:
        return f"called {self.channel}" if self.call else f"sent by {self.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NonSend:
    """`step` is None where the customer was not let in. `figures` are what was counted."""

    at: datetime
    step: str | None
    reason: str
    figures: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A run came from a step to another; None is outside of the journey. Runs count from 1."""

    at: datetime
    run: int
    origin: str | None
    to: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    at: datetime
    experiment: str
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What happened in the test's journey, each in order of time; all instants naive UTC.

    `unheard` are happenings of messages that had not been sent; `branches` are the conditions of
    `if`s, by their place, and how they were decided.
    """

    entries: tuple[Entry, ...] = ()
    moves: tuple[Move, ...] = ()
    messages: tuple[Message, ...] = ()
    non_sends: tuple[NonSend, ...] = ()
    exposures: tuple[Exposed, ...] = ()
    unheard: tuple[Happening, ...] = ()
    branches: frozenset[tuple[Span, bool]] = frozenset()
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A test of which nothing is left: `until` is its last tick, `unheard` as of `Played`."""

    part: Part
    until: datetime
    unheard: tuple[Happening, ...]


Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def collect(session: Session, ended: Sequence[Ended]) -> list[Played]:
    """What has happened in each test."""
    found: dict[int, Played] = {}
    for plan in session.ready.program.journeys:
        places = [n for n, one in enumerate(ended) if one.part.trial.journey == plan.name]
        if places:
            found |= zip(
                places, _of_journey(session, plan, [ended[n] for n in places]), strict=True
            )
    return [found[n] for n in range(len(ended))]


def _of_journey(session: Session, plan: JourneyPlan, ended: Sequence[Ended]) -> list[Played]:
    of_it = f" WHERE journey = {plan.journey}"
    # Of what is of one instant, the order in which it was written.
    found = {
        table: _by_customer(session, f"SELECT customer_id, {columns} FROM journey.{table}{order}")
        for table, columns, order in (
            (
                "run",
                "entered_at, run_id, status, reason, ended_at",
                f"{of_it} ORDER BY entered_at, run_id",
            ),
            (
                "transition",
                'tick, "at", run_id, from_step, to_step, why',
                f'{of_it} ORDER BY tick, "at", run_id, rowid',
            ),
            (
                "message",
                "decided_at, step, channel, action, cost",
                f"{of_it} ORDER BY decided_at, step, message_id",
            ),
            ("decision", '"at", step, reason, figures', f'{of_it} ORDER BY "at", step, rowid'),
            ("exposure", '"at", experiment, arm', ' ORDER BY "at", experiment'),
        )
    }
    return [
        _played(session, plan, one, {t: rows.get(one.part.key, []) for t, rows in found.items()})
        for one in ended
    ]


def _by_customer(session: Session, query: str) -> Rows:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for customer, *row in session.engine.query(query):
        found[customer].append(tuple(row))
    return found


def _played(session: Session, plan: JourneyPlan, ended: Ended, rows: Rows) -> Played:
    numbers = session.ready.moves.compiler.steps
    steps = {step: path for (_, path), step in numbers.items()}
    mine = {step for (journey, _), step in numbers.items() if journey == plan.name}
    assigned = dict(ended.part.trial.assigned)
    if "yes" not in (assigned.get("holdout"), assigned.get("control")):
        # Others are held out here; to this test there is no such draw.
        mine -= {step for (_, path), step in numbers.items() if path == HOLDOUT_PATH}
    reasons = {run: reason for _, run, _, reason, _ in rows["run"]}
    places = {run: place for place, (_, run, *_) in enumerate(rows["run"], 1)}
    arms = {experiment: arm for _, experiment, arm in rows["exposure"]}
    return Played(
        branches=frozenset(
            branch
            for _, _, run, origin, to, why in rows["transition"]
            for branch in _branches(plan, origin, to, _WHY[why], reasons[run], arms)
        ),
        entries=tuple(
            Entry(at=at, status=STATUS_NAMES[status], reason=reason, ended_at=left)
            for at, _, status, reason, left in rows["run"]
        ),
        moves=tuple(
            Move(at=at, run=places[run], origin=steps.get(origin), to=steps.get(to), why=_WHY[why])
            for _, at, run, origin, to, why in rows["transition"]
        ),
        messages=tuple(
            Message(
                at=at,
                step=steps[step],
                channel=channel.removeprefix(CALLS),
                call=action is not None,
                cost=cost,
            )
            for at, step, channel, action, cost in rows["message"]
        ),
        non_sends=tuple(
            NonSend(at=at, step=steps.get(step), reason=reason, figures=_figures(figures))
            for at, step, reason, figures in rows["decision"]
        ),
        exposures=tuple(
            Exposed(at=at, experiment=steps[experiment], arm=arm)
            for at, experiment, arm in rows["exposure"]
            if experiment in mine
        ),
        unheard=ended.unheard,
        until=ended.until,
    )


def _figures(kept: str | None) -> dict[str, object]:
    """What is told of them, and of the customer alone: budgets are everybody's."""
    figures: dict[str, object] = json.loads(kept or "{}")
    return {name: figures[name] for name in ("channel", "counted") if name in figures}


def _branches(
    plan: JourneyPlan,
    origin: int | None,
    to: int | None,
    why: str,
    reason: str | None,
    arms: Mapping[int, str],
) -> Iterator[tuple[Span, bool]]:
    """How the conditions on a move were decided: as all ways have it that lead there."""
    ways = [
        way
        for way in ways_to(edges_taken(plan, origin, why), to, reason)
        if all(arm is None or arms.get(step, arm) == arm for step, arm in way.leaf.exposures)
    ]
    met = [{(condition.span, taken) for condition, taken in way.choices} for way in ways]
    yield from set.intersection(*met) if met else ()
