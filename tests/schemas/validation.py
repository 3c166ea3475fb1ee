"""Whether a JSON value is what a JSON Schema says: as much of it as our schemas use.

A word of JSON Schema that is not known here is an error, so that nothing goes unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_SAID = {"$schema", "$id", "title", "description", "default", "format", "$defs", "definitions"}


def problems(value: Any, schema: Any) -> list[str]:
    """What is wrong with the value, with its place; empty when it is right."""
    return list(_problems(value, schema, schema, "$"))


def _problems(value: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    for word, said in schema.items():
        yield from _word(word, said, value, schema, root, at)


def _word(word: str, said: Any, value: Any, schema: Any, root: Any, at: str) -> Iterator[str]:
    match word:
        case "$ref":
            yield from _problems(value, _found(said, root), root, at)
        case "type":
            if not any(_is(value, name) for name in ([said] if isinstance(said, str) else said)):
                yield f"{at}: {value!r} is no {said}"
        case "const":
            if value != said:
                yield f"{at}: {value!r} is not {said!r}"
        case "enum":
            if value not in said:
                yield f"{at}: {value!r} is none of {said}"
        case "pattern":
            if isinstance(value, str) and not re.search(said, value):
                yield f"{at}: {value!r} does not match {said}"
        case "minimum" | "maximum":
            if _is(value, "number") and (value < said if word == "minimum" else value > said):
                yield f"{at}: {value} beyond the {word} {said}"
        case "required":
            yield from (f"{at}: no {name}" for name in said if _lacks(value, name))
        case "properties":
            for name, inner in said.items():
                if isinstance(value, dict) and name in value:
                    yield from _problems(value[name], inner, root, f"{at}.{name}")
        case "additionalProperties":
            for name in value if isinstance(value, dict) else ():
                if name not in schema.get("properties", {}):
                    if said is False:
                        yield f"{at}: {name} is not known"
                    elif isinstance(said, dict):
                        yield from _problems(value[name], said, root, f"{at}.{name}")
        case "items":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from _problems(item, said, root, f"{at}[{index}]")
        case "minItems":
            if isinstance(value, list) and len(value) < said:
                yield f"{at}: fewer than {said}"
        case "uniqueItems":
            if said and isinstance(value, list) and any(value.count(item) > 1 for item in value):
                yield f"{at}: something stands twice"
        case "anyOf" | "oneOf":
            fits = sum(not list(_problems(value, choice, root, at)) for choice in said)
            if not fits or (word == "oneOf" and fits > 1):
                yield f"{at}: {fits} of the choices fit"
        case _ if word not in _SAID:
            raise NotImplementedError(word)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _lacks(value: Any, name: str) -> bool:
    return isinstance(value, dict) and name not in value


def _found(reference: str, root: Any) -> Any:
    assert reference.startswith("#/"), reference
    found = root
    for part in reference[2:].split("/"):
        found = found[unquote(part)]
    return found
