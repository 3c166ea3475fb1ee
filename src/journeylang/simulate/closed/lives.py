"""Whole lives of runs, in a few statements for each step, in the order of the steps.

Everybody who ever comes to a step is there at once, each with the tick that brings them (`now`)
and their own arrival. What a tick would ask of them is asked at that instant: of rows that lie
ahead of it nothing is seen. What is left behind is what ticks would leave in the same tables.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.plan.operations import (
    Edge,
    JourneyPlan,
    Leaf,
    Park,
    RacePark,
    SendPark,
    WaitPark,
)
from journeylang.plan.ways import leaves
from journeylang.runtime.session import Session
from journeylang.simulate.behaviour import Behaviour
from journeylang.simulate.closed.entering import CANDIDATES, ENTERED, ONE, Entering
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.leaving import leaving
from journeylang.simulate.closed.people import People
from journeylang.simulate.closed.sending import Sending, clocks
from journeylang.simulate.closed.traces import CREATE_MOVED, MOVED, Traces
from journeylang.simulate.closed.underway import Underway
from journeylang.simulate.closed.ways import ahead_of, branches, in_order, leaf_of
from journeylang.simulate.population import SCHEMA
from journeylang.sql.arbitration import BATCH
from journeylang.sql.compiler import Compiler, zone_join
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import HELD, SENT, SKIPPED
from journeylang.sql.wakes import earliest, race_hits

RUN = ("customer_id", "run_id", "entered_at", "entry")
# Rows of a transaction that is still open are counted from a high power of two on.
_PLACE = (1 << 40) - 1
DEEPEST = 200
"""So many runs of one customer, one after the other, are looked at."""


class TooManyRunsError(Exception):
    """Somebody enters again and again."""


@dataclass(slots=True, kw_only=True)
class Lives:
    """Of one journey, that `why_not` has nothing against. `first_batch` is that of its messages.

    `trace`: each move is written down, as ticks do, and not only counted.
    """

    session: Session
    compiler: Compiler
    plan: JourneyPlan
    grid: Grid
    behaviour: Behaviour
    first_batch: int
    number: int
    trace: bool
    people: People = field(init=False)
    entering: Entering = field(init=False)
    engine: Engine = field(init=False)
    next_message: int = field(init=False)
    underway: Underway = field(init=False)
    since: datetime = field(init=False)
    traces: Traces = field(init=False)
    goes_on: bool = True
    exposed_before: bool = False
    generation: int = 0
    ways: int = 0
    went: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = self.session.engine
        self.people = People(compiler=self.compiler, plan=self.plan)
        self.entering = Entering(
            compiler=self.compiler,
            plan=self.plan,
            grid=self.grid,
            people=self.people,
            applied=self.session.applied[self.plan.journey],
        )
        self.next_message = self.first_batch * BATCH
        self.underway = Underway(
            dialect=self.compiler.dialect, plan=self.plan, grid=self.grid, people=self.people
        )
        self.since = self.entering.since
        self.traces = Traces(
            journey=self.plan.journey,
            version=self._version,
            last=self.compiler.dialect.instant(self.grid.last),
            trace=self.trace,
        )

    def play(self) -> None:
        """All of it; TooManyRunsError if one customer has too many runs, one after the other."""
        self.behaviour.tell(self.grid.last, self.grid.tick('"at"'))
        self.exposed_before = bool(self._ask("SELECT 1 FROM journey.exposure LIMIT 1"))
        for statement in (CREATE_MOVED, *clocks(self.grid)):
            self._do(statement)
        [[oldest]] = self._ask(self.underway.oldest())
        if oldest is not None:
            for statement in self.underway.taken():
                self._do(statement)
            # So that it lies behind the bound too.
            self.since = min(oldest - ONE, self.since)
            self.generation = 1
            self._live()
        for statement in (self.entering.candidates(), self.entering.before()):
            self._do(statement)
        self.goes_on = False
        while self._ask(f"SELECT 1 FROM {CANDIDATES} LIMIT 1"):
            if self.generation >= DEEPEST:
                raise TooManyRunsError
            self.generation += 1
            [[several]] = self._ask(
                f"SELECT count(*) > count(DISTINCT customer_id) FROM {CANDIDATES}"
            )
            self._do(self.entering.judged(several=several))
            for statement in self.entering.settle(several=several):
                self._do(statement)
            self._live()
            if several:
                self._do(self.entering.follow())

    def _live(self) -> None:
        """One generation: of each customer one run, from its entry or where it rests on."""
        self.went, self.ways = {}, 0
        if not self.goes_on:
            self._enter()
        for park in in_order(self.plan):
            here = self._came(park)
            if here is None and not self.goes_on:
                continue
            match park:
                case SendPark():
                    self._send(park, here)
                case WaitPark() | RacePark():
                    self._rest(park, here)
                case _:
                    raise AssertionError(park)

    # --- entering -----------------------------------------------------------------

    def _enter(self) -> None:
        for statement in self.entering.drawn(
            self._version, MOVED, first=self.first_exposures, trace=self.trace
        ):
            self._do(statement)
        own = ", ".join(f"j.{c}" for c in self.people.columns)
        came = self._seen("entered")
        self._do(f"""CREATE OR REPLACE VIEW {came} AS
SELECT j.customer_id, j.run_id, j.at AS entered_at, j.entry, {own}, j.at AS left_at, j.now,
  CAST(NULL AS INTEGER) AS from_step, {WHY["entered"]} AS why
{ENTERED} AND j.status = {ACTIVE}""")
        (edge,) = (e for e in self.plan.edges if e.kind == "entered")
        self._advance(edge, came, "TRUE", exits=True)

    # --- going on --------------------------------------------------------------------

    def _advance(self, edge: Edge, rows: str, which: str, *, exits: bool = False) -> None:
        """Take those rows `w` of a table to where an edge leads."""
        scope = self.compiler.scope(Rows(name=rows))
        scope.instant = "w.now"
        leaf = leaf_of(edge.node, scope)
        joins = ""
        if scope.fields:
            joins = f"\nLEFT JOIN {self.compiler.base(*scope.fields)} AS c"
            joins += " ON c.customer_id = w.customer_id"
        joins += scope.joins()
        reached = list(leaves(edge.node))
        if exits and self.plan.exits:
            out = leaving(self.compiler, self.plan, self.grid, rows, self.since)
            at_entry = self._table("out_at_entry")
            self._do(f"""CREATE OR REPLACE TABLE {at_entry} AS
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
        own = ", ".join(f"w.{c}" for c in self._own)
        self.ways += 1
        table, kind = self._table(f"went_{self.ways}"), "TABLE"
        if not exits and len(reached) == 1:
            # Nobody has a choice.
            leaf, joins = str(reached[0].leaf), ""
            table, kind = self._seen(f"went_{self.ways}"), "VIEW"
        self._do(f"""CREATE OR REPLACE {kind} {table} AS
SELECT {own}, w.left_at, w.now, w.from_step, w.why, {leaf} AS leaf
FROM {rows} AS w{joins} WHERE {which}""")
        self._land(table, reached)

    def _land(self, table: str, reached: list[Leaf]) -> None:
        """What is left behind by those who come to a leaf, and where they go on."""
        for step in {leaf.step for leaf in reached if leaf.step is not None}:
            mine = [str(leaf.leaf) for leaf in reached if leaf.step == step]
            self.went.setdefault(step, []).append(
                f"SELECT * EXCLUDE (leaf) FROM {table} WHERE leaf IN ({', '.join(mine)})"
            )
        for statement in self.traces.landed(table, reached, first=self.first_exposures):
            self._do(statement)

    def _came(self, park: Park) -> str | None:
        """Everybody who ever comes to a step; None if no way leads there."""
        ways = self.went.get(park.step)
        if not ways:
            return None
        table = self._seen(f"at_{park.step}")
        own = ", ".join(f"w.{c}" for c in self._own)
        self._do(f"""CREATE OR REPLACE VIEW {table} AS
SELECT {own}, w.left_at AS arrived_at, w.now, CAST(NULL AS VARCHAR) AS last_reason
FROM ({" UNION ALL ".join(ways)}) AS w""")
        return table

    # --- resting ---------------------------------------------------------------------

    def _rest(self, park: WaitPark | RacePark, here: str | None) -> None:
        """Those at a wait or a race: until it is over, they leave, or the dry run ends."""
        d = self.compiler.dialect
        waiting, kind = self._seen(f"waiting_{park.step}"), "VIEW"
        zone = ""
        wake = d.shift("w.arrived_at", str(park.seconds)) if park.seconds is not None else ""
        if park.rule is not None:
            zone = zone_join(park.rule, "w.zone", "w.arrived_at")
            wake = f"coalesce(z.instant, {d.shift('w.arrived_at', 'z.shift')})"
            waiting, kind = self._table(f"waiting_{park.step}"), "TABLE"
        own = ", ".join(f"w.{c}" for c in self._own)
        came = []
        if here is not None:
            asked = f"{own}, w.arrived_at, w.now, w.last_reason, {wake} AS wake_at"
            came.append(f"SELECT {asked} FROM {here} AS w{zone}")
        if self.goes_on:
            came.append(self.underway.resting(park.step, own))
        self._do(f"CREATE OR REPLACE {kind} {waiting} AS {' UNION ALL '.join(came)}")
        hit = "CAST(NULL AS TIMESTAMP)"
        edge, why, joins = str(park.edge), str(WHY["due"]), ""
        if isinstance(park, RacePark):
            found = race_hits(self.compiler, park, waiting, "w.arrived_at", since=False)
            hits = earliest(f"({found}) AS hits", [park])
            joins = (
                f"\nLEFT JOIN ({hits}) AS h"
                " ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
            )
            hit, edge = "h.at", f"coalesce(h.edge, {park.edge})"
            why = f"CASE WHEN h.at IS NULL THEN {WHY['timeout']} ELSE {WHY['event']} END"
        out = leaving(self.compiler, self.plan, self.grid, waiting, self.since)
        left = self._table(f"left_{park.step}")
        # An event at the deadline comes before it.
        self._do(
            f"""CREATE OR REPLACE TABLE {left} AS
SELECT k.*, CASE WHEN k.out_at <= k.due THEN k.out_at ELSE k.due END AS now
FROM (SELECT {own}, w.arrived_at, w.wake_at, coalesce({hit}, w.wake_at) AS left_at,
    greatest(w.now, {self.grid.tick(f"coalesce({hit}, w.wake_at)")}) AS due, {edge} AS edge,
    {why} AS why, {park.step} AS from_step, {out.tick} AS out_at, {out.reason} AS out_by
  FROM {waiting} AS w{joins}{out.joins}) AS k""",
            now=self.grid.last,
        )
        self._stay(left, park.step)
        last = d.instant(self.grid.last)
        for edge_ in self._edges(park.edge, *branches(park)):
            which = f"w.edge = {edge_.edge} AND w.due <= {last}"
            which += " AND NOT coalesce(w.out_at <= w.due, FALSE)"
            self._advance(edge_, left, which)

    def _stay(self, table: str, step: int) -> None:
        """Of those who rest: who leaves by an exit, and who is still there in the end."""
        if self.plan.exits:
            for statement in self.traces.left(table, step):
                self._do(statement)
        reason = "w.reason" if table.endswith("_held") else "NULL"
        self._do(self.traces.there(table, step, reason))

    # --- sending ---------------------------------------------------------------------

    def _send(self, park: SendPark, came: str | None) -> None:
        """Those at a send, and again those who are held there, until nobody is."""
        here = self._at_send(park, came)
        own = ", ".join(f"k.{c}" for c in self._own)
        [[suppressions]] = self._ask("SELECT EXISTS (SELECT 1 FROM journey.suppression)")
        again = 0
        while True:
            decided = self._table(f"decided_{park.step}_{again}")
            sending = Sending(
                compiler=self.compiler,
                plan=self.plan,
                people=self.people,
                park=park,
                rows=here,
                before=self._before(park),
                suppressions=suppressions,
                entered=not self.goes_on,
            )
            carried = f"{own}, k.arrived_at, k.now, k.now AS left_at, {park.step} AS from_step"
            self._do(sending.decided(decided, carried))
            counted = dict(
                self._ask(f"SELECT w.outcome, count(*) FROM {decided} AS w GROUP BY ALL")
            )
            if SENT in counted:
                self._messages(park, decided, sum(counted.values()))
            if SKIPPED in counted:
                self._do(self.traces.skipped(decided, park.step))
            self._behind(park, decided)
            if HELD not in counted:
                return
            again += 1
            here = self._hold(park, decided, again)

    def _at_send(self, park: SendPark, came: str | None) -> str:
        """Those who come to a send, and those whom the dry run finds there."""
        if not self.goes_on:
            assert came is not None, "asked before"
            return came
        held = self._seen(f"at_{park.step}_found_rows")
        rows = self.underway.held(park.step, ", ".join(f"w.{c}" for c in self._own))
        self._do(f"CREATE OR REPLACE VIEW {held} AS {rows}")
        found = self._tried_again(park, held, f"at_{park.step}_found")
        if came is None:
            return found
        both = self._seen(f"both_{park.step}")
        self._do(
            f"CREATE OR REPLACE VIEW {both} AS SELECT * FROM {came} UNION ALL SELECT * FROM {found}"
        )
        return both

    def _hold(self, park: SendPark, decided: str, again: int) -> str:
        """Those who are held, where they are tried again."""
        of = f"FROM {decided} AS w WHERE w.outcome = {HELD}"
        for statement in self.traces.held(decided, park.step):
            self._do(statement)
        held = self._seen(f"at_{park.step}_{again}_rows")
        self._do(f"CREATE OR REPLACE VIEW {held} AS SELECT w.* {of}")
        return self._tried_again(park, held, f"at_{park.step}_{again}")

    def _tried_again(self, park: SendPark, held: str, name: str) -> str:
        """Of those who are held: who comes up for the send again, when they do."""
        last = self.compiler.dialect.instant(self.grid.last)
        out = leaving(self.compiler, self.plan, self.grid, held, self.since)
        whole = self._table(f"{name}_held")
        self._do(f"""CREATE OR REPLACE TABLE {whole} AS
SELECT k.* REPLACE (CASE WHEN k.out_at <= k.due THEN k.out_at ELSE k.due END AS now)
FROM (SELECT w.*, {self.grid.tick("w.wake_at")} AS due, {out.tick} AS out_at,
    {out.reason} AS out_by FROM {held} AS w{out.joins}) AS k""")
        self._stay(whole, park.step)
        here = self._seen(name)
        own = ", ".join(f"w.{c}" for c in self._own)
        self._do(f"""CREATE OR REPLACE VIEW {here} AS
SELECT {own}, w.arrived_at, w.now, w.reason AS last_reason FROM {whole} AS w
WHERE w.due <= {last} AND NOT coalesce(w.out_at <= w.due, FALSE)""")
        return here

    def _messages(self, park: SendPark, decided: str, rows: int) -> None:
        """The messages of a table of so many rows, each numbered by its row's own place there."""
        d = self.compiler.dialect
        expires = d.shift("w.arrived_at", str(park.expires))
        topic = "NULL" if park.topic is None else text(park.topic)
        number = f"{self.next_message} + (w.rowid & {_PLACE})"
        sent = f"FROM {decided} AS w WHERE w.outcome = {SENT}"
        self._do(f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id,
  journey, version, step, occurrence, channel, counted, decided_at, expires_at, cost, topic)
SELECT w.customer_id, {number}, ({number}) // {BATCH}, w.run_id, {self.plan.journey},
  {self._version}, {park.step}, 1, w.channel, w.counted, w.now, {expires}, w.cost, {topic}
{sent}""")
        self.behaviour.answer_at_once(
            f"(SELECT w.customer_id, w.run_id, {number} AS message_id, w.now AS decided_at,"
            f" {self.plan.journey} AS journey, {park.step} AS step, w.channel {sent})",
            park.path,
        )
        self.next_message += -(-rows // BATCH) * BATCH

    def _behind(self, park: SendPark, decided: str) -> None:
        """Where those go who have been sent to, or skipped."""
        (edge,) = self._edges(park.edge)
        table = self._seen(f"behind_{self.ways}")
        why = f"CASE WHEN w.outcome = {SENT} THEN {WHY['sent']} ELSE {WHY['skipped']} END AS why"
        self._do(
            f"CREATE OR REPLACE VIEW {table} AS SELECT w.*, {why} FROM {decided} AS w"
            f" WHERE w.outcome <> {HELD}"
        )
        self._advance(edge, table, "TRUE")

    def _before(self, park: SendPark) -> int | None:
        """How many counted messages of the same run may lie ahead of a send's, at most."""
        if self.generation > 1 or not self._fresh:
            return None
        behind = ahead_of(self.plan)
        return sum(
            any(o.counted for o in p.offers)
            for p in self.plan.parks
            if isinstance(p, SendPark) and park.step in behind[p.step]
        )

    @property
    def _fresh(self) -> bool:
        """Whether there were no messages before."""
        first = self.first_batch * BATCH
        return not self._ask(f"SELECT 1 FROM journey.message WHERE message_id < {first} LIMIT 1")

    @property
    def first_exposures(self) -> bool:
        """Whether nobody can have been exposed before: one comes to an experiment once in a run."""
        return self.generation == 1 and not self.exposed_before

    # --- statements ------------------------------------------------------------------

    @property
    def _own(self) -> tuple[str, ...]:
        """What goes with a run to every step."""
        return (*RUN, *self.people.columns)

    @property
    def _version(self) -> int:
        return self.session.ready.versions[self.plan.journey]

    def _edges(self, *numbers: int) -> list[Edge]:
        return [edge for edge in self.plan.edges if edge.edge in numbers]

    def _table(self, name: str) -> str:
        return f"{SCHEMA}.life_{name}"

    def _seen(self, name: str) -> str:
        """A view: what is read from it once need not be written down."""
        return f"{SCHEMA}.seen_{name}"

    def _do(self, statement: str, now: datetime | None = None) -> int:
        given: dict[str, Any] = {"now": now or self.grid.start, "tick": self.number}
        return self.engine.execute(statement, given)

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self.engine.query(statement)
