"""Playing tests: ticks at every dated line and every wake, until nothing is left."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta

from journeylang.classes import dataclass
from journeylang.model.entry import EnterBySchedule, EnterByStart, Yearly
from journeylang.model.expressions import CustomerValue, MessageEvent
from journeylang.model.journey import Start
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.trials import Happening, Started
from journeylang.runtime.schedules import occurrences
from journeylang.runtime.session import Session
from journeylang.runtime.tick import tick
from journeylang.runtime.zones import zone
from journeylang.sql.schema import ACTIVE
from journeylang.trial.clock import dated
from journeylang.trial.fixtures import handed
from journeylang.trial.part import Part
from journeylang.trial.played import Ended, Played, collect
from journeylang.trial.theatre import BEFORE
from journeylang.trial.turns import turns

LONGEST = timedelta(days=400)
# `start` takes effect at a later tick.
_SOON = timedelta(seconds=1)


def play(
    stage: Project, session: Session, parts: Sequence[Part], *, shared: bool = False
) -> list[Played]:
    """Play tests on the staged project, in a database that was set up for them: all in its ticks.

    Only in one that is `shared` may there be several of them; each then sees those ticks alone
    that it would have by itself.

    Raises:
        StatementError, JourneyFailedError: the database refused a statement of the compiler's.
    """
    courses = [Course(session, stage, part) for part in parts]
    sharing = turns(session, meeting(parts)) if shared else None
    starts = any(isinstance(s, Start) for j in stage.journeys.values() for s in steps(j.body))
    while coming := [c for c in courses if c.comes is not None]:
        alone = min(c.comes for c in coming if c.comes is not None)
        for group, now in [(coming, alone)] if sharing is None else sharing.taken(coming):
            for course in group:
                course.begin()
            tick(session, now)
            wakes = dict(
                session.engine.query(
                    f"SELECT customer_id, min(wake_at) FROM journey.run WHERE status = {ACTIVE}"
                    " GROUP BY customer_id"
                )
            )
            for course in group:
                wake = wakes.get(course.part.key)
                if wake is not None:
                    course.add(wake)
            if starts and session.engine.query(
                'SELECT 1 FROM journey.pending_entry WHERE "at" >= $now LIMIT 1', {"now": now}
            ):
                for course in group:
                    course.add(now + _SOON)
    if sharing is not None and sharing.shifting is not None:
        sharing.shifting.move([(course, timedelta()) for course in courses])
    return collect(session, [course.ended for course in courses])


def meeting(parts: Sequence[Part]) -> datetime:
    """When the ticks of tests are that are moved to one instant."""
    return max(part.clock.start for part in parts)


@dataclass(slots=True)
class Course:
    """How far a test has come. `waiting` are the instants of its ticks that are known.

    Its rows stand so much later in the database as it is shifted.
    """

    session: Session
    project: Project
    part: Part
    unheard: list[Happening] = field(default_factory=list)
    heard: int = 0
    shift: timedelta = timedelta()
    now: datetime = field(init=False)
    waiting: list[datetime] = field(init=False)
    feedback: list[tuple[datetime, int, Happening]] = field(init=False)

    def __post_init__(self) -> None:
        clock, trial = self.part.clock, self.part.trial
        self.now = clock.start
        self.waiting = sorted({clock.start, *map(clock.instant, dated(trial)), *self._schedule()})
        self.feedback = sorted(
            (
                (clock.instant(h.at), n, h)
                for n, h in enumerate(trial.happenings)
                if isinstance(h.event, MessageEvent | Started)
            ),
            key=lambda one: one[:2],
        )

    @property
    def comes(self) -> datetime | None:
        """The instant of its next tick."""
        if not self.waiting or self.waiting[0] > self.part.clock.start + LONGEST:
            return None
        return self.waiting[0]

    @property
    def ended(self) -> Ended:
        """How it has ended, once nothing comes."""
        return Ended(part=self.part, until=self.now, unheard=tuple(self.unheard))

    def begin(self) -> None:
        """It has come to its next tick: what happens then has happened."""
        self.now = heapq.heappop(self.waiting)
        while self.feedback and self.feedback[0][0] <= self.now:
            self._feed_back(self.feedback.pop(0)[2])

    def add(self, shifted: datetime) -> None:
        """Another instant at which there is something to do, as the database has it."""
        later = shifted - self.shift
        if later > self.now and later not in self.waiting:
            heapq.heappush(self.waiting, later)

    def _schedule(self) -> Iterator[datetime]:
        """When the clock alone lets people in, up to the last dated line, or once behind it."""
        entry = self.project.journeys[self.part.trial.journey].entry
        if not isinstance(entry, EnterBySchedule):
            return
        tz = self.part.clock.zone if entry.local else zone("UTC")
        assert tz is not None
        last = max(map(self.part.clock.instant, dated(self.part.trial)))
        born = self._date(entry.schedule)
        for due in occurrences(tz, entry.schedule, self.part.clock.start - BEFORE, last + LONGEST):
            if born is None or due.month_day in (None, born.month * 100 + born.day):
                yield due.at
                if due.at > last:
                    return

    def _date(self, schedule: object) -> date | None:
        if isinstance(schedule, Yearly) and isinstance(schedule.date, CustomerValue):
            given = dict(self.part.trial.customer).get(schedule.date.name)
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
                "customer": self.part.key,
                "journey": name,
                "key": f"start {self.heard:06}",
                "at": self.part.clock.instant(happening.at) - BEFORE + self.shift,
                "entry": handed(entry, dict(happening.values), self.part.clock.zone),
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
        asked = {
            "customer_id": self.part.key,
            "channel": source.channel,
            "step": source.path,
            "journey": source.journey,
        }
        given = {name: one for name, one in asked.items() if one is not None}
        found = engine.query(
            "SELECT customer_id, message_id, decided_at FROM journey.messages"
            f" WHERE {' AND '.join(f'{name} = ${name}' for name in given)}"
            " ORDER BY decided_at DESC, message_id LIMIT 1",
            given,
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
                "at": max(decided, self.part.clock.instant(happening.at) + self.shift),
                "data": json.dumps({n: v.value for n, v in happening.values}, default=str),
            },
        )
