"""Whose turn it is: in a database that tests share, a tick is for those alone who are due in it.

To the others no time passes. Their runs rest, and they are no customers: no condition is asked of
them, which might be true between two of their own ticks.

Where nothing hangs on the date, the next ticks of all tests are one: each test's rows are moved in
time to where the tick is, with the clocks of its customer (`shifting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.model.entry import EnterWhen
from journeylang.runtime.entries import mark, turn_of
from journeylang.runtime.session import Memory, Session
from journeylang.sql.dialects import text
from journeylang.sql.schema import ACTIVE
from journeylang.trial.fixtures import LIVE
from journeylang.trial.shifting import ShiftedZones, Shifting

if TYPE_CHECKING:
    from journeylang.trial.play import Course

_ASIDE = -1
"""The status of a run whose customer waits for their turn."""
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(slots=True, kw_only=True)
class Turns:
    """`every` is how often a journey looks for who may enter, in seconds, by its name.

    `shifting` is how tests are moved to `instant`; None: each tick is at its own instant.
    """

    session: Session
    every: Mapping[str, int]
    marks: Sequence[str]
    shifting: Shifting | None
    instant: datetime
    ticks: int = 0
    looked: dict[str, datetime] = field(default_factory=dict)

    def taken(self, coming: Sequence[Course]) -> Iterator[tuple[list[Course], datetime]]:
        """Those who are due, as they take their turns, and when; the tick is made meanwhile."""
        due = [(course.comes, course) for course in coming if course.comes is not None]
        # A run that enters on a condition is named for its instant: no two ticks have the same.
        now = self.instant + timedelta(seconds=self.ticks)
        if self.shifting is None:
            now = min(comes for comes, _ in due)
            due = [(comes, course) for comes, course in due if comes == now]
        first: list[tuple[datetime, Course]] = []
        again: list[tuple[datetime, Course]] = []
        for comes, course in due:
            every = self.every.get(course.part.trial.journey)
            last = self.looked.get(course.part.key)
            looks = every is None or turn_of(comes, last, every)
            (first if looks else again).append((comes, course))
        for group, looks in ((first, True), (again, False)):
            if group:
                self._next([course.part.key for _, course in group], now, looks=looks)
                if self.shifting is not None:
                    self.shifting.move([(course, now - comes) for comes, course in group])
                yield [course for _, course in group], now
                if looks:
                    self.looked |= {course.part.key: comes for comes, course in group}

    def _next(self, keys: Sequence[str], now: datetime, *, looks: bool) -> None:
        engine = self.session.engine
        self.ticks += 1
        before = engine.dialect.instant(now - _JUST_BEFORE)
        listed = ", ".join(f"({text(key)})" for key in keys)
        engine.execute(
            f"""DELETE FROM {LIVE};
INSERT INTO {LIVE} VALUES {listed};
UPDATE journey.run SET status = CASE WHEN customer_id IN (SELECT key FROM {LIVE})
  THEN {ACTIVE} ELSE {_ASIDE} END WHERE status IN ({ACTIVE}, {_ASIDE});
DELETE FROM journey.watermark;
UPDATE journey.lock SET token = {self.ticks}, previous = {before}, now = {before}"""
        )
        counts = next((kept.counts for kept in self.session.memory.values()), None)
        self.session.memory.clear()
        marks = {} if looks else dict.fromkeys(self.marks, now)
        self.session.memory[self.ticks] = Memory(marks=marks, counts=counts)


def turns(session: Session, instant: datetime) -> Turns:
    """The turns of tests that share a database; `instant` is that of shifted ticks."""
    plans = session.ready.program.journeys
    every = {
        plan.name: plan.entry.every
        for plan in plans
        if isinstance(plan.entry, EnterWhen) and plan.entry.every is not None
    }
    shifted = isinstance(session.zones, ShiftedZones)
    return Turns(
        session=session,
        every=every,
        marks=[mark(plan.journey) for plan in plans if plan.name in every],
        shifting=Shifting.begin(session) if shifted else None,
        instant=instant,
    )
