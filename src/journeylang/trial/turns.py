"""Whose turn it is: in a database that tests share, a tick is for those alone who are due in it.

To the others no time passes. Their runs rest, and they are no customers: no condition is asked of
them, which might be true between two of their own ticks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from journeylang.model.entry import EnterWhen
from journeylang.runtime.entries import mark, turn_of
from journeylang.runtime.session import Session
from journeylang.sql.dialects import text
from journeylang.sql.schema import ACTIVE
from journeylang.trial.fixtures import LIVE

if TYPE_CHECKING:
    from journeylang.trial.play import Course

_ASIDE = -1
"""The status of a run whose customer waits for their turn."""
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(slots=True, kw_only=True)
class Turns:
    """`every` is how often the journey looks for who may enter, in seconds."""

    session: Session
    journey: int
    every: int | None = None
    ticks: int = 0
    looked: dict[str, datetime] = field(default_factory=dict)

    def taken(self, due: Sequence[Course], now: datetime) -> Iterator[list[Course]]:
        """Those who are due, as they take their turns; the tick is made while they have it."""
        every = self.every
        first: list[Course] = []
        again: list[Course] = []
        for course in due:
            last = self.looked.get(course.part.key)
            looks = every is None or turn_of(now, last, every)
            (first if looks else again).append(course)
        for group, looks in ((first, True), (again, False)):
            if group:
                self._next([course.part.key for course in group], now, looks=looks)
                yield group
                if looks:
                    self.looked |= {course.part.key: now for course in group}

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
        counts = next((kept for _, kept in self.session.memory.values()), None)
        self.session.memory.clear()
        self.session.memory[self.ticks] = ({} if looks else {mark(self.journey): now}), counts


def turns(session: Session, journey: str) -> Turns:
    """The turns of tests of a journey."""
    plan = next(p for p in session.ready.program.journeys if p.name == journey)
    every = plan.entry.every if isinstance(plan.entry, EnterWhen) else None
    return Turns(session=session, journey=plan.journey, every=every)
