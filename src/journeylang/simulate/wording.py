"""Assumptions as they are written."""

from __future__ import annotations

from journeylang.model.assumptions import Assumption
from journeylang.model.expressions import EventSource, MessageEvent


def written(line: Assumption) -> str:
    """A line of an `assume`: `opened of email 32% within 1d`."""
    from journeylang.sql.caps import span_of_time

    after = f" after {told(line.after)}" if line.after is not None else ""
    chance = f"{(line.chance * 100).normalize():f}%"
    time = ""
    if line.seconds is not None:
        time = f" {'per' if line.per else 'within'} {span_of_time(line.seconds)}"
    return f"{told(line.event)}{after} {chance}{time}"


def told(source: EventSource) -> str:
    """An event as it is written."""
    if not isinstance(source, MessageEvent):
        return source.name
    of = f"{source.journey}/{source.path}" if source.path is not None else source.channel
    return source.name if of is None else f"{source.name} of {of}"
