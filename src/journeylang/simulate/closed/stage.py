"""Runs on their way from step to step: where they stand, and what they leave behind there."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.plan.operations import Edge, JourneyPlan, Leaf, Park, Split
from journeylang.plan.ways import leaves
from journeylang.runtime.session import Session
from journeylang.simulate.closed.digests import bucket
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.leaving import leaving
from journeylang.simulate.closed.people import People
from journeylang.simulate.closed.traces import Traces
from journeylang.simulate.closed.underway import Underway
from journeylang.simulate.closed.ways import leaf_of
from journeylang.simulate.population import SCHEMA
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows

RUN = ("customer_id", "run_id", "entered_at")


@dataclass(slots=True, kw_only=True)
class Stage:
    """Of one journey. `number` is that of the tick to which all is put down.

    `goes_on`: those who are played have entered before, none `since` then. `went` are the ways by
    which a generation comes to each step.
    """

    session: Session
    compiler: Compiler
    plan: JourneyPlan
    grid: Grid
    people: People
    underway: Underway
    traces: Traces
    number: int
    since: datetime
    goes_on: bool = True
    exposed_before: bool = False
    generation: int = 0
    ways: int = 0
    went: dict[int, list[str]] = field(default_factory=dict)

    # --- going on --------------------------------------------------------------------

    def advance(self, edge: Edge, rows: str, which: str, *, exits: bool = False) -> None:
        """Take those rows `w` of a table to where an edge leads."""
        scope = self.compiler.scope(Rows(name=rows))
        scope.instant = "w.now"
        draw = ""
        if isinstance(edge.node, Split):
            draw = f", {bucket(edge.node.salt, 'w.customer_id')} AS drawn"
        leaf = leaf_of(edge.node, scope, "w.drawn" if draw else None)
        joins = ""
        if scope.fields:
            joins = f"\nLEFT JOIN {self.compiler.base(*scope.fields)} AS c"
            joins += " ON c.customer_id = w.customer_id"
        joins += scope.joins()
        reached = list(leaves(edge.node))
        if exits and self.plan.exits:
            out = leaving(self.compiler, self.plan, self.grid, rows, self.since)
            at_entry = self.table("out_at_entry")
            self.do(f"""CREATE OR REPLACE TABLE {at_entry} AS
SELECT w.customer_id, w.run_id, {out.reason} AS reason FROM {rows} AS w{out.joins}
WHERE {out.tick} <= w.now""")
            by_reason = [found for found in self.plan.leaves if found.exited]
            whens = " ".join(f"WHEN {text(x.reason or '')} THEN {x.leaf}" for x in by_reason)
            leaf = f"CASE WHEN o.reason IS NOT NULL THEN CASE o.reason {whens} END ELSE {leaf} END"
            joins += (
                f"\nLEFT JOIN {at_entry} AS o"
                " ON o.customer_id = w.customer_id AND o.run_id = w.run_id"
            )
            reached += by_reason
        own = ", ".join(f"w.{c}" for c in self.own)
        self.ways += 1
        table, kind = self.table(f"went_{self.ways}"), "TABLE"
        if not exits and len(reached) == 1:
            # Nobody has a choice.
            leaf, joins = str(reached[0].leaf), ""
            table, kind = self.seen(f"went_{self.ways}"), "VIEW"
        self.do(f"""CREATE OR REPLACE {kind} {table} AS
SELECT {own}, w.left_at, w.now, w.from_step, w.why, {leaf} AS leaf
FROM (SELECT w.*{draw} FROM {rows} AS w WHERE {which}) AS w{joins}""")
        self.land(table, reached)

    def land(self, table: str, reached: list[Leaf]) -> None:
        """What is left behind by those who come to a leaf, and where they go on."""
        for step in {leaf.step for leaf in reached if leaf.step is not None}:
            mine = [str(leaf.leaf) for leaf in reached if leaf.step == step]
            self.went.setdefault(step, []).append(
                f"SELECT * EXCLUDE (leaf) FROM {table} WHERE leaf IN ({', '.join(mine)})"
            )
        for statement in self.traces.landed(table, reached, first=self.first_exposures):
            self.do(statement)

    def came(self, park: Park) -> str | None:
        """Everybody who ever comes to a step; None if no way leads there."""
        ways = self.went.get(park.step)
        if not ways:
            return None
        table = self.seen(f"at_{park.step}")
        own = ", ".join(f"w.{c}" for c in self.own)
        self.do(f"""CREATE OR REPLACE VIEW {table} AS
SELECT {own}, w.left_at AS arrived_at, w.now, CAST(NULL AS VARCHAR) AS last_reason
FROM ({" UNION ALL ".join(ways)}) AS w""")
        return table

    def stay(self, table: str, step: int) -> None:
        """Of those who rest: who leaves by an exit, and who is still there in the end."""
        if self.plan.exits:
            for statement in self.traces.left(table, step):
                self.do(statement)
        reason = "w.reason" if table.endswith("_held") else "NULL"
        self.do(self.traces.there(table, step, reason))

    @property
    def first_exposures(self) -> bool:
        """Whether nobody can have been exposed before: one comes to an experiment once in a run."""
        return self.generation == 1 and not self.exposed_before

    # --- statements ------------------------------------------------------------------

    @property
    def own(self) -> tuple[str, ...]:
        """What goes with a run to every step."""
        stored = ("entry",) if self.plan.entry_fields else ()
        return (*RUN, *stored, *self.people.columns)

    def edges(self, *numbers: int) -> list[Edge]:
        return [edge for edge in self.plan.edges if edge.edge in numbers]

    def table(self, name: str) -> str:
        return f"{SCHEMA}.life_{name}"

    def seen(self, name: str) -> str:
        """A view: what is read from it once need not be written down."""
        return f"{SCHEMA}.seen_{name}"

    def do(self, statement: str, now: datetime | None = None) -> int:
        given: dict[str, Any] = {"now": now or self.grid.start, "tick": self.number}
        return self.session.engine.execute(statement, given)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self.session.engine.query(statement)
