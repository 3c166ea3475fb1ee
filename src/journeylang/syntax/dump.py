"""A tree as text: one node to a line, its small parts beside it, the others below it.

For people and for golden files; nothing reads it back. Places are left out, and so are parts
that are not there.
"""

import json
from collections.abc import Iterator
from dataclasses import fields

from journeylang.syntax import nodes as n


def dump(node: object) -> str:
    """The lines of a node and of all within it, each with an end."""
    return "".join(f"{line}\n" for line in _lines(node))


def _lines(node: object) -> Iterator[str]:
    small = _small(node)
    if small is not None:
        yield f"{type(node).__name__} {small}"
        return
    beside = [type(node).__name__]
    below: list[str] = []
    for field in fields(node):  # type: ignore[arg-type]  # what is not small is a dataclass
        part = getattr(node, field.name)
        if field.name in ("span", "text_span") or part is None or part is False or part == ():
            continue
        small = _small(part)
        if small is not None:
            beside.append(field.name if part is True else f"{field.name}={small}")
        elif isinstance(part, tuple):
            below.append(f"  {field.name}:")
            below += [f"    {line}" for element in part for line in _lines(element)]
        else:
            first, *rest = _lines(part)
            below.append(f"  {field.name}: {first}")
            below += [f"  {line}" for line in rest]
    yield " ".join(beside)
    yield from below


def _small(part: object) -> str | None:
    """A part that fits beside others; None when it wants lines of its own."""
    match part:
        case n.Name(text=text) | n.Ref(text=text) | n.Path(text=text):
            return text or "?"
        case n.String(value=value):
            return json.dumps(value, ensure_ascii=False)
        case n.Integer(value=whole):
            return str(whole)
        case n.Number(value=number):
            return str(number)
        case n.Boolean(value=truth):
            return "true" if truth else "false"
        case n.Percent(value=share):
            return f"{share}%"
        case n.Money(amount=amount, currency=currency):
            return f"{amount}-{currency}"
        case n.Duration(value=length, unit=unit):
            return f"{length}{unit}"
        case n.Date() | n.DateTime() | n.TimeOfDay():
            return part.value.isoformat()
        case n.SqlHatch(text=text):
            return f"sql`{text}`"
        case n.EventRef(name=name, of=of):
            return f"{name.text}-of-{of.text}" if of else name.text
        case n.TypeName(name=name, currency=cur, optional=optional):
            money = f"({cur.text})" if cur else ""
            return f"{name.text}{money}{'?' if optional else ''}"
        case n.TableRef(text=text, alias=alias):
            return f"{text}-as-{alias.text}" if alias else text
        case n.Offset(duration=duration):
            return f"+{duration.value}{duration.unit}"
        case n.CalendarPeriod(unit=period):
            return period
        case n.ListOf(items=items):
            return _smalls(items)
        case str() | bool() | int():
            return str(part)
        case tuple():
            return _smalls(part)
        case _:
            return None


def _smalls(parts: tuple[object, ...]) -> str | None:
    small = [_small(part) for part in parts]
    return f"[{', '.join(one for one in small if one is not None)}]" if None not in small else None
