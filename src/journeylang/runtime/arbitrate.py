"""One rank of sends decided: in one statement, or channel by channel where budgets bind."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from journeylang.model.project import Project
from journeylang.runtime.zones import local_days, zone
from journeylang.sql.allowances import of_position, of_rank, of_round
from journeylang.sql.arbitration import DecideSql
from journeylang.sql.dialects import Dialect


class Execute(Protocol):
    """Runs a statement with the tick's parameters and these; how many rows it wrote."""

    def __call__(self, statement: str, **parameters: Any) -> int: ...


class Arbiter:
    """For one arbitration; what a rank is granted counts for the next."""

    def __init__(self, execute: Execute, sql: DecideSql, dialect: Dialect, key_type: str) -> None:
        self.execute = execute
        self.dialect = dialect
        self.sql = sql
        self.key_type = key_type
        if sql.rations is not None and sql.verdicts is not None:
            for statement in of_round(dialect):
                execute(statement)
            execute(sql.rations.spent)

    def decide(self, *, round: int, rank: int) -> None:  # noqa: A002 - the parameter's own name
        """Settle one rank."""
        if self.sql.rations is not None and self.sql.verdicts is not None:
            for statement in of_rank(self.dialect, self.key_type):
                self.execute(statement)
            self.execute(self.sql.verdicts, rank=rank)
            for position in range(self.sql.rations.positions):
                self._ration(position)
        self.execute(self.sql.settle, round=round, rank=rank)

    def charge(self, base: int, messages: int) -> None:
        """Enter what the rank's messages took; `base` is the first of them."""
        if self.sql.rations is not None and messages:
            self.execute(self.sql.rations.charges, base=base)

    def _ration(self, position: int) -> None:
        rations = self.sql.rations
        assert rations is not None
        self.execute(of_position(self.dialect))
        while self.execute(rations.close, position=position) and rations.rivals:
            pass  # what one allowance stops takes nothing from the others: look again
        self.execute(rations.stop, position=position)
        if self.execute(rations.grant, position=position):
            self.execute(rations.charge, position=position)


def project_day(project: Project, now: datetime) -> dict[str, datetime]:
    """{this_day, next_day, …_week, …_month}: where now lies on the project's own clock.

    What people and purses can do in a day has one day, not one for each customer: that of the
    zone behind the binding's `else`.
    """
    customers = project.binding.customers
    tz = zone(customers.zone_else if customers is not None else "UTC")
    assert tz is not None, "checked: the binding's own zone is valid"
    day = next(iter(local_days(tz, now, now)))
    return {
        "this_day": day.day,
        "this_week": day.week,
        "this_month": day.month,
        "next_day": day.next_day,
        "next_week": day.next_week,
        "next_month": day.next_month,
    }
