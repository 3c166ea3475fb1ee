"""Whether rows have come late: of an event that is only added to, counts tell.

A row may come up to `late` after its instant, so that behind each look so many seconds before it
are looked at once more, and with them everybody who had a row then. If as many rows are there as
were at that look, none has come, for none has gone. They are counted in slices, so that one that
came late brings back no more people than those of its slice and of the later ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from journeylang.model.binding import Event
from journeylang.model.expressions import BoundEvent
from journeylang.model.project import Project
from journeylang.model.types import INSTANT
from journeylang.plan.incremental import EventRows, Incremental
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import bound_value, table_name

SLICES = 12


def counts_late(bound: Event) -> bool:
    """Whether rows of this event can be told to have come late by their number."""
    return bound.append_only and bound.changed_at is None and bound.late > 0


def slice_seconds(bound: Event) -> int:
    """The width of a slice; `SLICES` of them are `late` seconds or a little more."""
    return -(-bound.late // SLICES)


def counted_events(project: Project, looks: Iterable[Incremental]) -> tuple[Event, ...]:
    """The events that these look at and whose rows are counted."""
    names = dict.fromkeys(
        source.event.name
        for look in looks
        for source in look.sources
        if isinstance(source, EventRows) and isinstance(source.event, BoundEvent)
    )
    found = (project.binding.events[name] for name in names)
    return tuple(bound for bound in found if counts_late(bound))


def late_counts(events: Collection[Event], d: Dialect) -> str:
    """Rows of (event, slice of those up to {then}, slice of those up to {now}, how many).

    A slice is named by its first instant; the last one ends with {then} or {now}, an instant
    before {then_next} and {now_next}. A row behind {then} has no first slice. Of each event are
    counted those behind {from_EVENT}.
    """
    return "\nUNION ALL ".join(_counted(bound, d) for bound in events)


def _counted(bound: Event, d: Dialect) -> str:
    at = d.cast(bound_value(bound.at, d), INSTANT)
    then, now = d.parameter("then"), d.parameter("now")
    width = slice_seconds(bound)
    before = d.slice_start("s.at", width, d.parameter("then_next"))
    return f"""SELECT {text(bound.name)} AS event, s.before, s.since, count(*) AS n
FROM (SELECT CASE WHEN s.at <= {then} THEN {before} END AS before,
    {d.slice_start("s.at", width, d.parameter("now_next"))} AS since
  FROM (SELECT {at} AS at FROM {table_name(bound.table)} AS t) AS s
  WHERE s.at > {d.parameter(f"from_{bound.name}")} AND s.at <= {now}) AS s
GROUP BY s.before, s.since"""
