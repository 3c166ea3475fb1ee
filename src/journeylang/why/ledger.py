"""What the runtime has written about one customer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.sql.schema import CALLS, RECEIPT_RANKS, STATUS_NAMES, WHY

_WHY = {number: name for name, number in WHY.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A row of `run`; `step` is the number at which it rests."""

    run_id: int
    journey: int
    version: int
    step: int | None
    wake_at: datetime | None
    entered_at: datetime
    status: str
    reason: str | None
    entry: str | None
    ended_at: datetime | None
    arrived_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transition: `at` is the arrival, `now` the instant of the tick that made it."""

    run_id: int
    at: datetime
    tick: int
    now: datetime
    origin: int | None
    to: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A decided message, or a call (`action`). `said` is what was heard of it, oldest first."""

    message_id: int
    run_id: int
    journey: int
    step: int
    channel: str
    counted: bool
    at: datetime
    topic: str | None
    action: str | None
    state: str
    detail: str | None
    given_back: bool
    said: tuple[tuple[str, datetime], ...]

    @property
    def service(self) -> str:
        """Of a call, who takes it."""
        return self.channel.removeprefix(CALLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A non-send, or (without a step) a non-entry."""

    run_id: int
    journey: int
    step: int | None
    at: datetime
    tick: int
    reason: str
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """The first time at an experiment, or at the hold-out."""

    experiment: int
    arm: str
    at: datetime
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    channel: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A pause of a journey, from the tick at `since`."""

    journey: int
    since: datetime
    until: datetime | None
    cause: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything about one customer, oldest first; names by number."""

    journeys: Mapping[int, str]
    steps: Mapping[int, str]
    applied: Mapping[int, datetime]
    runs: Sequence[Enrolment]
    moves: Sequence[Move]
    messages: Sequence[Message]
    refusals: Sequence[Refusal]
    exposed: Sequence[Exposed]
    suppressed: Sequence[Suppressed]
    pauses: Sequence[Paused]

    def path(self, step: int | None) -> str | None:
        """A step's path by its number."""
        return None if step is None else self.steps.get(step)

    @property
    def anything(self) -> bool:
        return bool(self.runs or self.refusals)


def read_ledger(engine: Engine, key: str, at: datetime) -> Ledger:
    """`key` is SQL of the customer's key; what came later than `at` is left out."""
    query = engine.query
    mine = f"customer_id = {key}"
    journeys, applied = {}, {}
    for number, name, since in query(
        "SELECT v.journey, v.name, v.applied_at FROM journey.version AS v WHERE v.version ="
        " (SELECT min(w.version) FROM journey.version AS w WHERE w.journey = v.journey)"
    ):
        journeys[number], applied[number] = name, since
    found = query(
        "SELECT run_id, journey, version, step, wake_at, entered_at, status, reason, entry,"
        f" ended_at, arrived_at FROM journey.run WHERE {mine} ORDER BY entered_at, run_id"
    )
    moves = query(
        'SELECT h.run_id, h."at", h.tick, t.now, h.from_step, h.to_step, h.why'
        f" FROM journey.transition AS h JOIN journey.tick AS t ON t.tick = h.tick WHERE h.{mine}"
        ' ORDER BY h.tick, h."at"'
    )
    refusals = query(
        'SELECT run_id, journey, step, "at", tick, reason, figures FROM journey.decision'
        f' WHERE {mine} ORDER BY "at"'
    )
    exposed = query(
        f'SELECT experiment, arm, "at", salt FROM journey.exposure WHERE {mine} ORDER BY "at"'
    )
    suppressed = query(
        f'SELECT channel, "at", reason FROM journey.suppression WHERE {mine} ORDER BY "at"'
    )
    pauses = query("SELECT journey, since, until, cause, detail FROM journey.pause ORDER BY since")
    steps = dict(query("SELECT step, path FROM journey.step"))
    return Ledger(
        journeys=journeys,
        steps=steps,
        applied=applied,
        runs=[
            Enrolment(
                run_id=r[0],
                journey=r[1],
                version=r[2],
                step=r[3],
                wake_at=r[4],
                entered_at=r[5],
                status=STATUS_NAMES[r[6]],
                reason=r[7],
                entry=r[8],
                ended_at=r[9],
                arrived_at=r[10],
            )
            for r in found
            if r[5] <= at
        ],
        moves=[
            Move(run_id=m[0], at=m[1], tick=m[2], now=m[3], origin=m[4], to=m[5], why=_WHY[m[6]])
            for m in moves
            if m[3] <= at
        ],
        messages=_messages(engine, key, at),
        refusals=[
            Refusal(
                run_id=d[0],
                journey=d[1],
                step=d[2],
                at=d[3],
                tick=d[4],
                reason=d[5],
                figures=json.loads(d[6]) if d[6] else {},
            )
            for d in refusals
            if d[3] <= at
        ],
        exposed=[
            Exposed(experiment=e[0], arm=e[1], at=e[2], salt=e[3]) for e in exposed if e[2] <= at
        ],
        suppressed=[
            Suppressed(channel=s[0], at=s[1], reason=s[2]) for s in suppressed if s[1] <= at
        ],
        pauses=[
            Paused(journey=p[0], since=p[1], until=p[2], cause=p[3], detail=p[4])
            for p in pauses
            if p[1] <= at
        ],
    )


def _messages(engine: Engine, key: str, at: datetime) -> list[Message]:
    mine = f"customer_id = {key}"
    states: dict[int, tuple[int, str, str | None]] = {}
    back = set()
    for message, state, detail, when, given_back in engine.query(
        f'SELECT message_id, state, detail, "at", given_back FROM journey.receipt WHERE {mine}'
    ):
        if when > at:
            continue
        if given_back:
            back.add(message)
        if RECEIPT_RANKS[state] > states.get(message, (-1, "", None))[0]:
            states[message] = (RECEIPT_RANKS[state], state, detail)
    said: dict[int, list[tuple[str, datetime]]] = {}
    for message, name, when in engine.query(
        f'SELECT message_id, name, "at" FROM journey.message_event WHERE {mine} ORDER BY "at", name'
    ):
        if when <= at:
            said.setdefault(message, []).append((name, when))
    return [
        Message(
            message_id=m[0],
            run_id=m[1],
            journey=m[2],
            step=m[3],
            channel=m[4],
            counted=m[5],
            at=m[6],
            topic=m[7],
            action=m[8],
            state=states.get(m[0], (0, "queued", None))[1],
            detail=states.get(m[0], (0, "", None))[2],
            given_back=m[0] in back,
            said=tuple(said.get(m[0], ())),
        )
        for m in engine.query(
            "SELECT message_id, run_id, journey, step, channel, counted, decided_at, topic, action"
            f" FROM journey.message WHERE {mine} ORDER BY decided_at, message_id"
        )
        if m[6] <= at
    ]
