"""What is served: the project as it was applied last.

A later apply is followed while the server runs. The thread that has the database looks whether
there is another revision, makes ready what rests on it, and puts it in the place of the former one;
requests that are being answered have seen the one or the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from journeylang.api.deploying import what_runs
from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from journeylang.serve.intake import Intake, Shape
from journeylang.serve.metrics import Metrics
from journeylang.serve.taking import Taker

Tell = Callable[[Iterable[Diagnostic]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A project as it was applied, and what follows from it; `taker` makes one over a database."""

    loaded: LoadedProject
    revision: int
    shapes: Mapping[str, Shape]
    taker: Callable[[Engine, Mapping[str, Shape]], Taker]
    former: Mapping[str, Shape]
    """How events looked before: what was posted then may still be in the spool."""


class Current:
    """What is served now."""

    def __init__(self, applied: Applied) -> None:
        self.applied = applied
        self.intake = Intake(shapes=applied.shapes)

    def put(self, applied: Applied) -> None:
        """From now on this."""
        former = {**self.applied.former, **self.applied.shapes}
        self.applied = replace(applied, former=former)
        self.intake = Intake(shapes=applied.shapes)

    def taker(self, engine: Engine) -> Taker:
        """One that takes records as the project has them now."""
        return self.applied.taker(engine, self.applied.former)


@dataclass(slots=True, kw_only=True)
class Follower:
    """Follows later applies; what cannot be served leaves everything as it was, and is told once.

    `ready` says what a project needs to be served, or why it cannot be.
    """

    current: Current
    loaded: LoadedProject
    env: str
    ready: Callable[[Engine, LoadedProject, int], Outcome[Applied]]
    metrics: Metrics
    tell: Tell
    _refused: int = 0

    def look(self, engine: Engine) -> bool:
        """Whether there was another apply, and it is served now.

        Raises:
            StatementError: the database refuses to tell.
        """
        number = revision_number(engine)
        if number in (self.current.applied.revision, self._refused):
            return False
        runs = what_runs(engine, self.loaded, self.env)
        if runs.value is not None:
            found = self.ready(engine, runs.value, number)
            if found.value is not None:
                self.current.put(found.value)
                return True
            self.tell(found.diagnostics)
        else:
            self.tell(runs.diagnostics)
        self._refused = number
        self.metrics.count("journey_failures_total", "kind", "apply")
        return False


def revision_number(engine: Engine) -> int:
    """Of the latest apply; 0 before the first."""
    ((number,),) = engine.query("SELECT coalesce(max(revision), 0) FROM journey.revision")
    return int(number)
