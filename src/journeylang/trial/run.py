"""Running tests, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from journeylang.engines.base import StatementError
from journeylang.model.project import Project
from journeylang.model.trials import Trial
from journeylang.runtime.session import JourneyFailedError
from journeylang.trial.clock import clock_of
from journeylang.trial.fixtures import customer_key
from journeylang.trial.judge import Failure, judge
from journeylang.trial.play import Played, play
from journeylang.trial.stage import staged
from journeylang.trial.timeline import timeline


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
    """Play each test on a database of its own in memory."""
    for trial in trials:
        began = time.perf_counter()
        result = _run(project, trial)
        yield replace(result, seconds=time.perf_counter() - began)


def _run(project: Project, trial: Trial) -> Result:
    clock = clock_of(project.binding, trial)
    try:
        stage = staged(project, trial)
        played = play(stage, trial, clock, customer_key(project.binding, trial))
    except (StatementError, JourneyFailedError) as error:
        return Result(trial=trial, error=str(error))
    return Result(
        trial=trial,
        played=played,
        failures=judge(trial, played, clock),
        lines=tuple(timeline(trial, played, clock)),
    )
