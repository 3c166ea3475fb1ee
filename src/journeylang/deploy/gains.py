"""Whom a segment wins and loses by another definition, counted over all customers at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.expressions import (
    Age,
    Expression,
    Listed,
    SegmentTest,
    TileBy,
    TopBy,
)
from journeylang.model.project import Project
from journeylang.model.walk import walk
from journeylang.plan.asks import ranked
from journeylang.plan.operations import Program
from journeylang.runtime.lists import store_lists
from journeylang.runtime.localtime import ZoneTables, zones_in_use
from journeylang.sql.compiler import Compiler
from journeylang.sql.expressions import predicate
from journeylang.sql.rankings import RANKING, ranking_rows
from journeylang.sql.scope import Rows, StepNumbers, definitions
from journeylang.sql.session import temporary

_BEFORE = {"segment": "INTEGER", "customer_id": "{key}"}


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
    engine: Engine,
    old: Project,
    new: Project,
    names: Collection[str],
    now: datetime,
    *,
    program: Program,
    steps: StepNumbers,
    key_type: str,
) -> dict[str, Gains]:
    """Each segment that is asked for otherwise than before: who is in it by either way.

    One statement per segment, in a transaction of which nothing is kept. What rests on rankings,
    lists or ages finds the tables of a tick: first those of the old project, then of the new one.
    """
    was = Compiler(project=old, dialect=engine.dialect, steps=steps)
    is_ = Compiler(project=new, dialect=engine.dialect, steps=steps)
    found: dict[str, Gains] = {}
    prepared: list[str] = []
    for name in sorted(names):
        if name not in old.segments or name not in new.segments:
            continue
        nodes = _nodes(old, name), _nodes(new, name)
        lists = any(isinstance(node, Listed) for node in nodes[1]) and old.lists != new.lists
        if nodes[0] == nodes[1] and old.binding == new.binding and not lists:
            continue
        if any(isinstance(n, Age | Listed | TopBy | TileBy) for part in nodes for n in part):
            prepared.append(name)
        else:
            found[name] = _count(engine, _members(was, name), _members(is_, name), now)
    if prepared:
        engine.execute(temporary(engine.dialect, "before", _BEFORE, key_type))
        _answers(engine, was, prepared, now, program, key_type)
        for number, name in enumerate(prepared):
            members = _members(was, name)
            engine.execute(
                f"INSERT INTO before SELECT {number}, m.customer_id FROM ({members}) AS m",
                {"now": now},
            )
        store_lists(engine, new, now)
        _answers(engine, is_, prepared, now, program, key_type)
        for number, name in enumerate(prepared):
            before = f"SELECT b.customer_id FROM before AS b WHERE b.segment = {number}"
            found[name] = _count(engine, before, _members(is_, name), now)
    return found


def _answers(
    engine: Engine,
    compiler: Compiler,
    names: Sequence[str],
    now: datetime,
    program: Program,
    key_type: str,
) -> None:
    """The tables in which a tick would find dates where customers are, and rankings."""
    project = compiler.project
    customers = project.binding.customers
    assert customers is not None
    nodes = [node for name in names for node in _nodes(project, name)]
    if any(isinstance(node, Age) for node in nodes):
        zones = zones_in_use(engine, project.binding)
        ZoneTables().cover(engine, program, zones, customers.zone_else, low=now, now=now)
    engine.execute(temporary(engine.dialect, "ranking", RANKING, key_type))
    for _, by in ranked(project, tuple(project.segments[name].condition for name in names)):
        rows = ranking_rows(by, compiler.scope(Rows()))
        engine.execute(f"INSERT INTO ranking\n{rows}", {"now": now})


def _nodes(project: Project, name: str) -> tuple[Expression, ...]:
    return tuple(walk(project.segments[name].condition, definitions(project)))


def _count(engine: Engine, was: str, is_: str, now: datetime) -> Gains:
    rows = engine.query(
        f"""WITH was AS ({was}), now_in AS ({is_})
SELECT count(*) FILTER (WHERE w.customer_id IS NULL),
  count(*) FILTER (WHERE i.customer_id IS NULL), count(i.customer_id)
FROM was AS w FULL JOIN now_in AS i ON i.customer_id = w.customer_id""",
        {"now": now},
    )
    gained, lost, count = rows[0]
    return Gains(gained=gained, lost=lost, now=count)


def _members(compiler: Compiler, name: str) -> str:
    scope = compiler.scope(Rows())
    span = compiler.project.segments[name].span
    condition = predicate(SegmentTest(name=name, span=span), scope)
    joins = scope.joins()
    base = compiler.base(*scope.fields)
    return f"SELECT c.customer_id FROM {base} AS c{joins} WHERE {condition}"
