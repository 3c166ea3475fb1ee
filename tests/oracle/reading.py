"""The user's tables as the binding says they are to be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from journeylang.model.binding import (
    BoundField,
    Catalog,
    ConsentTable,
    Customers,
    Event,
    Pool,
    Table,
)
from journeylang.model.expressions import BoundEvent, EventSource, Expression, MessageEvent
from journeylang.model.project import Project
from journeylang.model.types import Kind
from tests.oracle.arithmetic import money, number
from tests.oracle.facts import Customer, Happening, Memory, Message, Record, Tables, Written
from tests.oracle.hatches import MEMBERS
from tests.oracle.standing import instant_of, listed, places
from tests.oracle.values import Evaluator, Subject


class Reader:
    """Everything that is there at `now`; what has a later instant does not exist yet."""

    def __init__(self, project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
        self.project = project
        self.tables = tables
        self.memory = memory
        self.now = now
        self.evaluator = Evaluator(
            project=project,
            now=now,
            happenings=self.happenings,
            profile=self.profile,
            ranked=self.ranked,
            members=lambda sql: MEMBERS[sql](self.tables.rows),
        )
        self.customers = self._customers()
        self.written: list[Written] = []
        self._known: dict[str, dict[Any, list[Happening]]] = {}
        self._began = replace(memory, messages=list(memory.messages))
        self._ranked: dict[Expression, list[Any]] = {}

    # --- tables ---------------------------------------------------------------

    def _rows(self, table: Table, only_where: Expression | None) -> Iterable[Subject]:
        for record in self.tables.rows[str(table)]:
            row = Subject(row=record)
            if only_where is None or self.evaluator.holds(only_where, row):
                yield row

    def _keyed(self, bound: Customers | Event | Catalog, source: str) -> Iterable[Subject]:
        """The rows without those that are set aside: nobody can tell which of them is meant."""
        rows = list(self._rows(bound.table, bound.only_where))
        if source not in self.project.binding.aside:
            return rows
        keys = [self._read(bound.key, row) for row in rows]
        return [
            row
            for key, row in zip(keys, rows, strict=True)
            if key is not None and keys.count(key) == 1
        ]

    def _read(self, node: Expression | None, row: Subject) -> Any:
        return None if node is None else self.evaluator.value(node, row)

    def _fields(self, fields: Iterable[BoundField], row: Subject) -> Record:
        return {f.name: _typed(self._read(f.value, row), f) for f in fields}

    def _customers(self) -> dict[Any, Customer]:
        bound = self.project.binding.customers
        assert bound is not None
        found = {}
        for row in self._keyed(bound, "customers"):
            key = self._read(bound.key, row)
            if key is None:
                continue
            zone, locale = self._read(bound.timezone, row), self._read(bound.locale, row)
            found[key] = Customer(
                key=key,
                zone=bound.zone_else if zone is None else zone,
                locale=bound.locale_else if locale is None else locale,
                prefers=self._read(bound.prefers, row),
                fields=self._fields(bound.fields, row),
            )
        return found

    def consents(self, bound: ConsentTable) -> Iterable[tuple[Any, datetime | None, bool]]:
        """Customer, instant and what was said, row by row."""
        for row in self._rows(bound.table, bound.only_where):
            granted = self.evaluator.holds(bound.granted, row)
            yield self._read(bound.customer, row), self._read(bound.at, row), granted

    def collected(self, consent: str) -> Iterable[tuple[Any, datetime | None, bool]]:
        """What customers on collected lists said, as long as it lasts."""
        for found in self.project.collected.values():
            subject, lasts = found.people.subject, found.prospects.expires
            for value, *cells in found.rows:
                row = Subject(row=dict(zip(found.columns, cells, strict=True)))
                for said in found.prospects.consents:
                    at = instant_of(self._read(said.at, row))
                    over = at is None or (
                        lasts is not None and at + timedelta(seconds=lasts) <= self.now
                    )
                    if said.consent != consent or over:
                        continue
                    one = replace(found.people, values=(value,))
                    for key, customer in self.customers.items():
                        mine = self.evaluator.value(subject, Subject(customer=customer))
                        if listed(one, mine):
                            yield key, at, self.evaluator.holds(said.condition, row)

    def catalog(self, name: str) -> list[Happening]:
        """The rows of a catalogue; nothing happens to them, but they have fields too."""
        bound = self.project.binding.catalogs[name]
        rows = []
        for row in self._keyed(bound, f"catalog {name}"):
            key = self._read(bound.key, row)
            fields = {"key": None if key is None else str(key), **self._fields(bound.fields, row)}
            rows.append(Happening(key=key, at=self.now, fields=fields))
        return rows

    def pool(self, bound: Pool) -> list[str]:
        """The codes of a promo's table, each once, in their order."""
        rows = self._rows(bound.table, bound.only_where)
        codes = {self._read(bound.code, row) for row in rows}
        return sorted(code for code in codes if code is not None)

    # --- the profile ------------------------------------------------------------

    def profile(self, name: str, of: Subject) -> Any:
        """What the subject's own run wrote last in this tick, or else what stood before it."""
        customer = of.run.customer if of.run is not None else of.customer and of.customer.key
        own = [
            w.value
            for w in self.written
            if of.run is not None
            and (w.run.journey, w.run.run_id) == (of.run.journey, of.run.run_id)
            and w.name == name
        ]
        if own:
            return own[-1]
        stored = self.memory.profile.get((customer, name))
        return None if stored is None else stored.value

    def ranked(self, by: Expression) -> list[Any]:
        """All customers whose figure is known, by it, as things stood when the tick began."""
        if by not in self._ranked:
            then = Reader(self.project, self.tables, self._began, self.now)
            self._ranked[by] = places(
                self.customers, lambda c: then.evaluator.value(by, Subject(customer=c))
            )
        return self._ranked[by]

    # --- events ---------------------------------------------------------------

    def happenings(self, source: EventSource, of: Subject) -> list[Happening]:
        """What happened to the subject's customer until now."""
        customer = of.run.customer if of.run is not None else of.customer and of.customer.key
        if isinstance(source, BoundEvent):
            return self.events(source.name).get(customer, [])
        return [
            h
            for h in self._of_messages(source.name)
            if h.message is not None
            and h.message.customer == customer
            and _about(h, source, of)
            and (not source.own or self.of_the_latest_pass(h.message))
        ]

    def events(self, name: str) -> dict[Any, list[Happening]]:
        """All rows of a bound event until now, by customer."""
        if name not in self._known:
            bound = self.project.binding.events[name]
            found: dict[Any, list[Happening]] = {}
            for row in self._keyed(bound, f"event {bound.origin or name}"):
                at = self._read(bound.at, row)
                if at is not None and at <= self.now:
                    fields = self._fields(bound.fields, row)
                    happening = Happening(key=self._read(bound.key, row), at=at, fields=fields)
                    for who in self._whose(bound, row, at):
                        found.setdefault(who, []).append(happening)
            self._known[name] = found
        return self._known[name]

    def _whose(self, bound: Event, row: Subject, at: datetime) -> Iterable[Any]:
        """Whose row it is: for a redemption, of those for whom the code was drawn before."""
        if bound.redeems is None:
            yield self._read(bound.customer, row)
            return
        code = self._read(bound.code, row)
        for drawn in self.memory.codes:
            if (drawn.promo, drawn.code) == (bound.redeems, code) and drawn.at < at:
                yield drawn.customer

    def opens(self) -> Iterable[Happening]:
        """Everything that anybody has opened."""
        return self._of_messages("opened")

    def of_the_latest_pass(self, message: Message) -> bool:
        """Nothing was decided at its step since: no other message, nor that there be none."""
        at = (message.journey, message.customer, message.run_id, message.step)
        later = [
            (m.journey, m.customer, m.run_id, m.step)
            for m in self.memory.messages
            if m.decided_at > message.decided_at
        ]
        later += [
            (d.journey, d.customer, d.run_id, d.step or "")
            for d in self.memory.decisions
            if d.at > message.decided_at
        ]
        return at not in later

    def last_answered(self, customer: Any) -> str | None:
        """The channel of the customer's newest answer."""
        mine = [
            (said.at, said.key, said.message.channel)
            for name in ("clicked", "replied", "answered")
            for said in self._of_messages(name)
            if said.message is not None and said.message.customer == customer
        ]
        return max(mine)[2] if mine else None

    def _of_messages(self, name: str) -> Iterable[Happening]:
        """A built-in event: the decisions themselves, or what providers say about messages."""
        if name == "sent":
            for number, message in enumerate(self.memory.messages):
                yield Happening(
                    key=number,
                    at=message.decided_at,
                    fields={"cost": self.tables.cost(message)},
                    message=message,
                )
            return
        messages = {(m.run_id, m.step, m.decided_at): m for m in self.memory.messages}
        for row in self.tables.feedback:
            if row["name"] == name and row["at"] <= self.now:
                yield Happening(
                    key=row["event_id"],
                    at=row["at"],
                    fields=_Said(row["data"]),
                    message=messages[row["run_id"], row["step"], row["decided_at"]],
                )


class _Said(dict[str, Any]):
    """What a provider told about an event; what it did not tell is unknown."""

    def __missing__(self, name: str) -> None:
        return None


def _about(happening: Happening, source: MessageEvent, of: Subject) -> bool:
    """Whether it is about a message that the source means."""
    message: Message | None = happening.message
    assert message is not None
    if source.own:
        assert of.run is not None
        if (message.run_id, message.step) != (of.run.run_id, source.path):
            return False
    elif source.path is not None and (message.journey, message.step) != (
        source.journey,
        source.path,
    ):
        return False
    return source.channel is None or message.channel == source.channel


def _typed(value: Any, field: BoundField) -> Any:
    """A column's value as the field's type."""
    if value is None:
        return None
    match field.type.kind:
        case Kind.MONEY:
            return money(Fraction(value))
        case Kind.NUMBER:
            return number(float(value))
        case _:
            return value
