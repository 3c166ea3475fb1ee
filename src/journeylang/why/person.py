"""One customer's rows, put aside, and expressions evaluated over them at any instant.

The bound tables may be large, and a timeline asks them many times: what is this customer's is
copied into temporary tables once, and the binding is made to point there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, Event, Table
from journeylang.model.expressions import (
    Age,
    BoundEvent,
    EventSource,
    Expression,
    ProfileValue,
    SqlMembers,
    TileBy,
    TopBy,
)
from journeylang.model.project import Project
from journeylang.model.tree import all_of
from journeylang.model.types import TEXT
from journeylang.model.walk import walk
from journeylang.plan.asks import asked, rankings
from journeylang.plan.operations import JourneyPlan, Program
from journeylang.runtime.localtime import ZoneTables
from journeylang.runtime.zones import zone
from journeylang.sql.aggregates import awaited, event_fields
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.expressions import Rows, definitions, value
from journeylang.sql.rankings import RANKING, ranking_number, ranking_rows
from journeylang.sql.relations import bound_value, customers, table_name
from journeylang.sql.scope import Scope, StepNumbers
from journeylang.sql.session import temporary


class NotKept:
    """What nobody can tell any more: a ranking of some day, a value that was overwritten."""


NOT_KEPT = NotKept()

Values = Mapping[Expression, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The run that expressions speak of."""

    run_id: int = 0
    entered_at: datetime
    entry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of an event: its instant, its key as text, and the values asked for."""

    at: datetime
    key: str
    values: Values


@dataclass(slots=True)
class Person:
    """`key` is SQL of the customer's key, `now` the instant that counts as the present."""

    engine: Engine
    compiler: Compiler
    key: str
    key_text: str
    key_type: str
    now: datetime
    tz: ZoneInfo
    zone_name: str
    there: bool
    written: Mapping[str, datetime]
    plans: Sequence[JourneyPlan]
    whole: Project
    _ranked: bool = field(default=False, init=False)
    _dated: bool = field(default=False, init=False)

    @property
    def dialect(self) -> Dialect:
        return self.engine.dialect

    def ask(self, nodes: Sequence[Expression], at: datetime, run: Since | None = None) -> Values:
        """The values of expressions about the customer, as of `at`."""
        wanted = list(dict.fromkeys(nodes))
        kept = [n for n in wanted if self._kept(n, at)]
        found: dict[Expression, Any] = dict.fromkeys(wanted, NOT_KEPT)
        if kept:
            row = self.row(kept, lambda scope: [value(n, scope) for n in kept], at, run)
            found |= dict(zip(kept, row, strict=True))
        return found

    def row(
        self,
        nodes: Sequence[Expression],
        columns: Callable[[Scope], Sequence[str]],
        at: datetime,
        run: Since | None = None,
        *,
        fields: Sequence[str] = (),
    ) -> tuple[Any, ...]:
        """The values of columns of SQL about the customer `c` and the run `w`, as of `at`.

        `nodes` are the expressions in them; `fields` those of the customer that are asked for
        besides.
        """
        self._prepare(nodes, at)
        scope = self.compiler.scope(Rows(name="i", alias="w"))
        asked = ", ".join(columns(scope))
        joins = scope.joins()
        base = self.compiler.base(*fields, *scope.fields)
        rows = self.engine.query(
            f"WITH {self._subject(at, run)}\nSELECT {asked} FROM i AS w"
            f"\nLEFT JOIN {base} AS c ON c.customer_id = w.customer_id{joins}",
            {"now": at},
        )
        return tuple(rows[0])

    def rows_of(
        self,
        source: EventSource,
        nodes: Sequence[Expression],
        at: datetime,
        *,
        run: Since | None = None,
        since: datetime | None = None,
        most: int = 5,
    ) -> list[Row]:
        """The newest rows of an event up to `at`, with the values of expressions over each."""
        d = self.dialect
        wanted = list(dict.fromkeys(n for n in nodes if self._kept(n, at)))
        self._prepare(wanted, at)
        scope = self.compiler.of_event(Rows(name="i", alias="w"))
        columns = "".join(f", {value(n, scope)}" for n in wanted)
        fields = event_fields(tuple(wanted), scope)
        joined, about, _ = awaited(source, None, scope, fields)
        conditions = [*about, f'e."_at" <= {d.parameter("now")}']
        if since is not None:
            conditions.append(f'e."_at" >= {d.instant(since)}')
        rows = self.engine.query(
            f'WITH {self._subject(at, run)}\nSELECT e."_at", {d.as_text("e._key")}{columns}'
            f"\nFROM {joined}\nWHERE {' AND '.join(conditions)}"
            f' ORDER BY e."_at" DESC, {d.in_order("e._key")} LIMIT {most}',
            {"now": at},
        )
        lost = dict.fromkeys((n for n in nodes if not self._kept(n, at)), NOT_KEPT)
        return [
            Row(at=row[0], key=row[1], values={**lost, **dict(zip(wanted, row[2:], strict=True))})
            for row in rows
        ]

    def place(self, node: TopBy | TileBy) -> tuple[int, int] | None:
        """The customer's place in a ranking, from 0, and among how many; as of the present."""
        self._rank()
        rows = self.engine.query(
            "SELECT place, among FROM ranking WHERE ranking ="
            f" {ranking_number(node.by)} AND customer_id = {self.key}"
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def _subject(self, at: datetime, run: Since | None) -> str:
        d = self.dialect
        run = run or Since(entered_at=at)
        entry = "NULL" if run.entry is None else text(run.entry)
        return (
            f"i AS (SELECT CAST({self.key} AS {self.key_type}) AS customer_id,"
            f" CAST({run.run_id} AS BIGINT) AS run_id, {d.instant(run.entered_at)} AS entered_at,"
            f" {d.cast(entry, TEXT)} AS entry)"
        )

    def _below(self, node: Expression) -> Iterator[Expression]:
        return walk(node, definitions(self.compiler.project))

    def _kept(self, node: Expression, at: datetime) -> bool:
        """Whether what it reads can still be told: rankings and overwritten values cannot."""
        if at >= self.now:
            return True
        for below in self._below(node):
            match below:
                case TopBy() | TileBy() | SqlMembers():
                    return False
                case ProfileValue() if self.written.get(below.name, at) > at:
                    return False
                case _:
                    pass
        return True

    def _prepare(self, nodes: Sequence[Expression], at: datetime) -> None:
        below = [b for n in nodes for b in self._below(n)]
        if any(isinstance(b, TopBy | TileBy) for b in below):
            self._rank()
        if any(isinstance(b, Age) for b in below):
            self._date([self.zone_name], at)

    def _date(self, names: list[str], at: datetime) -> None:
        bound = self.compiler.project.binding.customers
        assert bound is not None
        nothing = Program(journeys=(), rules=())
        ZoneTables().cover(self.engine, nothing, names, bound.zone_else, low=at, now=at)

    def _rank(self) -> None:
        """All rankings that the journeys ask for, over everybody, as of the present."""
        if self._ranked:
            return
        self._ranked = True
        whole = self.whole
        d = self.dialect
        compiler = replace(self.compiler, project=whole)
        self.engine.execute(temporary(d, "ranking", RANKING, self.key_type))
        for by, _, _ in rankings(whole, self.plans):
            if any(isinstance(b, Age) for b in self._below(by)):
                base = customers(whole.binding, d, ("timezone",))
                zones = self.engine.query(f'SELECT DISTINCT c."_zone" FROM {base} AS c')
                self._date([name for (name,) in zones], self.now)
            rows = ranking_rows(by, compiler.scope(Rows()))
            self.engine.execute(f"INSERT INTO ranking\n{rows}", {"now": self.now})


def put_aside(
    engine: Engine,
    project: Project,
    plans: Sequence[JourneyPlan],
    steps: StepNumbers,
    *,
    key: str,
    key_type: str,
    now: datetime,
) -> Person:
    """Copy what is the customer's of all tables that the plans read. To be undone afterwards."""
    d = engine.dialect
    binding = project.binding
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    whose = f"{bound_value(bound.key, d)} = {key}"
    aside = {"customers": replace(bound, table=_copy(engine, "people", bound.table, whose))}
    events = {}
    for n, (name, event) in enumerate(_events(project, plans)):
        table = _copy(engine, str(n), event.table, _theirs(event, key, d))
        events[name] = replace(event, table=table)
    own = replace(project, binding=_with(binding, aside["customers"], events))
    base = customers(own.binding, d, ("timezone",))
    found = engine.query(f'SELECT c."_zone" FROM {base} AS c')
    ((shown,),) = engine.query(f"SELECT {d.as_text(f'CAST({key} AS {key_type})')}")
    name = found[0][0] if found else bound.zone_else
    written = dict(
        engine.query(f'SELECT name, "at" FROM journey.profile WHERE customer_id = {key}')
    )
    return Person(
        engine=engine,
        compiler=Compiler(project=own, dialect=d, steps=steps),
        key=key,
        key_text=shown,
        key_type=key_type,
        now=now,
        tz=zone(name) or zone(bound.zone_else) or ZoneInfo("UTC"),
        zone_name=name,
        there=bool(found),
        written=written,
        plans=plans,
        whole=project,
    )


def _with(binding: Binding, people: Any, events: Mapping[str, Event]) -> Binding:
    return replace(binding, customers=people, events={**binding.events, **events})


def _copy(engine: Engine, name: str, table: Table, where: str) -> Table:
    named = f"why_{name}"
    engine.execute(
        f"CREATE TEMP TABLE {quote(named)} AS SELECT t.* FROM {table_name(table)} AS t"
        f" WHERE {where}"
    )
    return Table(parts=(named,), span=table.span)


def _theirs(event: Event, key: str, d: Dialect) -> str:
    if event.redeems is None:
        return f"{bound_value(event.customer, d)} = {key}"
    assert event.code is not None
    return (
        f"{d.cast(bound_value(event.code, d), TEXT)} IN (SELECT k.code FROM journey.promo_code"
        f" AS k WHERE k.promo = {text(event.redeems)} AND k.customer_id = {key})"
    )


def _events(project: Project, plans: Sequence[JourneyPlan]) -> list[tuple[str, Event]]:
    """The bound events that anything in the plans reads."""
    named: dict[str, None] = {}
    for plan in plans:
        named |= dict.fromkeys(e.name for e in all_of(plan, BoundEvent))
        for node in asked(project, plan):
            named |= dict.fromkeys(e.name for e in all_of(node, BoundEvent))
    # Consents and addresses are conditions too, but never over events.
    return [(n, project.binding.events[n]) for n in named if n in project.binding.events]
