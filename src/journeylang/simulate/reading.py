"""What of people's doings anything in a dry run reads: no other need be drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from journeylang.model.assumptions import Assumption
from journeylang.model.expressions import BoundEvent, MessageEvent
from journeylang.model.journey import WaitMoment
from journeylang.model.measures import RATES, Target
from journeylang.model.project import Project
from journeylang.simulate.behaviour import SUPPRESSING


def needed(
    project: Project, without: Collection[str], lines: Sequence[Assumption]
) -> tuple[Assumption, ...]:
    """The lines on whose events something rests, with what they follow from; in their order."""
    running = [journey for name, journey in project.journeys.items() if name not in without]
    read = set(_read((*running, project.metrics, project.segments, project.policies)))
    read |= {(True, name) for name in SUPPRESSING}
    while True:
        kept = tuple(line for line in lines if _kind(line.event) in read)
        causes = {_kind(line.after) for line in kept if line.after is not None}
        if causes <= read:
            return kept
        read |= causes


def _kind(event: BoundEvent | MessageEvent) -> tuple[bool, str]:
    """Whether it is about a message, and its name."""
    return isinstance(event, MessageEvent), event.name


def _read(whole: object) -> Iterator[tuple[bool, str]]:
    for part in parts(whole):
        match part:
            case MessageEvent() | BoundEvent():
                yield _kind(part)
            case Target() if part.measure in RATES:
                yield True, RATES[part.measure]
            case WaitMoment():
                # The best hour is that of what was opened.
                yield True, "opened"


def parts(whole: object) -> Iterator[object]:
    """Everything that is in it, each once."""
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
