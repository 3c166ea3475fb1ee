"""Numbers of journeys and steps, and every step of a block.

Numbers of an applied project are kept for ever: people in flight rest at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.journey import (
    Experiment,
    Factors,
    Invoke,
    Journey,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.steps import steps

HOLDOUT_PATH = "holdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """Numbers of journeys and steps; those of an applied project are kept for ever."""

    journeys: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # Steps by path and version, at which people rest who finish on it.
    aliases: Mapping[tuple[str, str, int], int] = field(default_factory=dict)
    # Steps that somebody may come to who has been through them.
    again: frozenset[int] = frozenset()


def step_paths(journey: Journey) -> list[tuple[str, str]]:
    """(path, kind) of every labelled step, in the order written, and of the hold-out."""
    found = [(HOLDOUT_PATH, "holdout")]
    for step in steps(journey.body):
        match step:
            case Wait() | WaitMoment() | WaitState():
                found.append((step.path, "wait"))
            case Race():
                found.append((step.path, "race"))
            case Send():
                found.append((step.path, "send"))
            case Experiment():
                found.append((step.path, "experiment"))
            case Repeat():
                found.append((step.path, "repeat"))
            case Set():
                found.append((step.path, "set"))
            case Invoke():
                found.append((step.path, "invoke"))
            case Start():
                found.append((step.path, "start"))
            case Factors():
                found += [(factor.path, "experiment") for factor in step.factors]
            case _:
                pass
    return found


def number(project: Project, known: Numbering | None = None) -> Numbering:
    """Numbers for all journeys and steps: those known, and the next free ones."""
    journeys = dict(known.journeys) if known else {}
    steps = dict(known.steps) if known else {}
    for name in project.journeys:
        journeys.setdefault(name, max(journeys.values(), default=0) + 1)
    aliases = known.aliases if known else {}
    free = max((*steps.values(), *aliases.values()), default=0)
    for name, journey in project.journeys.items():
        for path, _ in step_paths(journey):
            if (name, path) not in steps:
                free += 1
                steps[name, path] = free
    again = known.again if known else frozenset()
    return Numbering(journeys=journeys, steps=steps, aliases=aliases, again=again)
