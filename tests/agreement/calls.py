"""Calls outside, generated, and their values as both forms have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from journeylang.model.journey import Invoke, Several
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.types import Kind
from tests.agreement.expressions import Expressions, Names

_KINDS = ("int", "int", "money", "text", "instant", "number")


def call(draw: Expressions, label: str, names: Names) -> str:
    """``c1: invoke loyalty "award" with { … }``"""
    given = []
    for name in ("a", "b")[: draw.pick((0, 1, 1, 2))]:
        kind = draw.pick(_KINDS)
        values = [draw.value(names, kind) for _ in range(draw.pick((1, 1, 1, 2)))]
        several = f"[{', '.join(values)}]"
        given.append(f"{name}: {values[0] if len(values) == 1 else several}")
    with_ = f" with {{ {', '.join(given)} }}" if given else ""
    return f'{label}: invoke {draw.pick(("loyalty", "crm"))} "{draw.pick(("award", "x.y"))}"{with_}'


Shown = tuple[tuple[str, object], ...]

Calls = dict[tuple[str, str], Invoke]
"""All calls of all versions, by journey and path; each has the same values in all of them."""


def remember(calls: Calls, project: Project) -> None:
    for name, journey in project.journeys.items():
        found = (step for step in steps(journey.body) if isinstance(step, Invoke))
        calls.update({(name, step.path): step for step in found})


def stored(content: str | None, step: Invoke) -> Shown:
    """The values that the runtime keeps, by the types of the step."""
    read = {} if content is None else json.loads(content, parse_float=Decimal)
    return shown(read, step)


def shown(data: Mapping[str, Any], step: Invoke) -> Shown:
    """Values by name, as both forms can be compared: JSON has fewer kinds than the language."""
    return tuple(
        (
            name,
            tuple(_plain(item, given) for item in data[name] if item is not None)
            if isinstance(given, Several)
            else _plain(data[name], given),
        )
        for name, given in step.values
    )


def _plain(value: Any, given: Any) -> object:
    kind = given.type.kind if given.type is not None else Kind.TEXT
    match value:
        case None | bool():
            return value
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
    match kind:
        case Kind.NUMBER:
            return f"{float(value):.9g}"
        case Kind.MONEY:
            return Decimal(value).quantize(Decimal("0.0001"))
        case Kind.INSTANT:
            return datetime.fromisoformat(value).isoformat(sep=" ")
        case _:
            return value
