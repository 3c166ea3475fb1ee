"""A project's model as JSON can hold it, and back: what it means without the text being read again.

Only classes of the model are made, by their names: it is data that somebody else could have
written, and no more than data comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from journeylang.model import (
    assumptions,
    binding,
    entry,
    expressions,
    journey,
    lists,
    measures,
    policy,
    project,
    trials,
    types,
)
from journeylang.model.project import Project
from journeylang.source import Span

_MODULES = (
    *(assumptions, binding, entry, expressions, journey, lists),
    *(measures, policy, project, trials, types),
)


class NotPlainError(Exception):
    """There is something in a model that this does not know how to write down."""


def plain(value: Project) -> dict[str, Any]:
    """Every value is itself or a list, which begins with what it is: a number is a class."""
    classes: dict[type[Any], int] = {}
    written = _plain(value, classes)
    return {"classes": [f"{one.__module__}.{one.__name__}" for one in classes], "value": written}


def _plain(value: object, classes: dict[type[Any], int]) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    match value:
        case Span():
            return ["span", *value]
        case tuple() if type(value) is tuple:
            return ["tuple", *(_plain(one, classes) for one in value)]
        case list() if type(value) is list:
            return ["list", *(_plain(one, classes) for one in value)]
        case frozenset() if type(value) is frozenset:
            return ["set", *(_plain(one, classes) for one in value)]
        case dict() if type(value) is dict:
            return ["dict", *(_plain(one, classes) for pair in value.items() for one in pair)]
        case Enum():
            return ["enum", _number(type(value), classes), value.value]
        case Decimal() | float():
            return [type(value).__name__, str(value)]
        case datetime() | date() | time():
            return [type(value).__name__, value.isoformat()]
        case timedelta():
            return ["timedelta", value.days, value.seconds, value.microseconds]
        case _ if is_dataclass(value) and not isinstance(value, type):
            values = (_plain(getattr(value, each.name), classes) for each in fields(value))
            return [_number(type(value), classes), *values]
        case _:
            raise NotPlainError(type(value).__name__)


def _number(kind: type[Any], classes: dict[type[Any], int]) -> int:
    return classes.setdefault(kind, len(classes))


def project_of(written: Mapping[str, Any]) -> Project:
    """The model that was written down.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, IndexError: it is none of this version's.
    """
    known = {
        f"{one.__module__}.{one.__name__}": one
        for module in _MODULES
        for one in vars(module).values()
        if isinstance(one, type)
    }
    classes = [known[name] for name in written["classes"]]
    makers: dict[object, Callable[[list[Any]], Any]] = {
        "span": lambda parts: Span(*parts),
        "tuple": lambda parts: tuple(map(made, parts)),
        "list": lambda parts: list(map(made, parts)),
        "set": lambda parts: frozenset(map(made, parts)),
        "dict": lambda parts: dict(zip(map(made, parts[::2]), map(made, parts[1::2]), strict=True)),
        "enum": lambda parts: classes[parts[0]](parts[1]),
        "Decimal": lambda parts: Decimal(parts[0]),
        "float": lambda parts: float(parts[0]),
        "datetime": lambda parts: datetime.fromisoformat(parts[0]),
        "date": lambda parts: date.fromisoformat(parts[0]),
        "time": lambda parts: time.fromisoformat(parts[0]),
        "timedelta": lambda parts: timedelta(*parts),
    }

    def made(value: Any) -> Any:
        return makers[value[0]](value[1:]) if type(value) is list else value

    makers |= {number: _maker(kind, made) for number, kind in enumerate(classes)}
    whole = made(written["value"])
    if not isinstance(whole, Project):
        raise TypeError(type(whole).__name__)
    return whole


def _maker(kind: type[Any], made: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    names = [each.name for each in fields(kind)] if is_dataclass(kind) else []

    def make(parts: list[Any]) -> Any:
        return kind(**dict(zip(names, map(made, parts), strict=True)))

    return make
