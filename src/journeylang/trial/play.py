"""Playing a test: ticks at every dated line and every wake, until nothing is left."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from journeylang.model.entry import EnterBySchedule, EnterByStart, Yearly
from journeylang.model.expressions import CustomerValue, MessageEvent
from journeylang.model.project import Project
from journeylang.model.trials import Happening, Started, Trial
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.taken import edges_taken, ways_to
from journeylang.runtime.schedules import occurrences
from journeylang.runtime.session import Session
from journeylang.runtime.tick import tick
from journeylang.runtime.zones import zone
from journeylang.source import Span
from journeylang.sql.schema import ACTIVE, CALLS, STATUS_NAMES, WHY
from journeylang.trial.clock import Clock, dated
from journeylang.trial.fixtures import handed
from journeylang.trial.theatre import BEFORE

LONGEST = timedelta(days=400)
# `start` takes effect at a later tick.
_SOON = timedelta(seconds=1)
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
    """A run came from a step to another; None is outside of the journey."""

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


def play(project: Project, session: Session, trial: Trial, clock: Clock, key: str) -> Played:
    """Play a test on the staged project, in a database that was set up for it and its customer.

    Raises:
        StatementError, JourneyFailedError: the database refused a statement of the compiler's.
    """
    return _Player(session, project, trial, clock, key).play()


@dataclass(slots=True)
class _Player:
    session: Session
    project: Project
    trial: Trial
    clock: Clock
    key: str
    unheard: list[Happening] = field(default_factory=list)
    heard: int = 0

    def play(self) -> Played:
        engine, clock = self.session.engine, self.clock
        end = clock.start + LONGEST
        waiting = sorted({clock.start, *map(clock.instant, dated(self.trial)), *self._schedule()})
        feedback = sorted(
            (
                (clock.instant(h.at), n, h)
                for n, h in enumerate(self.trial.happenings)
                if isinstance(h.event, MessageEvent | Started)
            ),
            key=lambda one: one[:2],
        )
        now = clock.start
        while waiting and (now := heapq.heappop(waiting)) <= end:
            while feedback and feedback[0][0] <= now:
                self._feed_back(feedback.pop(0)[2])
            tick(self.session, now)
            ((wake, started),) = engine.query(
                f"SELECT (SELECT min(wake_at) FROM journey.run WHERE status = {ACTIVE}),"
                ' (SELECT count(*) FROM journey.pending_entry WHERE "at" >= $now)',
                {"now": now},
            )
            soon = [now + _SOON] if started else []
            for later in (*soon, *([wake] if wake is not None else [])):
                if later > now and later not in waiting:
                    heapq.heappush(waiting, later)
        return self._played(now)

    def _schedule(self) -> Iterator[datetime]:
        """When the clock alone lets people in, up to the last dated line, or once behind it."""
        entry = self.project.journeys[self.trial.journey].entry
        if not isinstance(entry, EnterBySchedule):
            return
        tz = self.clock.zone if entry.local else zone("UTC")
        assert tz is not None
        last = max(map(self.clock.instant, dated(self.trial)))
        born = self._date(entry.schedule)
        for due in occurrences(tz, entry.schedule, self.clock.start - BEFORE, last + LONGEST):
            if born is None or due.month_day in (None, born.month * 100 + born.day):
                yield due.at
                if due.at > last:
                    return

    def _date(self, schedule: object) -> date | None:
        if isinstance(schedule, Yearly) and isinstance(schedule.date, CustomerValue):
            given = dict(self.trial.customer).get(schedule.date.name)
            if given is not None and isinstance(given.value, date):
                return given.value
        return None

    def _start(self, happening: Happening, name: str) -> None:
        """What another journey's `start` would have left, to take effect at this instant."""
        entry = self.project.journeys[name].entry
        assert isinstance(entry, EnterByStart), "checked: it is the way in"
        self.heard += 1
        self.session.engine.execute(
            'INSERT INTO journey.pending_entry (customer_id, journey, entry_key, "at", entry,'
            " run_id, step) VALUES ($customer, $journey, $key, $at, $entry, 0, 0)",
            {
                "customer": self.key,
                "journey": name,
                "key": f"start {self.heard:06}",
                "at": self.clock.instant(happening.at) - BEFORE,
                "entry": handed(entry, dict(happening.values), self.clock.zone),
            },
        )

    def _feed_back(self, happening: Happening) -> None:
        """An answer to the newest message that it can be about."""
        source = happening.event
        if isinstance(source, Started):
            self._start(happening, source.name)
            return
        assert isinstance(source, MessageEvent)
        engine = self.session.engine
        asked = {"channel": source.channel, "step": source.path, "journey": source.journey}
        about = " AND ".join(f"{name} = ${name}" for name, one in asked.items() if one is not None)
        found = engine.query(
            "SELECT customer_id, message_id, decided_at FROM journey.messages"
            f"{' WHERE ' + about if about else ''} ORDER BY decided_at DESC, message_id LIMIT 1",
            {name: one for name, one in asked.items() if one is not None},
        )
        if not found:
            self.unheard.append(happening)
            return
        customer, message, decided = found[0]
        self.heard += 1
        engine.execute(
            "INSERT INTO journey.message_event (customer_id, message_id, provider, event_id, name,"
            ' "at", data) VALUES'
            " ($customer, $message, 'test', $event, $name, $at, $data)",
            {
                "customer": customer,
                "message": message,
                "event": f"answer {self.heard:06}",
                "name": source.name,
                "at": max(decided, self.clock.instant(happening.at)),
                "data": json.dumps({n: v.value for n, v in happening.values}, default=str),
            },
        )

    def _played(self, until: datetime) -> Played:
        numbers = self.session.ready.moves.compiler.steps
        steps = {step: path for (_, path), step in numbers.items()}
        mine = {step for (journey, _), step in numbers.items() if journey == self.trial.journey}
        plan = next(p for p in self.session.ready.program.journeys if p.name == self.trial.journey)

        def rows(columns: str, table: str, order: str) -> list[tuple[Any, ...]]:
            return self.session.engine.query(
                f"SELECT {columns} FROM journey.{table}"
                f" WHERE journey = {plan.journey} ORDER BY {order}"
            )

        exposed = self.session.engine.query(
            'SELECT "at", experiment, arm FROM journey.exposure ORDER BY "at", experiment'
        )
        moved = rows('"at", run_id, from_step, to_step, why', "transition", 'tick, "at", run_id')
        reasons = dict(rows("run_id, reason", "run", "run_id"))
        arms = {experiment: arm for _, experiment, arm in exposed}
        return Played(
            branches=frozenset(
                branch
                for _, run, origin, to, why in moved
                for branch in _branches(plan, origin, to, _WHY[why], reasons[run], arms)
            ),
            entries=tuple(
                Entry(at=at, status=STATUS_NAMES[status], reason=reason, ended_at=ended)
                for at, status, reason, ended in rows(
                    "entered_at, status, reason, ended_at", "run", "entered_at, run_id"
                )
            ),
            moves=tuple(
                Move(at=at, run=run, origin=steps.get(origin), to=steps.get(to), why=_WHY[why])
                for at, run, origin, to, why in moved
            ),
            messages=tuple(
                Message(
                    at=at,
                    step=steps[step],
                    channel=channel.removeprefix(CALLS),
                    call=action is not None,
                )
                for at, step, channel, action in rows(
                    "decided_at, step, channel, action", "message", "decided_at, message_id"
                )
            ),
            non_sends=tuple(
                NonSend(
                    at=at,
                    step=steps.get(step),
                    reason=reason,
                    figures=json.loads(figures or "{}"),
                )
                for at, step, reason, figures in rows(
                    '"at", step, reason, figures', "decision", '"at", step'
                )
            ),
            exposures=tuple(
                Exposed(at=at, experiment=steps[experiment], arm=arm)
                for at, experiment, arm in exposed
                if experiment in mine
            ),
            unheard=tuple(self.unheard),
            until=until,
        )


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
