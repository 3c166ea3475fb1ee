"""The project over the people and the rows of a dry run.

An event of which something is assumed is read from a view: the rows that are there up to the
beginning, and those that the dry run brings about. All else is as it is bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Binding, ConsentTable, Customers, Event, Table
from journeylang.model.expressions import BoundEvent, Column, SqlMembers, SqlValue
from journeylang.model.journey import Journey
from journeylang.model.measures import OF_COHORTS, RATES, Target
from journeylang.model.policy import Budget, Policy
from journeylang.model.project import Project
from journeylang.model.types import INSTANT, TEXT, Type
from journeylang.model.walk import walk
from journeylang.runtime.soundness import expressions
from journeylang.source import Span
from journeylang.sql.dialects import Dialect, quote
from journeylang.sql.relations import bound_value, event, table_name

SCHEMA = "simulated"
DONORS = 1_000
"""So many of an event's newest rows lend their fields to those that are brought about."""

_NOWHERE = Span("", 0, 0)
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event that a dry run brings about.

    `key` is the type of its rows' keys, `donors` how many rows there are to take fields from.
    """

    event: Event
    key: str
    donors: int

    @property
    def table(self) -> str:
        """The rows that the dry run has brought about."""
        return f"{SCHEMA}.{quote('happened_' + self.event.name)}"

    @property
    def view(self) -> str:
        """These, and those that were there."""
        return f"{SCHEMA}.{quote('event_' + self.event.name)}"

    @property
    def lenders(self) -> str:
        return f"{SCHEMA}.{quote('donor_' + self.event.name)}"

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.event.fields)

    def made(self, d: Dialect, md5: str) -> str:
        """A key that no row of the table has, of an md5."""
        if self.key == "BIGINT":
            return f"-1 - {d.hex_number(f'substr({md5}, 1, 15)')}"
        if self.key == "UUID":
            return f"CAST({md5} AS UUID)"
        return f"'simulated ' || {md5}"


def sampled(engine: Engine, binding: Binding, share: Decimal, seed: int) -> Binding:
    """The binding with a part of the customers, drawn by their keys."""
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    d = engine.dialect
    mine = Table(parts=(SCHEMA, "customers"), span=_NOWHERE)
    bucket = d.bucket(f"sample:{seed}", bound_value(bound.key, d))
    engine.execute(
        f"CREATE TABLE {table_name(mine)} AS SELECT t.* FROM {table_name(bound.table)} AS t"
        f" WHERE {bucket} < {int(share * 10_000)}"
    )
    return replace(binding, customers=replace(bound, table=mine))


def at_hand(engine: Engine, binding: Binding) -> Binding:
    """The binding with a copy of what it reads of the customers, and of consents, where their
    tables are views.

    Each tick looks for its people there, and a file keeps texts compressed: to find the addresses
    of some hundred of a million people takes three times as long in it.
    """
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    if not _is_view(engine, bound.table):
        return binding
    mine = _copied(engine, bound, "customers")
    if mine is None:
        return binding
    consents = dict(binding.consents)
    for name, consent in consents.items():
        if isinstance(consent, ConsentTable) and _is_view(engine, consent.table):
            table = _copied(engine, consent, f"consent {name}")
            if table is not None:
                consents[name] = replace(consent, table=table)
    return replace(binding, customers=replace(bound, table=mine), consents=consents)


def _copied(engine: Engine, bound: Customers | ConsentTable, name: str) -> Table | None:
    """A copy of the columns that are read; None if nobody knows which those are."""
    columns: dict[str, str] = {}
    for expression in expressions(bound):
        for node in walk(expression):
            if isinstance(node, SqlValue | SqlMembers):
                return None
            if isinstance(node, Column):
                columns.setdefault(node.name.lower(), node.name)
    mine = Table(parts=(SCHEMA, name), span=_NOWHERE)
    listed = ", ".join(f"t.{quote(name)}" for name in columns.values())
    engine.execute(
        f"CREATE TABLE {table_name(mine)} AS SELECT {listed} FROM {table_name(bound.table)} AS t"
    )
    return mine


def _is_view(engine: Engine, table: Table) -> bool:
    *schema, name = table.parts
    found = engine.query(
        "SELECT 1 FROM duckdb_views() WHERE database_name = current_database()"
        " AND schema_name = $schema AND view_name = $name",
        {"schema": schema[-1] if schema else "main", "name": name},
    )
    return bool(found)


def scaled(project: Project, share: Decimal) -> Project:
    """Whatever is counted over all customers at once, for a part of them."""
    return replace(
        project,
        policies={n: _policy(p, share) for n, p in project.policies.items()},
        journeys={n: _journey(j, share) for n, j in project.journeys.items()},
    )


def brought_about(
    engine: Engine, binding: Binding, names: Iterable[str], start: datetime
) -> tuple[Binding, dict[str, Happening]]:
    """The binding with these events as views of what was there up to `start` and what will be."""
    happenings = {name: _happening(engine, binding, name, start) for name in names}
    seen = {
        name: _seen(happenings[name]) if name in happenings else bound
        for name, bound in binding.events.items()
    }
    return replace(binding, events=seen), happenings


def _happening(engine: Engine, binding: Binding, name: str, start: datetime) -> Happening:
    d, bound = engine.dialect, binding.events[name]
    fields = [f.name for f in bound.fields]
    source = BoundEvent(name=name, span=bound.span)
    relation = event(binding, source, fields, d)
    shape = engine.shape(f"SELECT * FROM {relation} AS e")
    key = shape["_key"]
    if key in _WHOLE:
        key = "BIGINT"
    elif key != "UUID":
        key = "VARCHAR"
    one = Happening(event=bound, key=key, donors=0)
    columns = {"customer_id": shape["customer_id"], '"_key"': key, '"_at"': "TIMESTAMP"}
    columns |= {quote(f.name): d.column_type(f.type) for f in bound.fields}
    listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    engine.execute(f"CREATE TABLE {one.table} ({listed})")
    own = "".join(f", e.{quote(f)}" for f in fields)
    changed = ', e."_changed"' if bound.changed_at is not None else ""
    happened = ', e."_at" AS "_changed"' if changed else ""
    engine.execute(
        f'CREATE VIEW {one.view} AS SELECT e.customer_id, CAST(e."_key" AS {key}) AS "_key",'
        f' e."_at"{own}{changed} FROM {relation} AS e WHERE e."_at" <= {d.instant(start)}'
        f' UNION ALL SELECT e.customer_id, e."_key", e."_at"{own}{happened} FROM {one.table} AS e'
    )
    engine.execute(
        f'CREATE TABLE {one.lenders} AS SELECT row_number() OVER (ORDER BY e."_at" DESC,'
        f' e."_key") - 1 AS n{own} FROM (SELECT * FROM {one.view} AS e'
        f' ORDER BY e."_at" DESC, e."_key" LIMIT {DONORS if fields else 0}) AS e'
    )
    [[donors]] = engine.query(f"SELECT count(*) FROM {one.lenders}")
    return replace(one, donors=donors)


def _seen(one: Happening) -> Event:
    bound = one.event
    return replace(
        bound,
        table=Table(parts=(SCHEMA, f"event_{bound.name}"), span=_NOWHERE),
        key=_column("_key", TEXT),
        customer=_column("customer_id", TEXT),
        at=_column("_at", INSTANT),
        changed_at=_column("_changed", INSTANT) if bound.changed_at is not None else None,
        fields=tuple(replace(f, value=_column(f.name, f.type)) for f in bound.fields),
        only_where=None,
    )


def _column(name: str, type_: Type) -> Column:
    return Column(name=name, type=type_, span=_NOWHERE)


def _policy(policy: Policy, share: Decimal) -> Policy:
    return replace(
        policy,
        budgets=tuple(_budget(b, share) for b in policy.budgets),
        capacities=tuple(
            replace(c, limit=max(round(c.limit * share), 1)) for c in policy.capacities
        ),
    )


def _budget(budget: Budget, share: Decimal) -> Budget:
    return replace(budget, amount=budget.amount * share)


def _journey(journey: Journey, share: Decimal) -> Journey:
    return replace(
        journey,
        budgets=tuple(_budget(b, share) for b in journey.budgets),
        guards=tuple(_target(t, share) for t in journey.guards),
        kpis=tuple(_target(t, share) for t in journey.kpis),
    )


def _target(target: Target, share: Decimal) -> Target:
    """Rates, and what is made of two sums, are those of a part too."""
    if target.measure in RATES or target.measure in OF_COHORTS:
        return target
    return replace(target, bound=target.bound * share)
