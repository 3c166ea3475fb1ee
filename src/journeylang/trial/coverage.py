"""What of the journeys no test has reached: steps, arms, branches, exits, ways out of a wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from journeylang.classes import dataclass
from journeylang.model.journey import (
    Experiment,
    If,
    Invoke,
    Journey,
    Leave,
    Race,
    Repeat,
    Send,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.source import Span
from journeylang.trial.run import Result

# An `if` has no label: its condition's place tells it apart.
_IF = "if"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing that a test may reach: `what` of the step `path`."""

    journey: str
    path: str
    what: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    reached: int
    missed: tuple[Point, ...]

    @property
    def total(self) -> int:
        return self.reached + len(self.missed)

    @property
    def percent(self) -> int:
        """Rounded down: only all is 100."""
        return 100 * self.reached // self.total if self.total else 100


def coverage(project: Project, results: Iterable[Result]) -> Coverage:
    """Of all journeys of the project, those without a test too."""
    seen: set[tuple[str, str, str]] = set()
    decided: set[tuple[str, Span, str]] = set()
    for result in results:
        seen |= {(result.trial.journey, *point) for point in _seen(result)}
        if result.played is not None:
            decided |= {
                (result.trial.journey, span, "then" if taken else "else")
                for span, taken in result.played.branches
            }
    points = [point for journey in project.journeys.values() for point in _points(journey)]
    missed = tuple(
        p
        for p in points
        if (p.journey, p.path, p.what) not in seen and (p.journey, p.span, p.what) not in decided
    )
    return Coverage(reached=len(points) - len(missed), missed=missed)


def _points(journey: Journey) -> Iterator[Point]:
    def point(path: str, what: str, span: Span) -> Point:
        return Point(journey=journey.name, path=path, what=what, span=span)

    for way_out in journey.exits:
        yield point("exit", way_out.reason, way_out.span)
    for step in steps(journey.body):
        match step:
            case Wait() | WaitMoment() | Repeat():
                yield point(step.path, "reached", step.span)
            case Race() | WaitState():
                yield point(step.path, "reached", step.span)
                yield point(step.path, "event" if isinstance(step, Race) else "state", step.span)
                yield point(step.path, "timeout", step.span)
            case Send() | Invoke():
                yield point(step.path, "sent", step.span)
            case Experiment():
                for arm in step.arms:
                    yield point(step.path, f"arm {arm.name}", arm.span)
            case If():
                for what in ("then", "else"):
                    yield point(_IF, what, step.condition.span)
            case Leave():
                yield point("exit", step.reason, step.span)
            case _:
                pass


def _seen(result: Result) -> Iterator[tuple[str, str]]:
    played = result.played
    if played is None:
        return
    for move in played.moves:
        if move.to is not None:
            yield move.to, "reached"
            # Whoever comes to a step within a loop has come to the loop.
            parts = move.to.split("/")
            yield from (("/".join(parts[:n]), "reached") for n in range(1, len(parts)))
        if move.origin is not None:
            yield move.origin, move.why
            yield move.origin, "reached"
    yield from ((m.step, "sent") for m in played.messages)
    yield from ((x.experiment, f"arm {x.arm}") for x in played.exposures)
    for entry in played.entries:
        if entry.reason is not None:
            yield "exit", entry.reason
