"""The JSON Schemas of what verbs answer, made from the classes of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from journeylang.delivery.outbox import Doubtful
from journeylang.runtime.alarms import Alarm
from journeylang.runtime.channel_pauses import ChannelPause
from journeylang.runtime.guards import Guarded
from journeylang.runtime.pauses import Pause
from journeylang.runtime.verify import Verified
from journeylang.why.model import Answer
from tests.docs.fences import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """People at a step, or who have ended so; `overdue` of them wait past their time."""

    journey: str
    step: str
    status: str
    runs: int
    next_wake: datetime | None
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages of a channel by their state."""

    channel: str
    state: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls of a service by their state."""

    service: str
    state: str
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NonSends:
    """Decisions not to send at a step; without one, not to let in."""

    journey: str
    step: str | None
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """Addresses that a channel no longer writes to."""

    channel: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `journey status --output json` prints. Fields may be added within a format_version.

    Instants are UTC. `now` is that of the latest tick, None where nothing has run; it lies
    `lag_seconds` behind the clock. `queued_since`: the oldest message that could go out.
    `verified` is there with `--verify`.
    """

    format_version: Literal[1]
    now: datetime | None
    ticks: int
    lag_seconds: int | None
    queued_since: datetime | None
    alarms: list[Alarm]
    paused: list[Pause]
    paused_channels: list[ChannelPause]
    guards: list[Guarded]
    runs: list[Runs]
    messages: list[Messages]
    calls: list[Calls]
    non_sends: list[NonSends]
    suppressed: list[Suppressed]
    doubtful: list[Doubtful]
    verified: list[Verified]


def why() -> dict[str, Any]:
    """Of `journey why`."""
    made = _schema(Answer, "why")
    made["title"] = "What `journey why --output json` prints"
    version = {"const": 1, "description": "Of this form; fields may be added within it."}
    made["properties"] = {"format_version": version, **made["properties"]}
    made["required"] = ["format_version", *made["required"]]
    return made


def status() -> dict[str, Any]:
    """Of `journey status`."""
    made = _schema(Status, "status")
    made["title"] = "What `journey status --output json` prints"
    return made


MADE = {"why": why, "status": status}


def place(name: str) -> Path:
    return ROOT / "docs" / "schemas" / f"{name}.json"


def written(name: str) -> str:
    return json.dumps(MADE[name](), ensure_ascii=False, indent=2) + "\n"


def _schema(of: Any, name: str) -> dict[str, Any]:
    made = TypeAdapter(of).json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:journeylang:{name}:1",
    }
    for one in (made, *made.get("$defs", {}).values()):
        _tidied(one)
    return head | made


def _tidied(shape: dict[str, Any]) -> None:
    """Without titles that repeat names; everything that may be left out is there all the same."""
    shape["description"] = " ".join(shape.get("description", "").split())
    properties = shape.get("properties", {})
    optional = {"verified"} & properties.keys()
    if properties:
        shape["required"] = [name for name in properties if name not in optional]
    for one in properties.values():
        one.pop("title", None)
        one.pop("default", None)
