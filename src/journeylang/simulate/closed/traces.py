"""What runs leave behind in the runtime's tables, as statements; `w` are rows of one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journeylang.classes import dataclass
from journeylang.plan.operations import Leaf
from journeylang.simulate.population import SCHEMA
from journeylang.sql.schema import ACTIVE, EXITED, WHY
from journeylang.sql.session import HELD, SKIPPED

MOVED = f"{SCHEMA}.moved"
"""How many went from step to step, or how they ended: what is told of moves."""

CREATE_MOVED = f"""CREATE TABLE {MOVED} (journey INTEGER, from_step INTEGER, to_step INTEGER,
  status INTEGER, reason VARCHAR, n BIGINT)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Of a journey in a version; `last` is the instant of the last tick.

    `trace`: each move is written down, as ticks do, and not only counted. `entry`: what is kept of
    the event of entry, if anything is.
    """

    journey: int
    version: int
    last: str
    trace: bool
    entry: str

    def landed(self, table: str, reached: Sequence[Leaf], *, first: bool) -> Iterator[str]:
        """Of those who come to a leaf. `first`: nobody can have been exposed before."""
        on_the_leaf = f"JOIN plan_leaf AS l ON l.journey = {self.journey} AND l.leaf = w.leaf"
        if self.trace:
            yield f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick,
  from_step, to_step, why)
SELECT w.customer_id, w.run_id, {self.journey}, w.left_at, $tick, w.from_step, l.step, w.why
FROM {table} AS w {on_the_leaf}"""
        yield f"""INSERT INTO {MOVED}
SELECT {self.journey}, w.from_step, l.step, CASE WHEN l.kind = 'end' THEN l.status END,
  CASE WHEN l.kind = 'end' THEN l.reason END, w.n
FROM (SELECT w.from_step, w.leaf, count(*) AS n FROM {table} AS w GROUP BY w.from_step, w.leaf) AS w
{on_the_leaf}"""
        if any(leaf.step is None for leaf in reached):
            yield f"""INSERT INTO journey.run (customer_id, run_id, journey, version, arrived_at,
  entered_at, status, reason, entry, ended_at, passes)
SELECT w.customer_id, w.run_id, {self.journey}, {self.version}, w.left_at, w.entered_at, l.status,
  l.reason, {self.entry}, w.now, 0
FROM {table} AS w {on_the_leaf}
WHERE l.kind = 'end'"""
        if any(leaf.exposures for leaf in reached):
            again = ""
            if not first:
                again = """WHERE NOT EXISTS (SELECT 1 FROM journey.exposure AS k
  WHERE k.customer_id = w.customer_id AND k.experiment = x.experiment AND k.salt = x.salt)"""
            yield f"""INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id,
  salt)
SELECT w.customer_id, x.experiment, x.arm, w.left_at, w.run_id, x.salt
FROM {table} AS w JOIN plan_exposure AS x ON x.journey = {self.journey} AND x.leaf = w.leaf
{again}"""

    def left(self, table: str, step: int) -> Iterator[str]:
        """Of those at rest who leave by an exit, by `out_by` at `out_at`."""
        gone = f"FROM {table} AS w WHERE w.out_at <= w.due AND w.out_at <= {self.last}"
        yield f"""INSERT INTO journey.run (customer_id, run_id, journey, version, arrived_at,
  entered_at, status, reason, entry, ended_at, passes)
SELECT w.customer_id, w.run_id, {self.journey}, {self.version}, w.out_at, w.entered_at, {EXITED},
  w.out_by, {self.entry}, w.out_at, 0 {gone}"""
        yield f"""INSERT INTO {MOVED}
SELECT {self.journey}, {step}, NULL, {EXITED}, w.out_by, count(*) {gone} GROUP BY w.out_by"""
        if self.trace:
            yield f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick,
  from_step, why)
SELECT w.customer_id, w.run_id, {self.journey}, w.out_at, $tick, {step}, {WHY["exit"]} {gone}"""

    def there(self, table: str, step: int, reason: str) -> str:
        """Of those at rest who are still there in the end."""
        return f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step,
  arrived_at, wake_at, entered_at, status, reason, entry, passes)
SELECT w.customer_id, w.run_id, {self.journey}, {self.version}, {step}, w.arrived_at, w.wake_at,
  w.entered_at, {ACTIVE}, {reason}, {self.entry}, 0 FROM {table} AS w WHERE w.now > {self.last}"""

    def held(self, decided: str, step: int) -> Iterator[str]:
        """Of those who have to wait at a send."""
        of = f"FROM {decided} AS w WHERE w.outcome = {HELD}"
        if self.trace:
            yield f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick,
  from_step, to_step, why)
SELECT w.customer_id, w.run_id, {self.journey}, w.arrived_at, $tick, {step}, {step},
  {WHY["held"]} {of}"""
        yield f"""INSERT INTO {SCHEMA}.held
SELECT w.customer_id, {self.journey}, {step}, w.reason, 1
{of}"""

    def skipped(self, decided: str, step: int) -> str:
        """Of those who get nothing at a send."""
        return f"""INSERT INTO journey.decision (customer_id, run_id, journey, step, "at",
  tick, reason)
SELECT w.customer_id, w.run_id, {self.journey}, {step}, w.now, $tick, w.reason
FROM {decided} AS w WHERE w.outcome = {SKIPPED}"""
