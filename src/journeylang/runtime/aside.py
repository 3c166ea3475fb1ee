"""Rows that are set aside: without a key, or with one that other rows have too.

Nobody can tell whose such a row is, or which of several counts, so none of them is read: as if it
were not there. They are looked for when keys are counted, and kept in `journey.set_aside`; only
where there are any do statements ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Catalog, Customers, Event
from journeylang.model.project import Project
from journeylang.sql.aside import source_of
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import bound_value, rows_of

# More of them, and more than this share of a table's rows, are no slips: a table was loaded twice,
# or another column is the key. What reads the table then stands still.
MOST = 100
SHARE = 0.005

Reason = Literal["no key", "key not unique"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Rows of a bound table (`source`, as `source_of` names it) that can't be told apart."""

    source: str
    reason: Reason
    rows: int
    stops: bool


def doubts(engine: Engine, bound: Customers | Event | Catalog) -> Iterator[Doubt]:
    """Count the rows that are to be set aside: one scan, and another one if there are any."""
    d = engine.dialect
    key = bound_value(bound.key, d)
    rows, known, distinct = engine.query(
        f"SELECT count(*), count({key}), count(DISTINCT {key}) FROM {rows_of(bound, d)}"
    )[0]
    without, same = rows - known, 0
    if known > distinct:
        [[same]] = engine.query(f"SELECT sum(r.rows) FROM ({_repeated(bound, d)}) AS r")
    stops = without + same > max(MOST, SHARE * rows)
    source = source_of(bound)
    if without:
        yield Doubt(source=source, reason="no key", rows=without, stops=stops)
    if same:
        yield Doubt(source=source, reason="key not unique", rows=int(same), stops=stops)


def remembered(engine: Engine) -> tuple[Doubt, ...]:
    """What was found when keys were last counted."""
    if engine.columns(("journey", "set_aside")) is None:
        return ()
    found = engine.query(
        "SELECT source, reason, CAST(sum(rows) AS BIGINT), stops FROM journey.set_aside"
        " GROUP BY source, reason, stops ORDER BY source, reason DESC"
    )
    return tuple(Doubt(source=s, reason=r, rows=n, stops=stops) for s, r, n, stops in found)


def remember(engine: Engine, project: Project, found: Sequence[Doubt]) -> bool:
    """Write down what is set aside, in the caller's transaction; whether there was or is any."""
    gone = engine.execute("DELETE FROM journey.set_aside")
    for doubt in found:
        bound = next(b for b in _bound(project) if source_of(b) == doubt.source)
        head = f"INSERT INTO journey.set_aside SELECT {text(doubt.source)}"
        if doubt.reason == "no key" or doubt.stops:
            tail = f", NULL, {text(doubt.reason)}, {doubt.rows}, {doubt.stops}"
        else:
            listed = _repeated(bound, engine.dialect)
            tail = f", r.key, {text(doubt.reason)}, r.rows, FALSE FROM ({listed}) AS r"
        engine.execute(head + tail)
    return bool(gone or found)


def heeding(project: Project, found: Iterable[Doubt]) -> Project:
    """The project whose statements leave those rows out."""
    aside = frozenset(doubt.source for doubt in found if not doubt.stops)
    if aside == project.binding.aside:
        return project
    return replace(project, binding=replace(project.binding, aside=aside))


def _repeated(bound: Customers | Event | Catalog, dialect: Dialect) -> str:
    """Keys that several rows have, as text, and how many rows each of them has."""
    key = dialect.as_text(bound_value(bound.key, dialect))
    return (
        f"SELECT k.key, count(*) AS rows FROM (SELECT {key} AS key FROM {rows_of(bound, dialect)})"
        " AS k WHERE k.key IS NOT NULL GROUP BY k.key HAVING count(*) > 1"
    )


def _bound(project: Project) -> Iterator[Customers | Event | Catalog]:
    binding = project.binding
    if binding.customers is not None:
        yield binding.customers
    yield from binding.events.values()
    yield from binding.catalogs.values()
