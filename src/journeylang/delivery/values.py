"""Values of the database as templates see them: plain ones, and unknown ones that say so."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from journeylang.classes import dataclass
from journeylang.delivery.formats import Money
from journeylang.delivery.sandbox import unknown
from journeylang.model.types import TEXT, Kind, Type

_AS_IT_IS = frozenset({str, int, bool})

# Made once: to make it costs more than most documents.
_DECODER = json.JSONDecoder(parse_float=Decimal)
_READ, _READ_BARE = _DECODER.decode, _DECODER.raw_decode


def plain(value: object, type_: Type | None, path: str) -> object:
    """One value of a column. `path` names it in errors: `customer.first_name`."""
    if type(value) in _AS_IT_IS:
        return value
    match value:
        case None:
            return unknown(path)
        case float() if not math.isfinite(value):
            return unknown(path)
        case Decimal() if type_ is not None and type_.kind is Kind.MONEY:
            return Money.of(value, type_.currency or "")
        case bool() | int() | float() | Decimal() | str() | date() | time():
            return value
        case UUID():
            return str(value)
        case _:
            return unknown(path)


def from_json(
    document: str | None, types: Mapping[str, Type], prefix: str = ""
) -> dict[str, object]:
    """The members of a stored JSON object, typed; those of `types` that it lacks are unknown.

    `prefix` (`entry.`) stands before a member's name in errors.
    """
    read = {} if document is None else _read(document)
    made: dict[str, object] = {}
    for name, type_ in types.items():
        value = _typed(read.get(name), type_)
        made[name] = value if type(value) in _AS_IT_IS else plain(value, type_, f"{prefix}{name}")
    return made


def _read(document: str) -> Any:
    """What stands there, without looking for blanks around it first: the database writes none."""
    try:
        read, end = _READ_BARE(document)
    except ValueError:
        return _READ(document)
    return read if end == len(document) else _READ(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a member of a message's stored values is: one value, or a `list` of them; rows of a
    catalogue if it has `fields`. `key` is its name there."""

    key: str
    type: Type = TEXT
    list: bool = False
    fields: Mapping[str, Type] | None = None


def given_from_json(document: str | None, given: Mapping[str, Given]) -> dict[str, object]:
    """The values given by `with`, typed. Unknown items of lists are left out."""
    if not given:
        return {}
    read = {} if document is None else _read(document)
    return {name: _given(read.get(one.key), name, one) for name, one in given.items()}


def data_from_json(document: str | None, given: Mapping[str, Given]) -> dict[str, object]:
    """The values given to a call, ready for JSON; what is unknown is None."""
    read = {} if document is None else _READ(document)
    return {name: _data(read.get(one.key), one) for name, one in given.items()}


def _data(value: object, given: Given) -> object:
    if given.list:
        items = [_typed(item, given.type) for item in (value if isinstance(value, list) else ())]
        return [_json(item, given.type) for item in items if item is not None]
    return _json(_typed(value, given.type), given.type)


def _json(value: object, type_: Type) -> object:
    match value:
        case Decimal():
            # Two decimals as one writes them, more only where there are more.
            amount = value.quantize(Decimal("0.0001")).normalize()
            exponent = min(-2, int(amount.as_tuple().exponent))
            amount = amount.quantize(Decimal(1).scaleb(exponent))
            return {"amount": format(amount, "f"), "currency": type_.currency}
        case float() if not math.isfinite(value):
            return None
        case datetime():
            return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return value


def _given(value: object, name: str, given: Given) -> object:
    if given.fields is not None:
        return [
            {
                f: plain(_typed(row.get(f), type_), type_, f"{name}.{f}")
                for f, type_ in given.fields.items()
            }
            for row in (value if isinstance(value, list) else ())
        ]
    if given.list:
        items = [_typed(item, given.type) for item in (value if isinstance(value, list) else ())]
        return [plain(item, given.type, name) for item in items if item is not None]
    return plain(_typed(value, given.type), given.type, name)


def _typed(value: object, type_: Type) -> object:
    """JSON's own kinds of value back into the language's; what does not fit is unknown."""
    if value is None:
        return None
    try:
        match type_.kind:
            case Kind.TEXT:
                return value if isinstance(value, str) else json.dumps(value, default=str)
            case Kind.INT:
                return int(str(value))
            case Kind.NUMBER:
                return float(str(value))
            case Kind.MONEY:
                return value if type(value) is Decimal else Decimal(str(value))
            case Kind.BOOL:
                return value if isinstance(value, bool) else None
            case Kind.DATE:
                return date.fromisoformat(str(value))
            case Kind.TIME:
                return time.fromisoformat(str(value))
            case Kind.INSTANT:
                return datetime.fromisoformat(str(value))
            case Kind.DURATION:
                return None
    except (ValueError, InvalidOperation):
        return None
