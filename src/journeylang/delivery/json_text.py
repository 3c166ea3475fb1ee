"""A structure with values in it as bytes of JSON, without making the structure first.

All that is constant between the values is text already. What is none is left out, and so is a
table or list that has nothing left because of it: each choice of values that are there has a text
of its own, made when it is first met. The bytes are those of `json.dumps`, without blanks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any

from journeylang.classes import dataclass

_MOST = 256
"""Choices that are remembered: a few are met."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is JSON already, and stands as it is."""

    content: bytes


def dumped(value: Any) -> str:
    """JSON as it leaves: no blanks, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_Quick = tuple[list[str], Callable[[Sequence[Any]], tuple[str, ...]]]
"""Constants, with a gap behind each but the last, and what fills the gaps."""


class Texts:
    """The texts of one structure. `filled` puts into it what is there: numbers of values, as
    objects of the class `slot`."""

    def __init__(self, filled: Callable[[Sequence[bool]], Any], slot: Callable[[Any], int | None]):
        self._filled = filled
        self._slot = slot
        self._known: dict[tuple[bool, ...], tuple[list[str], list[tuple[int, int]]]] = {}
        self._quick: dict[tuple[type, ...], _Quick | None] = {}

    def of_texts(self, values: Sequence[Any]) -> bytes | None:
        """The same where all that is there is text; None: it is not."""
        kinds = tuple(map(type, values))
        try:
            known = self._quick[kinds]
        except KeyError:
            known = self._quickly(kinds)
        if known is None:
            return None
        constants, chosen = known
        parts = constants.copy()
        parts[1::2] = map(encode_basestring, chosen(values))
        return "".join(parts).encode("utf-8", "replace")

    def _quickly(self, kinds: tuple[type, ...]) -> _Quick | None:
        if len(self._quick) >= _MOST:
            self._quick.clear()
        made: _Quick | None = None
        if set(kinds) <= {str, type(None)}:
            constants, numbers = self._text([kind is str for kind in kinds])
            if len(numbers) > 1:
                made = constants, itemgetter(*(number for _, number in numbers))
        self._quick[kinds] = made
        return made

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
        written: dict[int, bytes] = {}
        for place, number in numbers:
            value = values[number]
            if type(value) is str:
                parts[place] = encode_basestring(value)
            elif type(value) is Written:
                written[place] = value.content
            else:
                parts[place] = dumped(value)
        # `?` for what is no character.
        if not written:
            return "".join(parts).encode("utf-8", "replace")
        return b"".join(
            written[place] if place in written else part.encode("utf-8", "replace")
            for place, part in enumerate(parts)
        )

    def _text(self, there: Sequence[bool]) -> tuple[list[str], list[tuple[int, int]]]:
        parts: list[str] = [""]
        numbers: list[tuple[int, int]] = []
        for part in self._parts(self._filled(there)):
            if isinstance(part, int):
                numbers.append((len(parts), part))
                parts += ["", ""]
            else:
                parts[-1] += part
        return parts, numbers

    def _parts(self, part: Any) -> Iterator[str | int]:
        number = self._slot(part)
        if number is not None:
            yield number
            return
        match part:
            case dict():
                for at, (name, inner) in enumerate(part.items()):
                    yield ("," if at else "{") + dumped(name) + ":"
                    yield from self._parts(inner)
                yield "}" if part else "{}"
            case list():
                for at, inner in enumerate(part):
                    yield "," if at else "["
                    yield from self._parts(inner)
                yield "]" if part else "[]"
            case _:
                yield dumped(part)
