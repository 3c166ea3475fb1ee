"""Places in an answer: `body:errors.0.code`, `body:data.*.id`, `header:Retry-After`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


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
    kind, _, path = place.partition(":")
    if kind == "header":
        value = reply.headers.get(path.lower())
        if value is not None:
            yield value
        return
    yield from below(reply.body, path)


def below(value: Any, path: str) -> Iterator[Any]:
    """Every value at a path below another; the empty path is the value itself."""
    values = [value]
    for part in path.split(".") if path else ():
        values = [inner for outer in values for inner in _step(outer, part)]
    yield from (one for one in values if one is not None)


def first(reply: Reply, places: tuple[str, ...]) -> Any:
    """The first value at the first place that has one; None where none has."""
    return next((value for place in places for value in found(reply, place)), None)


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
