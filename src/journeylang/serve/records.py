"""What is taken in, as it waits in the spool: one line of JSON each.

A record holds what was checked when it came, so that taking it into the database asks nothing
more of whoever sent it. Instants are naive UTC. Of an address only its keyed hash is kept, except
in what somebody has written to us: who that is can only be found by the address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, fields
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A row of a bound event. `values` by field, each as the text that a column is cast from."""

    event: str
    key: str
    customer: str
    at: datetime
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something about a message, which is known by its public name or by the provider's.

    `event_id` makes two tellings one. `machine`: no person did it. `address_hash`: of the address
    that it was about; None: of the one that the customer has.
    """

    name: str
    message: str
    provider: str
    event_id: str
    at: datetime
    data: Mapping[str, str] = field(default_factory=dict)
    address_hash: str | None = None
    machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """What somebody has sent to us over a channel. Who it is follows from the address.

    `message`: what it is in answer to, by our name or the provider's, where it says so.
    """

    channel: str
    address: str
    text: str
    provider: str
    event_id: str
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chose:
    """What somebody has chosen on the page of preferences that a message leads to.

    `consents` by name, `channels` that are to be silent or not; `frequency` is one of
    `FREQUENCIES`, or None where it was left as it was.
    """

    message: str
    at: datetime
    consents: Mapping[str, bool] = field(default_factory=dict)
    channels: Mapping[str, bool] = field(default_factory=dict)
    frequency: str | None = None


FREQUENCIES = ("any", "weekly", "monthly")
"""How often somebody wishes to be written to, at most."""

Record = Happened | Said | Wrote | Chose

_KINDS: dict[str, type[Happened | Said | Wrote | Chose]] = {
    "happened": Happened,
    "said": Said,
    "wrote": Wrote,
    "chose": Chose,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_FIELDS = {kind: tuple(one.name for one in fields(kind)) for kind in _KINDS.values()}
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def to_line(record: Record) -> bytes:
    """One line of ASCII, its end included."""
    # Not `asdict`, which copies whatever is within: it took half the time of a request.
    kind = type(record)
    values = {name: getattr(record, name) for name in _FIELDS[kind]}
    values["at"] = record.at.isoformat()
    return _ENCODER.encode([_NAMES[kind], values]).encode() + b"\n"


def from_line(line: bytes) -> Record | None:
    """The way back; None if it is none (a disk that was full, a hand that wrote there)."""
    try:
        kind, values = json.loads(line)
        values["at"] = datetime.fromisoformat(values["at"])
        return _made(_KINDS[kind], values)
    except (ValueError, KeyError, TypeError):
        return None


def _made(kind: type[Any], values: dict[str, Any]) -> Record:
    made = kind(**values)
    assert isinstance(made, Happened | Said | Wrote | Chose)
    return made
