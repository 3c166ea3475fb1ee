"""Is there anything to do? One statement over all journeys and watched events, of these parts.

Each yields rows (kind, name, number, text, text).
"""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.model.expressions import BoundEvent
from journeylang.model.project import Project
from journeylang.plan.operations import Program, StatePark
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import customers, event, newness

# Calls are kept with the messages, and are no news.
_DECIDED = "(SELECT decided_at FROM journey.message WHERE action IS NULL)"


def probed_runs(program: Program, d: Dialect) -> list[str]:
    """('run', journey, whether there are active ones, NULL, earliest wake) and ('state',
    journey, whether any waits for a condition, NULL, NULL).
    """
    parks = [
        (j.journey, p.step) for j in program.journeys for p in j.parks if isinstance(p, StatePark)
    ]
    if d.indexed and program.journeys:
        return _found_runs([j.journey for j in program.journeys], parks, d)
    parts = [
        (
            f"SELECT 'run' AS kind, {d.as_text('r.journey')} AS name, count(*) AS n,"
            # Bare of conditions: over a million runs they cost as much as the counting.
            f" {d.as_text('NULL')} AS a, {d.as_text('min(r.wake_at)')} AS b"
            " FROM journey.run AS r WHERE r.status = 0 GROUP BY r.journey"
        )
    ]
    if parks:
        listed = ", ".join(str(step) for _, step in parks)
        parts.append(
            f"SELECT 'state', {d.as_text('r.journey')}, count(*), NULL, NULL FROM journey.run AS r"
            f" WHERE r.status = 0 AND r.step IN ({listed}) GROUP BY r.journey"
        )
    return parts


def _found_runs(journeys: list[int], parks: list[tuple[int, int]], d: Dialect) -> list[str]:
    """The same by indexes: a row for each journey, or step, of which there is a run."""
    listed = ", ".join(f"({journey})" for journey in journeys)
    earliest = (
        "(SELECT min(r.wake_at) FROM journey.run AS r WHERE r.status = 0 AND r.journey = j.journey)"
    )
    parts = [
        (
            f"SELECT 'run' AS kind, {d.as_text('j.journey')} AS name, 1 AS n,"
            f" {d.as_text('NULL')} AS a, {d.as_text(earliest)} AS b"
            f" FROM (VALUES {listed}) AS j(journey) WHERE EXISTS"
            " (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.journey = j.journey)"
        )
    ]
    if parks:
        listed = ", ".join(f"({journey}, {step})" for journey, step in parks)
        parts.append(
            f"SELECT 'state', {d.as_text('j.journey')}, 1, NULL, NULL"
            f" FROM (VALUES {listed}) AS j(journey, step) WHERE EXISTS"
            " (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.step = j.step)"
        )
    return parts


def probed_events(project: Project, events: tuple[str, ...], d: Dialect) -> Iterator[str]:
    """Parts of the probe: ('event', name, rows that count as new, NULL, NULL).

    A row is new for as long as rows of its instant may still come: whether it moves somebody
    can change meanwhile with the customer or with time.
    """
    now = d.parameter("now")
    for name in events:
        relation, at, newest = "journey.message_event", "e.at", "e.at"
        if name == "sent":
            relation, at, newest = _DECIDED, "e.decided_at", "e.decided_at"
        if name in project.binding.events:
            bound = project.binding.events[name]
            source = BoundEvent(name=name, span=bound.span)
            relation = event(project.binding, source, (), d)
            at, newest = 'e."_at"', newness(bound)
        yield (
            f"SELECT 'event', {text(name)}, count(*), NULL, NULL FROM {relation} AS e"
            f" WHERE {newest} > {d.parameter(f'since_{name}')} AND {at} <= {now}"
        )


def probed_starts(dialect: Dialect) -> str:
    """Journeys that earlier ticks have started, in the probe's shape."""
    return (
        "SELECT 'start', p.journey, count(*), NULL, NULL FROM journey.pending_entry AS p"
        f' WHERE p."at" < {dialect.parameter("now")} GROUP BY p.journey'
    )


def probed_zones(project: Project, dialect: Dialect) -> str:
    """The customers' zones in the probe's shape: on some clock a schedule may be due."""
    base = customers(project.binding, dialect, ("timezone",))
    return f'SELECT \'zone\', c."_zone", count(*), NULL, NULL FROM {base} AS c GROUP BY c."_zone"'
