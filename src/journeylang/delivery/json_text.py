"""A structure with values in it as bytes of JSON, without making the structure first.

All that is constant between the values is text already. What is none is left out, and so is a
table or list that has nothing left because of it: each choice of values that are there has a text
of its own, made when it is first met. The bytes are those of `json.dumps`, without blanks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from journeylang.classes import dataclass

_MOST = 256
"""Choices that are remembered: a few are met."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is JSON already, and stands as it is."""

    content: bytes


def dumped(value: Any) -> bytes:
    """JSON as it leaves: no blanks, letters as they are, and `?` for what is no character."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value).encode("utf-8", "replace")
    if kind is Written:
        return bytes(value.content)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class Texts:
    """The texts of one structure. `filled` puts into it what is there: numbers of values, as
    objects of the class `slot`."""

    def __init__(self, filled: Callable[[Sequence[bool]], Any], slot: Callable[[Any], int | None]):
        self._filled = filled
        self._slot = slot
        self._known: dict[tuple[bool, ...], tuple[list[bytes], list[int]]] = {}

    def json(self, values: Sequence[Any]) -> bytes:
        """The structure with these values, of which some may be None."""
        there = tuple([value is not None for value in values])
        known = self._known.get(there)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[there] = self._text(there)
        constants, numbers = known
        parts = constants.copy()
        for place, number in enumerate(numbers):
            parts[2 * place + 1] = dumped(values[number])
        return b"".join(parts)

    def _text(self, there: tuple[bool, ...]) -> tuple[list[bytes], list[int]]:
        parts: list[bytes] = [b""]
        numbers: list[int] = []
        for part in self._parts(self._filled(there)):
            if isinstance(part, int):
                numbers.append(part)
                parts += [b"", b""]
            else:
                parts[-1] += part
        return parts, numbers

    def _parts(self, part: Any) -> Iterator[bytes | int]:
        number = self._slot(part)
        if number is not None:
            yield number
            return
        match part:
            case dict():
                for at, (name, inner) in enumerate(part.items()):
                    yield (b"," if at else b"{") + dumped(name) + b":"
                    yield from self._parts(inner)
                yield b"}" if part else b"{}"
            case list():
                for at, inner in enumerate(part):
                    yield b"," if at else b"["
                    yield from self._parts(inner)
                yield b"]" if part else b"[]"
            case _:
                yield dumped(part)
