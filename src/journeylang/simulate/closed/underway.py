"""Runs that are on their way when a dry run begins: each from where it rests.

Whoever waits does so until the instant that their run names, and whoever is held at a send comes
up for it again when the run says so; what lies behind them is left as it is.
"""

from __future__ import annotations

from journeylang.classes import dataclass
from journeylang.plan.operations import JourneyPlan
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.people import People
from journeylang.simulate.population import SCHEMA
from journeylang.sql.dialects import Dialect
from journeylang.sql.schema import ACTIVE

UNDERWAY = f"{SCHEMA}.underway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Statements about the runs of a journey that are active."""

    dialect: Dialect
    plan: JourneyPlan
    grid: Grid
    people: People

    def oldest(self) -> str:
        """When the first of them entered; NULL: there are none."""
        return f"SELECT min(r.entered_at) FROM journey.run AS r WHERE {self._mine}"

    def taken(self) -> list[str]:
        """Takes them out of the table of runs, to which they come back as what they come to; {now}.

        Nobody of theirs may be without a customer: that was asked before.
        """
        own = "".join(f", p.{c}" for c in self.people.columns)
        return [
            f"""CREATE TABLE {UNDERWAY} AS
SELECT r.customer_id, r.run_id, r.entered_at, r.entry, r.step, r.arrived_at, r.wake_at, r.reason
  {own}
FROM journey.run AS r JOIN {self.people.relation()} AS p ON p.customer_id = r.customer_id
WHERE {self._mine}""",
            f"DELETE FROM journey.run AS r WHERE {self._mine}",
        ]

    def resting(self, step: int, columns: str) -> str:
        """Those at a wait, with `now`: no tick looks at them before the first."""
        return (
            f"SELECT {columns}, w.arrived_at, {self._first} AS now,"
            f" CAST(NULL AS VARCHAR) AS last_reason, w.wake_at FROM {UNDERWAY} AS w"
            f" WHERE w.step = {step}"
        )

    def held(self, step: int, columns: str) -> str:
        """Those who are held at a send."""
        return (
            f"SELECT {columns}, w.arrived_at, w.wake_at, w.reason, {self._first} AS now"
            f" FROM {UNDERWAY} AS w WHERE w.step = {step}"
        )

    @property
    def _mine(self) -> str:
        return f"r.journey = {self.plan.journey} AND r.status = {ACTIVE}"

    @property
    def _first(self) -> str:
        return self.dialect.instant(self.grid.start)


def why_not_underway(plan: JourneyPlan, people: str) -> tuple[str, str]:
    """A query of active runs for which lives can't be gone on with, and the reason to tell.

    `people` is the relation of customers.
    """
    steps = ", ".join(str(park.step) for park in plan.parks)
    return (
        f"""SELECT 1 FROM journey.run AS r LEFT JOIN {people} AS c ON c.customer_id = r.customer_id
WHERE r.journey = {plan.journey} AND r.status = {ACTIVE}
  AND (r.step NOT IN ({steps}) OR r.wake_at IS NULL OR c.customer_id IS NULL) LIMIT 1""",
        "people are on their way by steps of an earlier version, or are no customers any more",
    )
