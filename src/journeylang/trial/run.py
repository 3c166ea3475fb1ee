"""Running tests, several at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial

from journeylang.classes import dataclass
from journeylang.engines.base import StatementError
from journeylang.model.project import Project
from journeylang.model.trials import Trial
from journeylang.runtime.session import JourneyFailedError
from journeylang.trial.apart import begun_apart, can_be_copied
from journeylang.trial.company import company
from journeylang.trial.judge import Failure, judge
from journeylang.trial.part import Part, part_of
from journeylang.trial.play import LONGEST, meeting, play
from journeylang.trial.played import Played
from journeylang.trial.sharing import companies, overdrawn
from journeylang.trial.theatre import BEFORE, Program, Theatre, opened, program_of
from journeylang.trial.timeline import timeline

MOST = 10
"""So many tests are played in one database: others can be played in another meanwhile."""

Play = Callable[[Project, Sequence[Trial]], "list[Result]"]


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
    """Play all tests in databases in memory, several of those at once; in the order given.

    Tests that cannot touch each other are customers of one database and have their ticks in
    common. The others have it for themselves, those that see the same program one after another.
    """
    wanted = list(trials)
    together, alone = companies(project, wanted)
    jobs: list[tuple[Sequence[int], Play]] = [
        (one.places, partial(_play_together, shifted=one.shifted))
        for one in sorted(together, key=lambda one: len(one.places), reverse=True)
    ]
    jobs += [(places, play_in_turn) for places in _in_turn(wanted, alone)]
    work = [
        (places, partial(play_them, project, [wanted[n] for n in places]))
        for places, play_them in jobs
    ]
    processors = os.cpu_count() or 1
    found: dict[int, tuple[Callable[[], list[Result]], int]] = {}
    # Of the second one on, as many as there are processors: copies are made before any thread.
    copied = work[1:processors] if len(together) > 1 and can_be_copied() else []
    own = work[:1] + work[1 + len(copied) :]
    for places, play_them in copied:
        answer = cache(begun_apart(play_them))
        found |= {n: (answer, place) for place, n in enumerate(places)}
    with ThreadPoolExecutor(max_workers=max(1, processors - len(copied))) as pool:
        try:
            for places, play_them in own:
                future = pool.submit(play_them)
                found |= {n: (future.result, place) for place, n in enumerate(places)}
            for n in range(len(wanted)):
                asked, place = found[n]
                yield asked()[place]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _in_turn(trials: list[Trial], places: list[int]) -> Iterator[list[int]]:
    """Which tests are played in one database, by their places."""
    groups: dict[Program, list[int]] = {}
    for n in places:
        groups.setdefault(program_of(trials[n]), []).append(n)
    for group in groups.values():
        for first in range(0, len(group), MOST):
            yield group[first : first + MOST]


def _play_together(project: Project, trials: Sequence[Trial], *, shifted: bool) -> list[Result]:
    began = time.perf_counter()
    stage, parts = company(project, trials, shifted=shifted)
    # What was before a test began is nothing new, whenever that was.
    applied = meeting(parts) - LONGEST if shifted else min(part.clock.start for part in parts)
    try:
        session = opened(stage, parts, applied - BEFORE, shared=True)
        try:
            played = play(stage, session, parts, shared=True)
        finally:
            session.engine.close()
    except (StatementError, JourneyFailedError):
        # Whose fault it is shows by itself.
        return play_in_turn(project, trials)
    again = [
        n
        for n, (part, one) in enumerate(zip(parts, played, strict=True))
        if overdrawn(project, part, one)
    ]
    results = [_judged(part, one) for part, one in zip(parts, played, strict=True)]
    seconds = (time.perf_counter() - began) / len(trials)
    results = [replace(result, seconds=seconds) for result in results]
    for n, result in zip(again, play_in_turn(project, [trials[n] for n in again]), strict=True):
        results[n] = result
    return results


def play_in_turn(project: Project, trials: Sequence[Trial]) -> list[Result]:
    """Play tests one after the other, each alone in its database."""
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
    part = part_of(project.binding, trial)
    try:
        stage, session = theatre.set_up(part)
        (played,) = play(stage, session, [part])
    except (StatementError, JourneyFailedError) as error:
        # What it has left behind is nobody's beginning.
        theatre.close()
        return Result(trial=trial, error=str(error))
    return _judged(part, played)


def _judged(part: Part, played: Played) -> Result:
    return Result(
        trial=part.trial,
        played=played,
        failures=judge(part.trial, played, part.clock),
        lines=tuple(timeline(part.trial, played, part.clock)),
    )
