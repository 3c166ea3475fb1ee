"""What a journey's goals and experiments ask of the same tables, read in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import replace

from journeylang.engines.base import DatabaseUnavailableError, Engine
from journeylang.model.journey import Journey
from journeylang.report.experiments import trials
from journeylang.report.groups import by_arm, by_first_entry, entries
from journeylang.report.outcomes import not_measured, read_together
from journeylang.report.source import Source
from journeylang.report.sums import Question


@contextmanager
def read_beside(source: Source, journey: Journey) -> Iterator[Callable[[], None]]:
    """Read it by a connection of its own while other parts of the report are read by theirs.

    What is given waits for it: behind that `goals` and `experiments` find it read. It is half of
    the work, and PostgreSQL does hardly any of it on more than one processor. Nothing is read ahead
    of a report that keeps nothing.
    """
    if source.kept is None:
        yield lambda: None
        return
    entries(source, journey)  # asked for on both sides
    try:
        beside = source.engine.beside()
    except DatabaseUnavailableError:
        # No more connections: `goals` and `experiments` read by this one.
        yield lambda: None
        return
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            read = pool.submit(prepare, replace(source, engine=beside), journey)
            try:
                yield read.result
            except BaseException:
                _end(read, beside)
                raise
    finally:
        beside.close()


def _end(read: Future[None], beside: Engine) -> None:
    """Nobody waits for it any more: neither for the statement that runs nor for the next."""
    while not read.done():
        beside.interrupt()
        wait_for([read], timeout=0.1)


def prepare(source: Source, journey: Journey) -> None:
    """Behind it `goals` and `experiments` have nothing left to read."""
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
