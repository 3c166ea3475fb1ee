"""What happened to a test's customer, line by line, as their clock shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from journeylang.model.expressions import Constant, EventSource, MessageEvent
from journeylang.model.trials import Started, Trial
from journeylang.trial.clock import Clock
from journeylang.trial.played import NonSend, Played

Line = tuple[datetime, str]


def timeline(trial: Trial, played: Played, clock: Clock) -> list[str]:
    """A line per thing that happened, in order; what stands together happened at once."""
    lines = sorted(_lines(trial, played, clock), key=lambda line: line[0])
    return [f"{clock.shown(at)}  {text}" for at, text in lines]


def _lines(trial: Trial, played: Played, clock: Clock) -> Iterator[Line]:
    for happening in trial.happenings:
        values = ", ".join(f"{name}: {_plain(value)}" for name, value in happening.values)
        what = f"{_event(happening.event)}{f' {{ {values} }}' if values else ''}"
        yield clock.instant(happening.at), what
    for refused in (n for n in played.non_sends if n.step is None):
        yield refused.at, f"not let in: {refused.reason}"
    for exposed in played.exposures:
        yield exposed.at, f"{exposed.experiment}: arm {exposed.arm}"
    decided = _decided(played)
    for move in played.moves:
        # What was decided at a step stands before the step that came next.
        yield from decided.pop((move.origin, move.at), ())
        if move.to is not None and move.to != move.origin:
            began = "enters, " if move.origin is None else ""
            yield move.at, f"{began}comes to {move.to}"
    for lines in decided.values():
        yield from lines
    for entry in played.entries:
        if entry.ended_at is not None:
            yield entry.ended_at, f"leaves as {entry.reason or entry.status}"


def _decided(played: Played) -> dict[tuple[str | None, datetime], list[Line]]:
    """Lines of messages and non-sends, by step and instant."""
    found: dict[tuple[str | None, datetime], list[Line]] = {}
    for message in played.messages:
        line = (message.at, f"{message.step}: {message.how}")
        found.setdefault((message.step, message.at), []).append(line)
    for skipped in (n for n in played.non_sends if n.step is not None):
        told = f"{skipped.step}: not sent, {skipped.reason}{_figures(skipped)}"
        found.setdefault((skipped.step, skipped.at), []).append((skipped.at, told))
    return found


def _event(event: EventSource | Started) -> str:
    if isinstance(event, Started):
        return f"started: {event.name}"
    if not isinstance(event, MessageEvent):
        return event.name
    of = event.path or event.channel
    return f"{event.name} of {of}" if of is not None else event.name


def _plain(value: Constant) -> str:
    if value.value is None:
        return "unknown"
    if isinstance(value.value, str):
        return json.dumps(value.value, ensure_ascii=False)
    if isinstance(value.value, Decimal) and value.type.currency is not None:
        return f"{_amount(value.value)} {value.type.currency}"
    return str(value.value)


def _amount(value: Decimal) -> str:
    """As it would be written: `80`, `7.50`."""
    whole = value == value.to_integral_value()
    return f"{value:.0f}" if whole else f"{value:.4f}".rstrip("0").ljust(len(f"{value:.2f}"), "0")


# What the figures of a rule say something about.
_COUNTED = ("capped", "budget", "capacity")


def _figures(skipped: NonSend) -> str:
    """By which channel, and what was counted where that is why."""
    channel = skipped.figures.get("channel")
    counted = skipped.figures.get("counted") if skipped.reason in _COUNTED else None
    told = [f"by {channel}"] if channel else []
    if isinstance(counted, dict):
        told += [f"{name}: {used}" for name, used in counted.items()]
    return f" ({'; '.join(told)})" if told else ""
