"""What an expression is worth for one customer, at one instant.

Logic is two-valued: a comparison with an unknown value is false, and so `not` of it true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, assert_never

from journeylang.model.expressions import (
    Age,
    Aged,
    Aggregate,
    All,
    Arithmetic,
    Between,
    Column,
    Comparison,
    Constant,
    CustomerValue,
    Drawn,
    Either,
    EntryValue,
    EventSource,
    EventValue,
    Expression,
    Known,
    Listed,
    MetricValue,
    Negated,
    OneOf,
    ProfileValue,
    SegmentTest,
    SinceEntry,
    SinceLast,
    SqlMembers,
    SqlValue,
    TextMatch,
    TileBy,
    TopBy,
    Within,
)
from journeylang.model.project import Project
from journeylang.model.types import Kind, Type
from tests.oracle.arithmetic import arithmetic, money, number, whole
from tests.oracle.chance import bucket
from tests.oracle.facts import Customer, Happening, Record, Run
from tests.oracle.hatches import VALUES
from tests.oracle.standing import age, listed, tile, top

_COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Of whom and what an expression speaks: a customer, a run, an event, a table's row."""

    customer: Customer | None = None
    run: Run | None = None
    event: Happening | None = None
    row: Record | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """`happenings` yields what happened to a subject's customer, of one event, until now.

    `profile` yields what is written under a name about the customer, as the subject sees it.
    `ranked` has the keys of all customers by an expression, as the tick began,
    `members` the keys that a SELECT yields.
    """

    project: Project
    now: datetime
    happenings: Callable[[EventSource, Subject], list[Happening]]
    profile: Callable[[str, Subject], Any] = lambda _name, _of: None
    ranked: Callable[[Expression], list[Any]] = lambda _: []
    members: Callable[[str], set[str]] = lambda _: set()

    def holds(self, node: Expression, of: Subject) -> bool:
        return self.value(node, of) is True

    def value(self, node: Expression, of: Subject) -> Any:
        match node:
            case Constant():
                return _constant(node)
            case Column():
                assert of.row is not None
                return of.row[node.name]
            case CustomerValue():
                return _of_customer(of.customer, node.name)
            case EventValue():
                assert of.event is not None
                return of.event.at if node.name == "at" else of.event.fields[node.name]
            case EntryValue():
                assert of.run is not None
                # Who entered by another version may not have been handed it.
                return of.run.entered_at if node.name == "at" else of.run.entry.get(node.name)
            case ProfileValue():
                return self.profile(node.name, of)
            case Drawn():
                assert of.run is not None
                assert node.learned is None
                drawn, count = bucket(node.salt, of.run.customer), len(node.options)
                ends = [10_000 * n // count for n in range(1, count + 1)]
                return next(
                    self.value(o, of)
                    for o, end in zip(node.options, ends, strict=True)
                    if drawn < end
                )
            case MetricValue():
                return self.value(self.project.metrics[node.name].value, of)
            case SegmentTest():
                return self.holds(self.project.segments[node.name].condition, of)
            case Aggregate():
                return self._aggregate(node, of)
            case TopBy():
                return top(node, self.ranked(node.by), _key(of))
            case TileBy():
                return tile(node, self.ranked(node.by), _key(of))
            case Listed():
                rows = self.project.lists[node.path]
                return listed(rows, self.value(rows.subject, of))
            case SqlValue():
                assert of.row is not None
                return VALUES[node.sql](of.row)
            case SqlMembers():
                key = _of_customer(of.customer, "key")
                return key is not None and str(key) in self.members(node.sql)
            case Age():
                born = self.value(node.subject, of)
                return age(born, of.customer, self.project, self.now)
            case Arithmetic():
                left, right = self.value(node.left, of), self.value(node.right, of)
                return arithmetic(node.operator, left, right, node.type)
            case Comparison():
                return self._compare(node.operator, node.left, node.right, of)
            case Between():
                return self._compare(">=", node.subject, node.low, of) and self._compare(
                    "<=", node.subject, node.high, of
                )
            case OneOf():
                return any(self._compare("=", node.subject, o, of) for o in node.options)
            case TextMatch():
                subject, text = self.value(node.subject, of), self.value(node.text, of)
                if subject is None or text is None:
                    return False
                return text in subject if node.how == "contains" else subject.startswith(text)
            case Known():
                return (self.value(node.subject, of) is not None) == node.known
            case Aged():
                at = _instant(self.value(node.subject, of))
                edge = self.now - timedelta(seconds=node.seconds)
                return at is not None and (at <= edge if node.older else at > edge)
            case All():
                return all(self.holds(part, of) for part in node.parts)
            case Either():
                return any(self.holds(part, of) for part in node.parts)
            case Negated():
                return not self.holds(node.part, of)
            case _:
                assert_never(node)

    def _compare(self, how: str, left: Expression, right: Expression, of: Subject) -> bool:
        a, b = self.value(left, of), self.value(right, of)
        if a is None or b is None:
            return False
        return bool(_COMPARE[how](a, b))

    # --- aggregates -----------------------------------------------------------

    def _aggregate(self, node: Aggregate, of: Subject) -> Any:
        rows = sorted(self._rows(node, of), key=lambda r: (r.at, r.key))
        match node.function:
            case "count":
                return len(rows)
            case "exists":
                return bool(rows)
            case "first" | "last":
                if not rows:
                    return None
                row = rows[0] if node.function == "first" else rows[-1]
                return row.at if node.value is None else self._of(node.value, of, row)
            case _:
                assert node.value is not None
                values = [self._of(node.value, of, row) for row in rows]
                return _figure(node.function, [v for v in values if v is not None], node.type)

    def _rows(self, node: Aggregate, of: Subject) -> Iterable[Happening]:
        """The rows in all windows for which the condition holds."""
        after = [self._start(window, of) for window in node.windows]
        if any(start is None for start in after):
            return
        for row in self.happenings(node.event, of):
            if all(start < row.at for start in after if start is not None) and (
                node.where is None or self._of(node.where, of, row) is True
            ):
                yield row

    def _start(self, window: Within | SinceEntry | SinceLast, of: Subject) -> datetime | None:
        """The instant after which a window begins; None if it never does."""
        match window:
            case Within():
                return self.now - timedelta(seconds=window.seconds)
            case SinceEntry():
                assert of.run is not None
                return of.run.entered_at
            case SinceLast():
                start = self._aggregate(window.of, of)
                assert start is None or isinstance(start, datetime)
                return start
            case _:
                assert_never(window)

    def _of(self, node: Expression, of: Subject, row: Happening) -> Any:
        return self.value(node, replace(of, event=row))


def _figure(function: str, values: list[Any], type_: Type) -> Any:
    """A figure over known values."""
    match function:
        case "distinct":
            return len(set(values))
        case "sum":
            return _sum(values, type_)
        case "avg":
            if not values:
                return None
            if type_.kind is Kind.MONEY:
                return money(Fraction(sum(values)) / len(values))
            return number(float(sum(values)) / len(values))
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case "most":
            return min(values, key=lambda v: (-values.count(v), v), default=None)
        case _:
            raise AssertionError(function)


def _sum(values: list[Any], type_: Type) -> Any:
    match type_.kind:
        case Kind.INT:
            return whole(sum(values))
        case Kind.MONEY:
            return money(Fraction(sum(values)))
        case _:
            return number(float(sum(values)))


def _constant(node: Constant) -> Any:
    match node.value:
        case bool():
            return node.value
        case int() if node.type.kind is Kind.DURATION:
            return timedelta(seconds=node.value)
        case datetime() if node.value.tzinfo is not None:
            return node.value.astimezone(UTC).replace(tzinfo=None)
        case _:
            return node.value


def _of_customer(customer: Customer | None, name: str) -> Any:
    """A field; everything about somebody who is not there is unknown."""
    if customer is None:
        return None
    match name:
        case "key":
            return customer.key
        case "timezone":
            return customer.zone
        case "locale":
            return customer.locale
        case _:
            return customer.fields[name]


def _key(of: Subject) -> Any:
    """Of whom a run or an event speaks, whether or not they are still a customer."""
    if of.run is not None:
        return of.run.customer
    return None if of.customer is None else of.customer.key


def _instant(value: datetime | date | None) -> datetime | None:
    """A date is its midnight, UTC."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())
