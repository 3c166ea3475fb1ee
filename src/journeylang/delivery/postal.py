"""A postal address: lines, or the fields that the print services ask for.

An address is bound as one text. Either it is JSON with `name`, `line1`, `line2`, `code`, `city`,
`region`, `country`; or it is lines: the first is the name, the last a country of two letters if
it is one, the one before it the town, and what lies between the street.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

FIELDS = ("name", "line1", "line2", "code", "city", "region", "country")

_COUNTRY = re.compile(r"[A-Z]{2}")
_CODE_FIRST = re.compile(r"(?:[A-Z]{1,2}-)?(\d{4,6}|\d{3} ?\d{2}|\d{4} ?[A-Z]{2})\s+(\S.*)")
_CITY_FIRST = re.compile(r"(\S[^,]*),\s*([A-Z]{2,3})\s+(\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)")


@lru_cache(maxsize=64)
def _fields(text: str) -> tuple[str | None, ...]:
    if text.lstrip().startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            return (None,) * len(FIELDS)
        given = {k: str(v).strip() for k, v in read.items() if isinstance(v, str | int)}
        return tuple(given.get(name) or None for name in FIELDS)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 3:
        return (None,) * len(FIELDS)
    country = lines.pop() if len(lines) > 3 and _COUNTRY.fullmatch(lines[-1]) else None
    name, *street, town = lines
    code: str | None = None
    region: str | None = None
    city: str | None = town
    if (first := _CODE_FIRST.fullmatch(town)) is not None:
        code, city = first[1], first[2]
    elif (last := _CITY_FIRST.fullmatch(town)) is not None:
        city, region, code = last[1], last[2], last[3]
    return name, street[0], ", ".join(street[1:]) or None, code, city, region, country


def place(text: str) -> dict[str, str | None]:
    """The fields of an address; all of them none where it is no address."""
    return dict(zip(FIELDS, _fields(text), strict=True))


def lines(text: str) -> list[str]:
    """The address as it stands on an envelope."""
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    given = place(text)
    town = " ".join(part for part in (given["code"], given["city"], given["region"]) if part)
    rest = (given["name"], given["line1"], given["line2"], town, given["country"])
    return [line for line in rest if line]
