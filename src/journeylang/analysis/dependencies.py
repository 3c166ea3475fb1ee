"""The order in which metrics and segments can be understood, and the circles in it.

Names are looked up on the tree as written, without recursion over definitions: a chain of
ten thousand metrics is a list here, not a stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from journeylang.analysis.declared import Declared
from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import Shape
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.syntax import nodes

Definition = tuple[str, str]
"""(``metric``, ``segment`` or ``fragment``, name)."""


def in_order_of_need(
    declared: Declared, events: Mapping[str, Shape], findings: Findings
) -> tuple[list[Definition], frozenset[Definition]]:
    """All metrics and segments, each behind those it needs; and those that need themselves."""
    needs: dict[Definition, dict[Definition, nodes.Name]] = {}
    for name, metric in declared.metrics.items():
        needs["metric", name] = _needs(metric.value, declared, events)
    for name, segment in declared.segments.items():
        needs["segment", name] = _needs(segment.condition, declared, events)
    order: list[Definition] = []
    cyclic: set[Definition] = set()
    for group in strongly_connected(needs):
        order.extend(group)
        if len(group) > 1 or group[0] in needs[group[0]]:
            cyclic.update(group)
            tell_cycle(group, needs, declared, findings)
    return order, frozenset(cyclic)


def _needs(
    root: nodes.Expression, declared: Declared, events: Mapping[str, Shape]
) -> dict[Definition, nodes.Name]:
    found: dict[Definition, nodes.Name] = {}
    waiting: list[tuple[nodes.Expression, frozenset[str]]] = [(root, frozenset())]
    while waiting:
        node, fields = waiting.pop()
        if isinstance(node, nodes.Ref) and len(node.parts) == 1:
            name = node.parts[0]
            if name.text in declared.metrics and name.text not in fields:
                found.setdefault(("metric", name.text), name)
        elif isinstance(node, nodes.InSegment) and node.segment.text in declared.segments:
            found.setdefault(("segment", node.segment.text), node.segment)
        elif isinstance(node, nodes.Aggregate):
            shape = events.get(node.event.name.text)
            hidden = frozenset(shape.fields) if shape is not None else frozenset()
            if node.where is not None:
                waiting.append((node.where, hidden))
            waiting.extend((w.start, fields) for w in node.windows if isinstance(w, nodes.Since))
            continue
        waiting.extend((child, fields) for child in _children(node))
    return found


def _children(node: nodes.Expression) -> tuple[nodes.Expression, ...]:
    match node:
        case nodes.Compare() | nodes.Binary():
            return (node.left, node.right)
        case nodes.Ref() | nodes.Integer() | nodes.String():
            return ()
        case nodes.And() | nodes.Or():
            return node.operands
        case nodes.Not() | nodes.Negate():
            return (node.operand,)
        case nodes.Between():
            return (node.subject, node.low, node.high)
        case nodes.InList():
            return (node.subject, *node.items)
        case nodes.Contains():
            return (node.subject, node.part)
        case nodes.StartsWith():
            return (node.subject, node.prefix)
        case nodes.IsKnown() | nodes.AgeTest():
            return (node.subject,)
        case nodes.Call():
            return node.arguments
        case nodes.TopBy() | nodes.TileBy():
            return (node.by,)
        case nodes.InSegment() | nodes.InListFile() | nodes.SqlHatch() | nodes.Aggregate():
            return ()
        case (
            nodes.Number()
            | nodes.Boolean()
            | nodes.Percent()
            | nodes.Money()
            | nodes.Duration()
            | nodes.Date()
            | nodes.DateTime()
            | nodes.TimeOfDay()
        ):
            return ()
        case _:
            assert_never(node)


def strongly_connected(
    needs: Mapping[Definition, Mapping[Definition, nodes.Name]],
) -> Iterator[list[Definition]]:
    """Groups that need each other, each behind the groups it needs (Tarjan 1972, a loop)."""
    index: dict[Definition, int] = {}
    low: dict[Definition, int] = {}
    stack: list[Definition] = []
    held: set[Definition] = set()
    for root in needs:
        if root in index:
            continue
        if not needs[root]:  # most of them
            index[root] = low[root] = len(index)
            yield [root]
            continue
        work = [(root, iter(needs[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        held.add(root)
        while work:
            at, rest = work[-1]
            for following in rest:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    held.add(following)
                    work.append((following, iter(needs[following])))
                    break
                if following in held:
                    low[at] = min(low[at], index[following])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[at])
                if low[at] == index[at]:
                    start = stack.index(at) if stack[-1] != at else len(stack) - 1
                    group = stack[start:]
                    del stack[start:]
                    held.difference_update(group)
                    yield group


def tell_cycle(
    group: list[Definition],
    needs: Mapping[Definition, Mapping[Definition, nodes.Name]],
    declared: Declared,
    findings: Findings,
) -> None:
    """One finding per circle: at the first definition, with the way round."""
    members = set(group)
    first = min(group, key=lambda d: name_of(d, declared).span)
    place = {first: 0}
    following = first
    while True:
        # Every member of the group needs another one of it, so the way never ends outside.
        following = next(d for d in needs[following] if d in members)
        if following in place:
            break
        place[following] = len(place)
    way = list(place)[place[following] :]
    start = min(range(len(way)), key=lambda i: name_of(way[i], declared).span)
    way = way[start:] + way[:start]
    shown = [name for _, name in way[:6]] + (["…"] if len(way) > 6 else []) + [way[0][1]]
    findings.error(
        names.CYCLIC_DEFINITION,
        name_of(way[0], declared).span,
        f"{way[0][0]} `{way[0][1]}` is defined by itself",
        label=" -> ".join(shown),
        labels=tuple(
            Label(needs[here][there].span, f"needs `{there[1]}`")
            for here, there in zip(way[:6], (*way[1:], way[0]), strict=False)
        ),
        help="let one of them say what it means without the others",
    )


def name_of(definition: Definition, declared: Declared) -> nodes.Name:
    kind, name = definition
    match kind:
        case "metric":
            return declared.metrics[name].name
        case "fragment":
            return declared.fragments[name].name
        case _:
            return declared.segments[name].name
