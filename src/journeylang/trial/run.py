"""Running tests, several at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from journeylang.engines.base import StatementError
from journeylang.model.project import Project
from journeylang.model.trials import Trial
from journeylang.runtime.session import JourneyFailedError
from journeylang.trial.clock import clock_of
from journeylang.trial.fixtures import customer_key
from journeylang.trial.judge import Failure, judge
from journeylang.trial.play import Played, play
from journeylang.trial.theatre import Program, Theatre, program_of
from journeylang.trial.timeline import timeline

MOST = 10
"""So many tests are played in one database: others can be played in another meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a test. `lines` is its timeline, `seconds` how long it took.

    `error`: what the database refused; `played` is then None.
    """

    trial: Trial
    failures: tuple[Failure, ...] = ()
    played: Played | None = None
    lines: tuple[str, ...] = ()
    error: str | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.error is None and not self.failures


def chosen(trials: Iterable[Trial], words: str | None) -> tuple[Trial, ...]:
    """Those whose journey or title has all the words in it, whatever their case."""
    wanted = (words or "").lower().split()
    return tuple(
        trial
        for trial in trials
        if all(word in f"{trial.journey} {trial.title}".lower() for word in wanted)
    )


def run_trials(project: Project, trials: Iterable[Trial]) -> Iterator[Result]:
    """Play all tests, several at once, each alone in a database in memory; in the order given.

    Those that see the same program are played one after the other, in a database of theirs.
    """
    wanted = list(trials)
    results: dict[int, Future[list[Result]]] = {}
    places: dict[int, tuple[int, int]] = {}
    with ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
        try:
            for number, group in enumerate(_together(wanted)):
                results[number] = pool.submit(_play_all, project, [wanted[n] for n in group])
                places |= {n: (number, place) for place, n in enumerate(group)}
            for n in range(len(wanted)):
                number, place = places[n]
                yield results[number].result()[place]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _together(trials: list[Trial]) -> Iterator[list[int]]:
    """Which tests are played in one database, by their places."""
    groups: dict[Program, list[int]] = {}
    for n, trial in enumerate(trials):
        groups.setdefault(program_of(trial), []).append(n)
    for group in groups.values():
        for first in range(0, len(group), MOST):
            yield group[first : first + MOST]


def _play_all(project: Project, trials: list[Trial]) -> list[Result]:
    theatre = Theatre(project=project)
    try:
        found = []
        for trial in trials:
            began = time.perf_counter()
            result = _run(theatre, project, trial)
            found.append(replace(result, seconds=time.perf_counter() - began))
        return found
    finally:
        theatre.close()


def _run(theatre: Theatre, project: Project, trial: Trial) -> Result:
    clock = clock_of(project.binding, trial)
    try:
        key = customer_key(project.binding, trial)
        stage, session = theatre.set_up(trial, clock, key)
        played = play(stage, session, trial, clock, key)
    except (StatementError, JourneyFailedError) as error:
        # What it has left behind is nobody's beginning.
        theatre.close()
        return Result(trial=trial, error=str(error))
    return Result(
        trial=trial,
        played=played,
        failures=judge(trial, played, clock),
        lines=tuple(timeline(trial, played, clock)),
    )
