"""Every node of an expression, and what a set of expressions reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

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
    SinceLast,
    SqlMembers,
    SqlValue,
    TextMatch,
    TileBy,
    TopBy,
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly below a node; an aggregate's include its windows'."""
    match node:
        case Constant() | Column() | CustomerValue() | EventValue() | EntryValue():
            return ()
        case ProfileValue() | MetricValue() | Drawn() | SegmentTest() | Listed() | SqlMembers():
            return ()
        case SqlValue():
            return node.columns
        case Aggregate():
            since = tuple(w.of for w in node.windows if isinstance(w, SinceLast))
            return tuple(e for e in (node.value, node.where) if e is not None) + since
        case Arithmetic() | Comparison():
            return (node.left, node.right)
        case Between():
            return (node.subject, node.low, node.high)
        case OneOf():
            return (node.subject, *node.options)
        case TextMatch():
            return (node.subject, node.text)
        case Known() | Aged() | Age():
            return (node.subject,)
        case TopBy() | TileBy():
            return (node.by,)
        case All() | Either():
            return node.parts
        case Negated():
            return (node.part,)
        case _:
            assert_never(node)


def walk(
    node: Expression,
    named: Mapping[str, Mapping[str, Expression]] | None = None,
    *,
    into_aggregates: bool = True,
) -> Iterator[Expression]:
    """The node and all below it, depth first.

    With `named` = {"metric": {...}, "segment": {...}} also through named definitions,
    each of them once. Without `into_aggregates` what is below an aggregate, or a ranking, is
    left out: it speaks of other rows.
    """
    seen: set[tuple[str, str]] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if into_aggregates or not isinstance(current, Aggregate | TopBy | TileBy):
            waiting.extend(reversed(children(current)))
        if named is not None and isinstance(current, MetricValue | SegmentTest):
            kind = "metric" if isinstance(current, MetricValue) else "segment"
            if (kind, current.name) not in seen:
                seen.add((kind, current.name))
                definition = named[kind].get(current.name)
                if definition is not None:
                    waiting.append(definition)


def customer_fields(nodes: Iterable[Expression]) -> tuple[str, ...]:
    """Names of the customer's fields among the nodes, in order of first use."""
    return tuple(dict.fromkeys(n.name for n in nodes if isinstance(n, CustomerValue)))


def entry_fields(nodes: Iterable[Expression]) -> tuple[str, ...]:
    """Names of `entry.x` among the nodes, `at` left out: that is the run's own column."""
    return tuple(
        dict.fromkeys(n.name for n in nodes if isinstance(n, EntryValue) and n.name != "at")
    )


def sources(nodes: Iterable[Expression]) -> tuple[EventSource, ...]:
    """The events that aggregates among the nodes are over."""
    return tuple(dict.fromkeys(n.event for n in nodes if isinstance(n, Aggregate)))
