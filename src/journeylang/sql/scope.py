"""Where the names of an expression are found while it becomes SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from journeylang.classes import dataclass
from journeylang.model.expressions import Aggregate, EventSource, Expression
from journeylang.model.project import Project
from journeylang.sql.dialects import Dialect
from journeylang.sql.profile import profile_joins

StepNumbers = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The relation that expressions are evaluated for.

    `name` is a table or CTE with customer_id and, for runs, run_id and entered_at; None is
    the whole customer base, read under the alias `c`. `few` is a relation of their customers, each
    once, if they are few of all: then figures are looked up by them.
    """

    name: str | None = None
    alias: str = "w"
    few: str = ""


GroupKey = tuple[EventSource, bool, Aggregate | None]


@dataclass(slots=True)
class Group:
    """Aggregates over one event that share a join; a `most` is alone in one."""

    event: EventSource
    per_run: bool
    members: dict[Aggregate, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scope:
    """Where names are found; the grouped relations and customer fields met on the way.

    `of_event`: the rows are those of an event, under its alias, and the customer is theirs.
    `written`: the rows are runs on their way in this tick, which know what they have `set` in it.
    `news_after`: an instant behind which the rows of events lie that are asked for since the entry.
    `instant`: a column of the rows with an instant of their own, at which they are asked; without
    it that is the tick's.
    """

    project: Project
    dialect: Dialect
    steps: StepNumbers
    rows: Rows
    customer: str = "c"
    event: str = "e"
    of_event: bool = False
    written: bool = False
    lone_exists: bool = True
    instant: str = ""
    news_after: str = ""
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    lookups: dict[tuple[str, str, str], str] = field(default_factory=dict)
    fields: dict[str, None] = field(default_factory=dict)
    further: dict[object, str] = field(default_factory=dict)
    profile: dict[str, None] = field(default_factory=dict)

    @property
    def now(self) -> str:
        """When everything is asked."""
        return self.instant or self.dialect.parameter("now")

    @property
    def customer_id(self) -> str:
        """The key of the customer whom a row is about."""
        if self.of_event:
            return f"{self.event}.customer_id"
        return f"{self.customer if self.rows.name is None else self.rows.alias}.customer_id"

    def inside(self, customer: str) -> Scope:
        """The scope of an event's rows, with joins and fields of its own."""
        return replace(
            self,
            customer=customer,
            of_event=True,
            lone_exists=False,
            groups={},
            lookups={},
            fields={},
            further={},
            profile={},
        )

    def lookup(self, relation: str, column: str, equals: str) -> str:
        """The alias of a relation in which `column` is unique, joined where it `equals`."""
        return self.lookups.setdefault((relation, column, equals), f"k{len(self.lookups)}")

    def joins(self) -> str:
        """LEFT JOINs of everything gathered, to be put behind the FROM of the rows."""
        from journeylang.sql.aggregates import join

        found = [
            f"\nLEFT JOIN {relation} AS {alias} ON {alias}.{column} = {equals}"
            for (relation, column, equals), alias in self.lookups.items()
        ]
        found += [f"\n{join(self, g, f'g{n}')}" for n, g in enumerate(self.groups.values())]
        return "".join((*found, self.profile_joins(), *self.further.values()))

    def profile_joins(self) -> str:
        """LEFT JOINs of the profile's values that were met on the way."""
        run = f"{self.rows.alias}.run_id" if self.written else None
        return profile_joins(tuple(self.profile), self.customer_id, run, self.event, self.dialect)


def at_step(project: Project, steps: StepNumbers, journey: str, path: str) -> str:
    """`= 7`, or `IN (7, 12)`: a step by its path, in whatever version people were there."""
    number = steps[journey, path]
    known = project.journeys.get(journey)
    others = dict(known.aliases).get(path, ()) if known is not None else ()
    listed = ", ".join(str(n) for n in (number, *others))
    return f"IN ({listed})" if others else f"= {number}"


def definitions(project: Project) -> Mapping[str, Mapping[str, Expression]]:
    """Metrics and segments by kind and name, for `walk`."""
    return {
        "metric": {n: m.value for n, m in project.metrics.items()},
        "segment": {n: s.condition for n, s in project.segments.items()},
    }
