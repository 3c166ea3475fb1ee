"""Playing a test: ticks at every dated line and every wake, until nothing is left."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from journeylang.engines.duckdb import DuckDbEngine
from journeylang.model.entry import EnterBySchedule, Yearly
from journeylang.model.expressions import CustomerValue, MessageEvent
from journeylang.model.project import Project
from journeylang.model.trials import Happening, Trial
from journeylang.runtime.schedules import occurrences
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from journeylang.runtime.zones import zone
from journeylang.sql.schema import ACTIVE
from journeylang.trial.clock import Clock, dated
from journeylang.trial.fixtures import fill

LONGEST = timedelta(days=400)
# `start` takes effect at a later tick.
_SOON = timedelta(seconds=1)
_BEFORE = timedelta(microseconds=1)


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

    `unheard` are happenings of messages that had not been sent.
    """

    entries: tuple[Entry, ...] = ()
    moves: tuple[Move, ...] = ()
    messages: tuple[Message, ...] = ()
    non_sends: tuple[NonSend, ...] = ()
    exposures: tuple[Exposed, ...] = ()
    unheard: tuple[Happening, ...] = ()
    until: datetime


def play(project: Project, trial: Trial, clock: Clock, key: str) -> Played:
    """Play a test on the staged project; `key` is the customer's.

    Raises:
        StatementError, JourneyFailedError: the database refused a statement of the compiler's.
    """
    engine = DuckDbEngine.open(":memory:")
    try:
        engine.execute("SET threads = 1")
        fill(engine, project.binding, trial, clock, key)
        session = prepare(engine, project, now=clock.start - _BEFORE)
        assert isinstance(session, Session), "nobody is in a database that is new"
        return _Player(session, project, trial, clock).play()
    finally:
        engine.close()


@dataclass(slots=True)
class _Player:
    session: Session
    project: Project
    trial: Trial
    clock: Clock
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
                if isinstance(h.event, MessageEvent)
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
        for due in occurrences(tz, entry.schedule, self.clock.start - _BEFORE, last + LONGEST):
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

    def _feed_back(self, happening: Happening) -> None:
        """An answer to the newest message that it can be about."""
        source = happening.event
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
        def rows(columns: str, view: str, order: str) -> list[tuple[Any, ...]]:
            return self.session.engine.query(
                f"SELECT {columns} FROM journey.{view} WHERE journey = $journey ORDER BY {order}",
                {"journey": self.trial.journey},
            )

        decided = [
            Message(at=at, step=step, channel=channel)
            for at, step, channel in rows(
                "decided_at, step, channel", "messages", "decided_at, message_id"
            )
        ] + [
            Message(at=at, step=step, channel=service, call=True)
            for at, step, service in rows(
                "decided_at, step, service", "calls", "decided_at, message_id"
            )
        ]
        return Played(
            entries=tuple(
                Entry(at=at, status=status, reason=reason, ended_at=ended)
                for at, status, reason, ended in rows(
                    "entered_at, status, reason, ended_at", "runs", "entered_at, run_id"
                )
            ),
            moves=tuple(
                Move(at=at, run=run, origin=origin, to=to, why=why)
                for at, run, origin, to, why in rows(
                    '"at", run_id, from_step, to_step, why', "history", 'tick, "at", run_id'
                )
            ),
            messages=tuple(sorted(decided, key=lambda message: message.at)),
            non_sends=tuple(
                NonSend(at=at, step=step, reason=reason, figures=json.loads(figures or "{}"))
                for at, step, reason, figures in rows(
                    '"at", step, reason, figures', "non_sends", '"at", step'
                )
            ),
            exposures=tuple(
                Exposed(at=at, experiment=experiment, arm=arm)
                for at, experiment, arm in rows('"at", experiment, arm', "exposures", '"at"')
            ),
            unheard=tuple(self.unheard),
            until=until,
        )
