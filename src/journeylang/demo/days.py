"""The virtual days: ticks and deliveries on the demo's database, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field
from datetime import datetime, timedelta
from typing import Self

from journeylang.api import LoadedProject, Runtime
from journeylang.classes import dataclass
from journeylang.demo.figures import Figures, Funnel, Trial
from journeylang.demo.place import OUTBOX
from journeylang.demo.samples import Sample, samples
from journeylang.diagnostics.model import Diagnostic, Outcome


@dataclass(slots=True, kw_only=True)
class Days:
    """Sums over all ticks, and the figures at the end.

    `states`: how many messages are `accepted`, `failed`, still `queued`, and so on.
    """

    ticks: int = 0
    entered: int = 0
    sent: int = 0
    skipped: int = 0
    states: dict[str, int] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    funnels: list[Funnel] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def run_days(
    loaded: LoadedProject,
    env: str,
    instants: list[datetime],
    *,
    deliver: bool,
    progress: Callable[[datetime], None],
) -> Outcome[Days]:
    """Tick at each of `instants`, the first of which applies the journeys; `progress` is told
    before each. Without a value the database could not be used, and the diagnostics say why.
    """
    opened = Runtime.open(loaded, env, now=instants[0])
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    days = Days()
    # One connection ticks, the other delivers: what moves some hundred people is not worth
    # splitting as well.
    if opened.value.engine.dialect.name == "duckdb":
        opened.value.engine.execute("SET threads = 1")
    with opened.value as runtime, _Deliveries(runtime, wanted=deliver) as deliveries:
        for now in instants:
            progress(now)
            tick = runtime.tick(now)
            days.ticks += 1
            days.entered += tick.entered
            days.sent += tick.sent
            days.skipped += tick.skipped
            deliveries.begin(now)
        deliveries.finish()
        runtime.problems += deliveries.problems
        figures = Figures(engine=runtime.engine, project=loaded.project, now=instants[-1])
        days.problems = list(runtime.problems)
        days.states = dict(
            runtime.engine.query("SELECT state, count(*) FROM journey.messages GROUP BY state")
        )
        days.funnels = figures.funnels()
        days.trials = figures.trials()
        days.samples = samples(runtime.engine, loaded.root / OUTBOX)
    return Outcome(value=days, diagnostics=tuple(days.problems))


class _Deliveries:
    """Delivers what a tick has decided while the next ticks run, one delivery at a time.

    What fails meanwhile is given back to its cap a tick or two later than if ticks waited.
    """

    def __init__(self, runtime: Runtime, *, wanted: bool) -> None:
        self.runtime = runtime.beside() if wanted else None
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.running: Future[object] | None = None
        self.latest: datetime | None = None

    @property
    def problems(self) -> list[Diagnostic]:
        return self.runtime.problems if self.runtime is not None else []

    def begin(self, now: datetime) -> None:
        """Deliver as of `now`, behind the delivery before: none may be a tick late."""
        self._await()
        self.latest = now
        if self.runtime is not None:
            self.running = self.pool.submit(self.runtime.deliver, now)

    def finish(self) -> None:
        """Deliver what is left."""
        self._await()
        if self.runtime is not None and self.latest is not None:
            self.runtime.deliver(self.latest)

    def _await(self) -> None:
        if self.running is not None:
            self.running.result()
            self.running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(wait=True)
        if self.runtime is not None:
            self.runtime.close()


def grid(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """start, start + step, … up to and including `end`, if it falls on one."""
    return [start + n * step for n in range((end - start) // step + 1)]
