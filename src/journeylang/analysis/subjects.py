"""What comparisons are about, spelled so that the same thing is always the same value.

Metrics are spelled out, and figures know the set of rows that they are over: then a condition on
`spend_year` and one on `sum(order_placed.total within 365d)` meet, and of two sets of rows it can
be said that one lies within the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace

from journeylang.classes import dataclass
from journeylang.model.expressions import (
    Aggregate,
    AggregateFunction,
    All,
    Arithmetic,
    EventSource,
    Expression,
    MessageEvent,
    MetricValue,
    Window,
    Within,
)
from journeylang.model.project import Project
from journeylang.model.types import Kind

_DEEP = 5
"""Metrics and sums within each other that are followed; deeper ones stay names, which is sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One customer's rows of an event: those for which all of ``where`` holds, in all windows.

    ``within`` in seconds is the shortest moving window, ``since`` are the others.
    """

    event: EventSource
    where: frozenset[Expression] = frozenset()
    within: int | None = None
    since: frozenset[Window] = frozenset()

    def inside(self, other: Rows) -> bool:
        """True if each of these rows is provably one of the other's."""
        return (
            _narrower(self.event, other.event)
            and other.where <= self.where
            and other.since <= self.since
            and (other.within is None or (self.within is not None and self.within <= other.within))
        )

    def ever(self) -> Rows:
        """The rows without the moving window."""
        return replace(self, within=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure over rows."""

    function: AggregateFunction
    rows: Rows
    value: Expression | None = None
    kind: Kind = field(default=Kind.INT, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How two values compare: below, at or above 0 as the left one is less, equal or greater."""

    left: Value
    right: Value


class Reckoned:
    """What is reckoned from several values; it remembers its hash, for it may be long."""

    __slots__ = ("_hash", "of")

    def __init__(self, of: Arithmetic) -> None:
        self.of = of
        self._hash = hash(of)

    def __repr__(self) -> str:
        return repr(self.of)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Reckoned) and self._hash == other._hash and self.of == other.of
        )


Value = Expression | Figure | Reckoned
Subject = Value | Order


def subject_of(node: Expression, project: Project) -> Value:
    """What the expression is about; an expression that is no figure stands for itself."""
    found = spelled(node, project)
    match found:
        case Aggregate():
            return figure(found)
        case Arithmetic():
            return Reckoned(found)
        case _:
            return found


def figure(node: Aggregate) -> Figure:
    return Figure(function=node.function, rows=rows(node), value=node.value, kind=node.type.kind)


def rows(node: Aggregate) -> Rows:
    spans = [w.seconds for w in node.windows if isinstance(w, Within)]
    return Rows(
        event=node.event,
        where=frozenset(() if node.where is None else _parts(node.where)),
        within=min(spans, default=None),
        since=frozenset(w for w in node.windows if not isinstance(w, Within)),
    )


def spelled(node: Expression, project: Project, depth: int = 0) -> Expression:
    """The expression with metrics replaced by what they are defined as."""
    match node:
        case MetricValue() if depth < _DEEP and node.name in project.metrics:
            return spelled(project.metrics[node.name].value, project, depth + 1)
        case Arithmetic() if depth < _DEEP:
            left = spelled(node.left, project, depth + 1)
            right = spelled(node.right, project, depth + 1)
            return replace(node, left=left, right=right)
        case _:
            return node


def _parts(where: Expression) -> Iterator[Expression]:
    waiting = [where]
    while waiting:
        current = waiting.pop()
        if isinstance(current, All):
            waiting.extend(current.parts)
        else:
            yield current


def _narrower(one: EventSource, other: EventSource) -> bool:
    if not (isinstance(one, MessageEvent) and isinstance(other, MessageEvent)):
        return one == other
    return one.name == other.name and all(
        wide is None or wide is False or wide == narrow
        for narrow, wide in (
            (one.journey, other.journey),
            (one.path, other.path),
            (one.own, other.own),
            (one.channel, other.channel),
        )
    )
