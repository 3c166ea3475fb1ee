"""What the statements of all journeys share, and how a row gets into `trail`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journeylang.classes import dataclass
from journeylang.model.expressions import Expression
from journeylang.model.project import Project
from journeylang.sql.dialects import Dialect
from journeylang.sql.relations import customers
from journeylang.sql.scope import Rows, Scope, StepNumbers, definitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """What the statements of all journeys share."""

    project: Project
    dialect: Dialect
    steps: StepNumbers

    def scope(self, rows: Rows) -> Scope:
        return Scope(project=self.project, dialect=self.dialect, steps=self.steps, rows=rows)

    def of_event(self, rows: Rows) -> Scope:
        """The scope of rows that are an event's, under its alias."""
        return self.scope(rows).inside("c")

    def base(self, *fields: str) -> str:
        """The customers with the fields named."""
        return customers(self.project.binding, self.dialect, fields)

    @property
    def named(self) -> Mapping[str, Mapping[str, Expression]]:
        """Definitions by kind and name, for `walk`."""
        return definitions(self.project)


def zone_join(rule: object, zone: str, instant: str) -> str:
    """A join with the piece `z` of a local-time rule in which an instant lies."""
    return (
        f"\n  LEFT JOIN zone_rule AS z ON z.zone = {zone} AND z.rule = {rule}"
        f" AND {instant} >= z.since AND {instant} < z.until"
    )


def select(columns: dict[str, str]) -> str:
    """A trail row's columns, each under its name."""
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def insert_head(columns: Iterable[str]) -> str:
    """The head of a statement that adds rows with these columns to `trail`."""
    return f"INSERT INTO trail ({', '.join(columns)})"
