"""What a journey's goals and experiments ask of the same tables, read in one statement."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.model.journey import Journey
from journeylang.report.experiments import trials
from journeylang.report.groups import by_arm, by_first_entry
from journeylang.report.outcomes import not_measured, read_together
from journeylang.report.source import Source
from journeylang.report.sums import Question


def prepare(source: Source, journey: Journey) -> None:
    """Behind it `goals` and `experiments` have nothing left to read but what asks of runs."""
    read_together(source, journey, list(_questions(source, journey)))


def _questions(source: Source, journey: Journey) -> Iterator[Question]:
    for goal in journey.goals:
        if not_measured(source, goal) is None:
            yield Question(goal=goal, groups=by_first_entry(source, journey), worth=True)
    for trial in trials(journey):
        if trial.salt is None:
            continue
        groups = by_arm(source, journey, trial.path, trial.salt)
        for goal in trial.goals:
            if not_measured(source, goal) is None:
                yield Question(goal=goal, groups=groups, worth=False)
