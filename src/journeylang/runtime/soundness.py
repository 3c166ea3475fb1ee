"""Is what the binding says true of this database?

A missing table, a missing column, a key that is null or not unique: each is told with its
place in the binding, together with the journeys that cannot run because of it. The others
go on, and so does everything if it is a few rows whose keys are wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import (
    DATABASE_ERROR,
    KEY_NOT_UNIQUE,
    KEY_NULL,
    MISSING_COLUMN,
    MISSING_TABLE,
)
from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.engines.base import Engine, StatementError
from journeylang.model.binding import Catalog, ConsentTable, Customers, Event, Pool, Table
from journeylang.model.expressions import (
    BoundEvent,
    Column,
    Expression,
    MetricValue,
    SegmentTest,
)
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from journeylang.model.walk import walk
from journeylang.runtime.aside import Doubt, doubts, remembered
from journeylang.runtime.unreadable import Bound, unreadable
from journeylang.source import Span
from journeylang.sql.aside import source_of
from journeylang.sql.dialects import Dialect
from journeylang.sql.relations import (
    bound_value,
    catalog,
    consent_rows,
    customers,
    event,
    pool,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsound:
    """What was found, and the journeys that it stops (all of them if it is the customers).

    `doubts`: rows of which nobody can tell which is meant. A few of them are set aside, and stop
    nothing.
    """

    diagnostics: tuple[Diagnostic, ...]
    journeys: frozenset[str]
    doubts: tuple[Doubt, ...] = ()


def examine(engine: Engine, project: Project, *, keys: bool = True) -> Unsound:
    """Look at every bound table. `keys` also counts nulls and duplicates: a scan of each.

    Without it they are those that were found when they were last counted.
    """
    binding = project.binding
    bound: list[tuple[str, Bound]] = []
    if binding.customers is not None:
        bound.append(("customers", binding.customers))
    # Redemptions are rows of another event, and are looked at with it.
    bound += [(e.name, e) for e in binding.events.values() if e.redeems is None]
    bound += [(c.name, c) for c in binding.consents.values() if isinstance(c, ConsentTable)]
    bound += [(c.name, c) for c in binding.catalogs.values()]
    bound += [(p.name, p.source) for p in binding.promos.values() if isinstance(p.source, Pool)]
    diagnostics: list[Diagnostic] = []
    stopped: set[str] = set()
    known = () if keys else remembered(engine)
    doubted: list[Doubt] = []
    for name, table in bound:
        found = list(_table(engine, table)) or list(_read(engine, project, table))
        stops = bool(found)
        if not found and keys:
            diagnostics += unreadable(engine, table)
        if not found and not isinstance(table, ConsentTable | Pool):
            mine = doubts(engine, table) if keys else _of(known, table)
            for doubt in mine:
                doubted.append(doubt)
                found.append(_told(table, doubt, engine.dialect))
                stops = stops or doubt.stops
        diagnostics += found
        if stops:
            everything = isinstance(table, Customers)
            stopped |= set(project.journeys) if everything else _users(project, name)
    return Unsound(
        diagnostics=tuple(diagnostics), journeys=frozenset(stopped), doubts=tuple(doubted)
    )


def _of(found: Iterable[Doubt], bound: Customers | Event | Catalog) -> list[Doubt]:
    return [doubt for doubt in found if doubt.source == source_of(bound)]


def _table(engine: Engine, bound: Bound) -> Iterator[Diagnostic]:
    columns = engine.columns(bound.table.parts)
    if columns is None:
        yield Diagnostic(
            code=MISSING_TABLE,
            message=f"there is no table `{bound.table}` in the database",
            span=bound.table.span,
            help="correct the name in the binding, or create the table",
        )
        return
    known = {name.lower() for name in columns}
    missing: dict[str, Span] = {}
    for expression in expressions(bound):
        for node in walk(expression):
            if isinstance(node, Column) and node.name.lower() not in known:
                missing.setdefault(node.name, node.span)
    for name, span in missing.items():
        yield Diagnostic(
            code=MISSING_COLUMN,
            message=f"table `{bound.table}` has no column `{name}`",
            span=span,
            help=did_you_mean(name, columns) or "correct the name in the binding",
        )


def _read(engine: Engine, project: Project, bound: Bound) -> Iterator[Diagnostic]:
    """Does the database take the relation that all statements read? Types may not fit."""
    d = engine.dialect
    match bound:
        case Customers():
            relation = customers(project.binding, d)
        case Event():
            source = BoundEvent(name=bound.name, span=bound.span)
            relation = event(project.binding, source, [f.name for f in bound.fields], d)
        case ConsentTable():
            relation = consent_rows(bound, d)
        case Catalog():
            relation = catalog(project.binding, bound.name, d)
        case Pool():
            relation = pool(bound, d)
        case _:
            assert_never(bound)
    try:
        engine.query(f"SELECT * FROM {relation} AS b LIMIT 1")
    except StatementError as error:
        yield Diagnostic(
            code=DATABASE_ERROR,
            message=f"table `{bound.table}` can't be read as it is bound: {error}",
            span=bound.span,
            help="compare the columns' types with the binding",
        )


def expressions(bound: Bound) -> Iterator[Expression]:
    """Every expression of a binding, whichever member holds it."""
    for member in dataclasses.fields(bound):
        value = getattr(bound, member.name)
        for item in value if isinstance(value, tuple) else (value,):
            inner = getattr(item, "value", None)
            if inner is not None and dataclasses.is_dataclass(inner):
                yield inner  # type: ignore[misc]
            elif hasattr(item, "type"):
                yield item


def _told(bound: Customers | Event | Catalog, doubt: Doubt, dialect: Dialect) -> Diagnostic:
    named = bound_value(bound.key, dialect).removeprefix("t.").strip('"')
    null = doubt.reason == "no key"
    wrong = (
        f"key `{named}` of `{bound.table}` is null in {_many(doubt.rows)}"
        if null
        else f"key `{named}` of `{bound.table}` is not unique: {_many(doubt.rows)} share one"
    )
    mend = (
        f"leave those rows out: `only where … {named} is known`"
        if null
        else "choose the column that tells rows apart, or bind a view without duplicates"
    )
    if doubt.stops:
        wrong += ", too many to be slips"
    else:
        wrong += "; none of those counts"
    return Diagnostic(
        code=KEY_NULL if null else KEY_NOT_UNIQUE,
        message=wrong,
        span=bound.key.span,
        help=mend if doubt.stops or null else f"mend them, or {mend}",
        severity=Severity.ERROR if doubt.stops else Severity.WARNING,
    )


def _many(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _users(project: Project, name: str) -> set[str]:
    """Journeys that read an event or a catalogue, or ask for a consent."""
    named = {
        "metric": {n: m.value for n, m in project.metrics.items()},
        "segment": {n: s.condition for n, s in project.segments.items()},
    }
    redeemed = _redemptions(project)
    channels = {c.name for c in project.binding.channels.values() if c.consent == name}
    topics = {t.name for t in project.binding.topics.values() if t.consent == name}
    return {
        journey.name
        for journey in project.journeys.values()
        if _mentions((journey, _bound(project, journey)), name, channels, topics, named, redeemed)
    }


def _redemptions(project: Project) -> dict[str, str]:
    """Events that are redemptions of codes, with the bound event whose rows they are."""
    events = project.binding.events.values()
    return {e.name: e.origin for e in events if e.origin is not None}


def _bound(project: Project, journey: Journey) -> tuple[SegmentTest, ...]:
    """The segments whose members the journey's policy binds."""
    policy = project.policies.get(journey.policy or "")
    caps = policy.caps if policy is not None else ()
    return tuple(cap.segment for cap in caps if cap.segment is not None)


def _mentions(
    root: object,
    name: str,
    channels: set[str],
    topics: set[str],
    named: dict[str, dict[str, Expression]],
    redeemed: Mapping[str, str],
) -> bool:
    waiting: list[object] = [root]
    seen: set[tuple[str, str]] = set()
    while waiting:
        value = waiting.pop()
        match value:
            case BoundEvent():
                if name in (value.name, redeemed.get(value.name)):
                    return True
            case MetricValue() | SegmentTest():
                kind = "metric" if isinstance(value, MetricValue) else "segment"
                if (kind, value.name) not in seen:
                    seen.add((kind, value.name))
                    waiting.append(named[kind].get(value.name))
            case tuple():
                waiting += value
            case Span() | Table():
                pass
            case _ if dataclasses.is_dataclass(value):
                for member in dataclasses.fields(value):
                    inner = getattr(value, member.name)
                    if member.name in ("event", "catalog", "promo") and inner == name:
                        return True
                    if member.name == "channel" and inner in channels:
                        return True
                    if member.name == "topic" and inner in topics:
                        return True
                    waiting.append(inner)
            case _:
                pass
    return False
