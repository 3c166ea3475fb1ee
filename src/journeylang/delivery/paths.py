"""Places in an answer: `body:errors.0.code`, `body:data.*.id`, `header:Retry-After`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from journeylang.classes import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as rules see it: names of headers in small letters, the body read as JSON.

    `body` is a text where the answer is no JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: Any


def found(reply: Reply, place: str) -> Iterator[Any]:
    """Every value at the place; none where there is nothing, or null."""
    in_header, parts = _read(place)
    if in_header:
        value = reply.headers.get(parts[0])
        if value is not None:
            yield value
        return
    yield from _below(reply.body, parts)


def below(value: Any, path: str) -> Iterator[Any]:
    """Every value at a path below another; the empty path is the value itself."""
    yield from _below(value, _parts(path))


def first(reply: Reply, places: tuple[str, ...]) -> Any:
    """The first value at the first place that has one; None where none has."""
    for place in places:
        in_header, parts = _read(place)
        if not in_header and len(parts) == 1 and type(reply.body) is dict and parts[0] != "*":
            value = reply.body.get(parts[0])
        else:
            value = next(found(reply, place), None)
        if value is not None:
            return value
    return None


def members(places: Sequence[str]) -> tuple[str, ...] | None:
    """The names of members of a body that is a table, if the places are nothing else."""
    read = [_read(place) for place in places]
    if any(in_header or len(parts) != 1 or parts[0] == "*" for in_header, parts in read):
        return None
    return tuple(name for _, (name,) in read)


@lru_cache(maxsize=1024)
def _read(place: str) -> tuple[bool, tuple[str, ...]]:
    """Whether it is in the headers, and its name or path."""
    kind, _, path = place.partition(":")
    return (True, (path.lower(),)) if kind == "header" else (False, _parts(path))


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _below(value: Any, parts: tuple[str, ...]) -> Iterator[Any]:
    values = [value]
    for part in parts:
        values = [inner for outer in values for inner in _step(outer, part)]
    yield from (one for one in values if one is not None)


def _step(value: Any, part: str) -> list[Any]:
    match value:
        case dict():
            if part == "*":
                return list(value.values())
            return [value[part]] if part in value else []
        case list():
            if part == "*":
                return value
            return [value[int(part)]] if part.isdecimal() and int(part) < len(value) else []
        case _:
            return []
