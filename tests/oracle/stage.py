"""What all phases of a tick share: who is there, what is new, and how a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from journeylang.model.expressions import BoundEvent, EventSource, Expression
from journeylang.model.project import Project
from tests.oracle.clock import DAY
from tests.oracle.facts import Exposure, Happening, Memory, Run, Status, Tables
from tests.oracle.reading import Reader
from tests.oracle.sends import Rules
from tests.oracle.values import Subject
from tests.oracle.ways import Way

FEEDBACK_LATE = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A run on its way: the steps before it. `entered` if it enters with this tick."""

    run: Run
    way: Way
    entered: bool = False


class Stage:
    """One tick's view of the world. A tick does not go back."""

    def __init__(self, project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
        self.project = project
        self.memory = memory
        self.previous = memory.now
        self.now = max(now, memory.now)
        self.reader = Reader(project, tables, memory, self.now)
        # With this tick.
        self.exposed: list[Exposure] = []
        self.rules = Rules(reader=self.reader, memory=memory)

    def active(self) -> list[Run]:
        return [run for run in self.memory.runs if run.status == "active"]

    def holds(self, condition: Expression, run: Run, event: Happening | None = None) -> bool:
        """A condition of a run's, now."""
        customer = self.reader.customers.get(run.customer)
        subject = Subject(customer=customer, run=run, event=event)
        return self.reader.evaluator.holds(condition, subject)

    def value(self, node: Expression, run: Run) -> Any:
        """A value, as a run sees it now."""
        customer = self.reader.customers.get(run.customer)
        return self.reader.evaluator.value(node, Subject(customer=customer, run=run))

    def paused(self, journey: str) -> bool:
        return any(p.journey == journey and p.until is None for p in self.memory.pauses)

    def slept_since(self, journey: str) -> datetime:
        """The last tick that moved the journey: the one before, or that before a pause."""
        slept = [p.after for p in self.memory.pauses if p.journey == journey and not p.awake]
        return min([self.previous, *slept])

    def is_new(
        self, source: EventSource, event: Happening, previous: datetime | None = None
    ) -> bool:
        """A row that comes up to `late` after the fact moves as if it had been there."""
        late = FEEDBACK_LATE
        if isinstance(source, BoundEvent):
            late = timedelta(seconds=self.project.binding.events[source.name].late)
        return (previous or self.previous) - late < event.at

    def end(self, run: Run, status: Status, reason: str, at: datetime) -> None:
        run.status = status
        run.step, run.wake_at, run.reason, run.arrived_at = None, None, reason, at

    def expose(self, run: Run, experiment: str, arm: str, at: datetime, *, salt: str = "") -> None:
        """The first time counts: of two in one tick the earlier, or that of the lower run id."""
        exposure = Exposure(
            journey=run.journey,
            experiment=experiment,
            salt=salt,
            customer=run.customer,
            arm=arm,
            at=at,
            run_id=run.run_id,
        )
        for position, x in enumerate(self.memory.exposures):
            here = (run.journey, experiment, salt, run.customer)
            if (x.journey, x.experiment, x.salt, x.customer) == here:
                if x in self.exposed and (at, run.run_id) < (x.at, x.run_id):
                    self.memory.exposures[position] = exposure
                    self.exposed.append(exposure)
                return
        self.memory.exposures.append(exposure)
        self.exposed.append(exposure)
