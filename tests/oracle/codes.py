"""Codes of promos: one for each message that asks for one, and no code twice."""

from __future__ import annotations

from hashlib import md5
from typing import Any

from journeylang.model.binding import Pattern, Pool, Promo
from tests.oracle.facts import DrawnCode, Memory
from tests.oracle.reading import Reader
from tests.oracle.sends import Intent

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def draw(reader: Reader, memory: Memory, intent: Intent) -> DrawnCode | None:
    """The code for a message that is decided, remembered as drawn; None if there is none."""
    assert intent.send.code is not None
    promo = reader.project.binding.promos[intent.send.code.promo]
    if promo.until is not None and reader.now >= promo.until:
        return None
    customer = intent.run.customer
    mine = [c for c in memory.codes if c.promo == promo.name]
    match promo.source:
        case Pattern(per_customer=True):
            known = next((c for c in mine if c.customer == customer), None)
            if known is not None:
                return known
        case _:
            pass
    if promo.first is not None and len(mine) >= promo.first:
        return None
    code = _free(promo, reader, memory, intent)
    if code is None:
        return None
    drawn = DrawnCode(
        promo=promo.name,
        customer=customer,
        code=code,
        journey=intent.journey.name,
        run_id=intent.run.run_id,
        step=intent.send.path,
        at=reader.now,
    )
    memory.codes.append(drawn)
    return drawn


def _free(promo: Promo, reader: Reader, memory: Memory, intent: Intent) -> str | None:
    taken = {c.code for c in memory.codes}
    match promo.source:
        case Pool() as pool:
            return next((c for c in reader.pool(pool) if c not in taken), None)
        case Pattern() as pattern:
            who: list[Any] = [f"promo:{promo.name}", intent.run.customer]
            if not pattern.per_customer:
                who += [intent.run.run_id, intent.send.path]
            made = (_spelled(pattern.text, *who, attempt) for attempt in range(16))
            return next((c for c in made if c not in taken), None)


def _spelled(pattern: str, *parts: Any) -> str:
    joined = ":".join(str(part) for part in parts)
    digest = md5(joined.encode(), usedforsecurity=False).digest()
    letters = (LETTERS[byte % 32] for byte in digest)
    return "".join(next(letters) if char == "#" else char for char in pattern)
