"""Which answers of people anything in a dry run reads: no other need be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from journeylang.model.assumptions import Assumption
from journeylang.model.expressions import MessageEvent
from journeylang.model.measures import RATES, Target
from journeylang.model.project import Project
from journeylang.plan.operations import OpeningHour
from journeylang.runtime.program import Ready
from journeylang.simulate.behaviour import SUPPRESSING


def read(ready: Ready, project: Project, lines: Sequence[Assumption]) -> frozenset[str]:
    """Names of what may happen to messages."""
    names = set(SUPPRESSING)
    plans = ready.program.journeys
    running = [project.journeys[plan.name] for plan in plans]
    known = (project.metrics, project.segments, project.policies)
    for part in _parts((*plans, *running, *known, *(line.after for line in lines))):
        match part:
            case MessageEvent():
                names.add(part.name)
            case Target() if part.measure in RATES:
                names.add(RATES[part.measure])
            case OpeningHour():
                names.add("opened")
    return frozenset(names)


def _parts(whole: object) -> Iterator[object]:
    """Everything that is in it, each once: branches of a plan share what is behind them."""
    seen: set[int] = set()
    waiting: list[object] = [whole]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, tuple | list | frozenset):
            waiting += part
        elif is_dataclass(part) and id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += (getattr(part, f.name) for f in fields(part))
