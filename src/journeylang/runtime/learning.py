"""The shares of adaptive experiments and of best channels, drawn by a UTC day's first tick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from hashlib import md5

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.plan.operations import JourneyPlan, Learning
from journeylang.sql.dialects import text
from journeylang.stats.bandits import chances_of_being_best, floored


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is to be learnt, and the statement of the outcomes so far."""

    of: Learning
    outcomes: str

    @property
    def mark(self) -> str:
        """Names the watermark of its latest draw; another salt begins anew."""
        return f"weights {self.of.experiment} {_hash(self.of.salt)[:8]}"


def due(
    lessons: Mapping[int, tuple[Lesson, ...]],
    plans: Iterable[JourneyPlan],
    marks: Mapping[str, datetime],
    now: datetime,
) -> Iterator[tuple[str, Lesson]]:
    """With its journey's name, each lesson whose shares of the day are still to be drawn."""
    for plan in plans:
        for lesson in lessons.get(plan.journey, ()):
            last = marks.get(lesson.mark)
            if last is None or last.date() < now.date():
                yield plan.name, lesson


def learn(engine: Engine, lessons: Iterable[Lesson], now: datetime) -> None:
    """Draw the shares of the day and keep them; before anybody can be judged, as written.

    Two statements, however much there is to learn.
    """
    lessons = tuple(lessons)
    outcomes = "\nUNION ALL ".join(
        f"SELECT {lesson.of.step}, o.* FROM (\n{lesson.outcomes}) AS o" for lesson in lessons
    )
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for step, arm, n, hits in engine.query(outcomes, {"now": now}):
        found.setdefault(step, {})[arm] = (n, hits)
    rows = ", ".join(row for lesson in lessons for row in _weights(lesson.of, found, now.date()))
    # A person has one arm: twice the same ranges of a day would make two people of everybody.
    engine.execute(f"""INSERT INTO journey.weight (experiment, salt, day, arm, low, high)
SELECT v.* FROM (VALUES {rows}) AS v (experiment, salt, day, arm, low, high)
WHERE NOT EXISTS (SELECT 1 FROM journey.weight AS w
  WHERE w.experiment = v.experiment AND w.salt = v.salt AND w.day = v.day)""")


def _weights(
    learning: Learning, found: Mapping[int, Mapping[str, tuple[int, int]]], day: date
) -> Iterator[str]:
    """The rows of `weight` for one of them; `found` are (judged, reached) by step and arm."""
    outcomes = found.get(learning.step, {})
    counts = [outcomes.get(name, (0, 0)) for name, _, _ in learning.arms]
    if any(judged for judged, _ in counts):
        shares = floored(chances_of_being_best(counts, seed(learning.salt, day)))
    else:
        shares = [high - low for _, low, high in learning.arms]
    low = 0
    for (name, _, _), share in zip(learning.arms, shares, strict=True):
        salt, arm = text(learning.salt), text(name)
        yield f"({learning.experiment}, {salt}, DATE '{day}', {arm}, {low}, {low + share})"
        low += share


def seed(salt: str, day: date) -> int:
    """md5 of salt and day: another day is another draw, the same day never."""
    return int(_hash(f"{salt}:{day.isoformat()}"), 16)


def _hash(what: str) -> str:
    return md5(what.encode(), usedforsecurity=False).hexdigest()
