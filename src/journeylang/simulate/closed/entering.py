"""Who enters, and when; who may not, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.model.entry import EnterOn
from journeylang.model.journey import Holdout
from journeylang.model.policy import Control
from journeylang.plan.operations import JourneyPlan
from journeylang.simulate.closed.digests import bucket, first60
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.people import People
from journeylang.simulate.population import SCHEMA
from journeylang.sql.aggregates import event_fields
from journeylang.sql.compiler import Compiler, zone_join
from journeylang.sql.dialects import quote
from journeylang.sql.entries import REENTRY
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.relations import event
from journeylang.sql.schema import ACTIVE, CONTROL, EXITED, HELD_OUT, WHY

CANDIDATES = f"{SCHEMA}.candidate"
LATEST = f"{SCHEMA}.latest"
JUDGED = f"{SCHEMA}.judged"
ENTERED = f"FROM {JUDGED} AS j WHERE j.nth = 1 AND j.refused IS NULL"
ONE = timedelta(microseconds=1)
_ENDED = (
    f"CASE WHEN r.status = {ACTIVE} THEN TIMESTAMP '9999-01-01'"
    " ELSE coalesce(r.ended_at, TIMESTAMP '1970-01-01') END"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """Statements for a journey that is entered on a bound event; `applied`: its first apply."""

    compiler: Compiler
    plan: JourneyPlan
    grid: Grid
    people: People
    applied: datetime

    @property
    def since(self) -> datetime:
        """Behind it lie all instants of entry."""
        entry = self.plan.entry
        assert isinstance(entry, EnterOn)
        late = timedelta(seconds=self.compiler.project.binding.events[entry.event.name].late)
        found = max(self.grid.since - late, self.applied)
        runs = self.plan.runs
        return max(found, runs.start - ONE) if runs is not None and runs.start else found

    @property
    def until(self) -> datetime:
        runs = self.plan.runs
        last = self.grid.last
        return min(last, runs.end - ONE) if runs is not None and runs.end else last

    def candidates(self) -> str:
        """All rows by which somebody might enter, with the tick that sees them; {now}."""
        d, plan, entry = self.compiler.dialect, self.plan, self.plan.entry
        assert isinstance(entry, EnterOn)
        scope = self.compiler.of_event(Rows(name="came"))
        where = f" AND {predicate(entry.where, scope)}" if entry.where is not None else ""
        stored = plan.entry_fields
        fields = tuple(dict.fromkeys((*event_fields((entry.where,), scope), *stored)))
        came = f"{event(self.compiler.project.binding, entry.event, fields, d)} AS e"
        if scope.fields:
            came += (
                f" JOIN {self.compiler.base(*scope.fields)} AS c ON c.customer_id = e.customer_id"
            )
        run_id = first60(plan.name, d.as_text("e.customer_id"), d.as_text('e."_key"'))
        draws = "".join(
            f", {bucket(group.salt, 'e.customer_id')} AS draw_{n}"
            for n, (group, _) in enumerate(self._groups)
        )
        own = ", ".join(f"p.{column}" for column in self.people.columns)
        kept = f"CAST({d.json_object((f, f'e.{quote(f)}') for f in stored)} AS VARCHAR) AS entry, "
        return f"""CREATE TABLE {CANDIDATES} AS
SELECT e.customer_id, e.at, e.key, e.run_id, {"e.entry," if stored else ""} e.now,
  {self._drawn()} AS status, {own}
FROM (SELECT e.customer_id, e."_at" AS at, e."_key" AS key, {run_id} AS run_id,
    {kept if stored else ""}{self.grid.tick('e."_at"')} AS now{draws}
  FROM {came}{scope.joins()}
  WHERE e."_at" > {d.instant(self.since)} AND e."_at" <= {d.instant(self.until)}
    AND e."_key" IS NOT NULL{where}) AS e
JOIN {self.people.relation()} AS p ON p.customer_id = e.customer_id
WHERE NOT EXISTS (SELECT 1 FROM journey.run AS r
    WHERE r.customer_id = e.customer_id AND r.run_id = e.run_id)
  AND NOT EXISTS (SELECT 1 FROM journey.decision AS d
    WHERE d.customer_id = e.customer_id AND d.run_id = e.run_id AND d.step IS NULL)"""

    def before(self) -> str:
        """The latest run of each customer: who has entered before the dry run is through."""
        return f"""CREATE TABLE {LATEST} AS
SELECT r.customer_id, max(r.entered_at) AS entered_at, max({_ENDED}) AS ended,
  max_by(r.status = {EXITED}, {_ENDED}) AS out
FROM journey.run AS r WHERE r.journey = {self.plan.journey} GROUP BY r.customer_id"""

    def follow(self) -> str:
        """The same behind a generation of runs, those of `judged` that have entered."""
        return f"""CREATE OR REPLACE TABLE {LATEST} AS
SELECT x.customer_id, max(x.entered_at) AS entered_at, max_by(x.ended, x.new) AS ended,
  max_by(x.out, x.new) AS out
FROM (SELECT r.customer_id, r.entered_at, {_ENDED} AS ended,
    r.status = {EXITED} AS out, 1 AS new
  FROM {JUDGED} AS j JOIN journey.run AS r ON r.customer_id = j.customer_id AND r.run_id = j.run_id
  WHERE j.nth = 1 AND j.refused IS NULL
  UNION ALL SELECT k.customer_id, k.entered_at, k.ended, k.out, 0 FROM {LATEST} AS k) AS x
GROUP BY x.customer_id"""

    def judged(self, *, several: bool, known: bool) -> str:
        """Of each customer's candidates why they may not enter, and which is the first that may.

        `several`: somebody has more than one; `known`: somebody has entered before.
        """
        plan = self.plan
        scope = self.compiler.scope(Rows(name=CANDIDATES))
        scope.instant = "w.now"
        audience = ""
        if plan.only is not None:
            only = f"coalesce({predicate(plan.only, scope)}, FALSE)"
            audience = f" WHEN NOT {only} THEN 'audience'"
        again = REENTRY[plan.reenter.rule]
        zone = ""
        if plan.reenter_rule is not None:
            zone = zone_join(plan.reenter_rule, "w.zone", "w.at")
        base = ""
        if scope.fields:
            base = (
                f"\nJOIN {self.compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id"
            )
        nth = "1"
        if several:
            nth = """row_number() OVER (PARTITION BY j.customer_id, j.refused IS NULL
    ORDER BY j.now, j.at, j.key)"""
        # Where nobody can be refused, the candidates are told only once.
        kind = "TABLE" if several or known or plan.only is not None else "VIEW"
        return f"""CREATE OR REPLACE {kind} {JUDGED} AS
SELECT j.*, {nth} AS nth
FROM (SELECT w.*, CASE WHEN w.now < p.ended OR (w.now = p.ended AND NOT p.out) THEN 'active'{again}
      {audience} END AS refused
    FROM {CANDIDATES} AS w LEFT JOIN {LATEST} AS p ON p.customer_id = w.customer_id{zone}{base}
    {scope.joins()}) AS j"""

    def settle(self, *, several: bool) -> list[str]:
        """What is decided with a generation; the candidates that are left come to the next."""
        if not several:
            refused = f"""INSERT INTO journey.decision (customer_id, run_id, journey, step, "at",
  tick, reason)
SELECT j.customer_id, j.run_id, {self.plan.journey}, NULL, j.now, $tick, j.refused
FROM {JUDGED} AS j WHERE j.refused IS NOT NULL"""
            return [refused]
        first = f"(SELECT * FROM {JUDGED} WHERE nth = 1 AND refused IS NULL)"
        left = f"""SELECT j.* FROM {JUDGED} AS j JOIN {first} AS f ON f.customer_id = j.customer_id
WHERE j.now > f.now"""
        refused = f"""INSERT INTO journey.decision (customer_id, run_id, journey, step, "at", tick,
  reason)
SELECT j.customer_id, j.run_id, {self.plan.journey}, NULL, j.now, $tick,
  coalesce(j.refused, 'active')
FROM {JUDGED} AS j LEFT JOIN {first} AS f ON f.customer_id = j.customer_id
WHERE (f.customer_id IS NULL OR j.now <= f.now) AND NOT (j.nth = 1 AND j.refused IS NULL)"""
        kept = ", ".join(
            f"k.{c}"
            for c in (
                *("customer_id", "at", "key", "run_id"),
                *(("entry",) if self.plan.entry_fields else ()),
                *("now", "status", *self.people.columns),
            )
        )
        return [
            refused,
            f"CREATE OR REPLACE TABLE {CANDIDATES} AS SELECT {kept} FROM ({left}) AS k",
        ]

    def drawn(self, version: int, moved: str, *, first: bool, trace: bool) -> list[str]:
        """What is left behind by whoever is drawn into a control group as they enter, or not.

        `moved` counts moves, which `trace` writes down too; `first`: nobody has been exposed yet.
        """
        plan, step = self.plan, self.plan.holdout_step
        if plan.holdout is None and plan.control is None:
            return []
        reason = (
            f"CASE j.status WHEN {CONTROL} THEN 'global_control'"
            f" WHEN {HELD_OUT} THEN 'held_out' END"
        )
        arm = f"CASE WHEN j.status = {ACTIVE} THEN 'treated' ELSE {reason} END"
        salt = "(SELECT v.salt FROM plan_version AS v)"
        who = f"j.customer_id, j.run_id, {plan.journey}"
        kept = f"{ENTERED} AND j.status <> {ACTIVE}"
        again = ""
        if not first:
            again = f""" AND NOT EXISTS (SELECT 1 FROM journey.exposure AS k
  WHERE k.customer_id = j.customer_id AND k.experiment = {step} AND k.salt = {salt})"""
        entry = "j.entry" if plan.entry_fields else "NULL"
        moves = f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick, why)
SELECT {who}, j.at, $tick, {WHY["entered"]} {kept}"""
        return [
            *([moves] if trace else ()),
            f"""INSERT INTO {moved}
SELECT {plan.journey}, NULL, NULL, j.status, {reason}, count(*) {kept} GROUP BY j.status""",
            f"""INSERT INTO journey.run (customer_id, run_id, journey, version, arrived_at,
  entered_at, status, reason, entry, ended_at, passes)
SELECT {who}, {version}, j.at, j.at, j.status, {reason}, {entry}, j.now, 0
{kept}""",
            f"""INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id, salt)
SELECT j.customer_id, {step}, {arm}, j.at, j.run_id, {salt} {ENTERED}{again}""",
        ]

    @property
    def _groups(self) -> list[tuple[Control | Holdout, int]]:
        """The control groups into which one may be drawn, and as what."""
        both = ((self.plan.control, CONTROL), (self.plan.holdout, HELD_OUT))
        return [(group, status) for group, status in both if group is not None]

    def _drawn(self) -> str:
        whens = "".join(
            f" WHEN e.draw_{n} < {group.share} THEN {status}"
            for n, (group, status) in enumerate(self._groups)
        )
        return f"CASE{whens} ELSE {ACTIVE} END" if whens else str(ACTIVE)
