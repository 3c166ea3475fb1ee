"""Whom a segment wins and loses by another definition, counted over all customers at once."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.model.expressions import (
    Age,
    Expression,
    Listed,
    ProfileValue,
    SegmentTest,
    TileBy,
    TopBy,
)
from journeylang.model.project import Project
from journeylang.model.walk import walk
from journeylang.sql.compiler import Compiler
from journeylang.sql.expressions import predicate
from journeylang.sql.scope import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """`now` customers are in it, `gained` of them were not before, and `lost` were."""

    gained: int
    lost: int
    now: int

    @property
    def differs(self) -> bool:
        return bool(self.gained or self.lost)


def gains(
    engine: Engine, old: Project, new: Project, names: Collection[str], now: datetime
) -> dict[str, Gains]:
    """Each segment that is asked for otherwise than before: who is in it by either way.

    One statement per segment. Rankings, lists and ages are asked by ticks alone, with tables of
    theirs: a segment that rests on one is not counted.
    """
    found: dict[str, Gains] = {}
    for name in sorted(names):
        if name not in old.segments or name not in new.segments:
            continue
        was, is_ = _nodes(old, name), _nodes(new, name)
        if was == is_ and old.binding == new.binding:
            continue
        if any(isinstance(n, Age | Listed | TopBy | TileBy | ProfileValue) for n in (*was, *is_)):
            continue
        with suppress(KeyError):
            found[name] = _count(engine, old, new, name, now)
    return found


def _nodes(project: Project, name: str) -> tuple[Expression, ...]:
    named = {
        "metric": {n: m.value for n, m in project.metrics.items()},
        "segment": {n: s.condition for n, s in project.segments.items()},
    }
    return tuple(walk(project.segments[name].condition, named))


def _count(engine: Engine, old: Project, new: Project, name: str, now: datetime) -> Gains:
    was, is_ = (_members(engine, project, name) for project in (old, new))
    rows = engine.query(
        f"""WITH was AS ({was}), now_in AS ({is_})
SELECT count(*) FILTER (WHERE w.customer_id IS NULL),
  count(*) FILTER (WHERE i.customer_id IS NULL), count(i.customer_id)
FROM was AS w FULL JOIN now_in AS i ON i.customer_id = w.customer_id""",
        {"now": now},
    )
    gained, lost, count = rows[0]
    return Gains(gained=gained, lost=lost, now=count)


def _members(engine: Engine, project: Project, name: str) -> str:
    compiler = Compiler(project=project, dialect=engine.dialect, steps={})
    scope = compiler.scope(Rows())
    span = project.segments[name].span
    condition = predicate(SegmentTest(name=name, span=span), scope)
    joins = scope.joins()
    base = compiler.base(*scope.fields)
    return f"SELECT c.customer_id FROM {base} AS c{joins} WHERE {condition}"
