"""Figures over a customer's events as SQL.

Aggregates do not become correlated subqueries one by one: all over the same event are
gathered into one grouped relation, joined once. The exception is a lone `exists`, which a
semi-join answers faster. What an event's `where` asks of the customer (further aggregates,
metrics, segments) is gathered within that relation in the same way.
"""

from __future__ import annotations

from journeylang.model.expressions import (
    Aggregate,
    EntryValue,
    EventSource,
    EventValue,
    Expression,
    MessageEvent,
    ProfileValue,
    SinceEntry,
    SinceLast,
    Within,
)
from journeylang.model.journey import Repeat
from journeylang.model.project import Project
from journeylang.model.steps import bodies, steps
from journeylang.model.types import NUMBER, Kind
from journeylang.model.walk import walk
from journeylang.sql import expressions
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import customers, event
from journeylang.sql.scope import Group, Scope, at_step, definitions
from journeylang.sql.session import SKIPPED


def aggregate(node: Aggregate, scope: Scope) -> str:
    """SQL of a figure; what it needs is gathered in the scope."""
    per_run = needs_run(node, scope)
    if node.function == "exists" and scope.lone_exists and scope.dialect.joins_exists:
        alone = _exists(node, scope)
        if alone is not None:
            return alone
    key = (node.event, per_run, node if node.function == "most" else None)
    group = scope.groups.setdefault(key, Group(event=node.event, per_run=per_run))
    position = list(scope.groups).index(key)
    name = group.members.setdefault(node, f"a{len(group.members)}")
    column = f"g{position}.{name}"
    match node.function:
        case "exists":
            return f"(coalesce({column}, 0) > 0)"
        case "count" | "distinct":
            return f"coalesce({column}, 0)"
        case "sum":
            # Nobody's rows make 0; a sum that is unknown is too large.
            nothing = f"CAST(0 AS {scope.dialect.column_type(node.type)})"
            return f"CASE WHEN g{position}.customer_id IS NULL THEN {nothing} ELSE {column} END"
        case _:
            return column


def needs_run(node: Aggregate, scope: Scope) -> bool:
    """True if the figure differs between two runs of one customer."""
    return bool(scope.instant) or any(
        _of_a_run(n, scope) for n in walk(node, definitions(scope.project))
    )


def _of_a_run(node: Expression, scope: Scope) -> bool:
    match node:
        case EntryValue():
            return True
        case ProfileValue():
            return scope.written
        case Aggregate():
            own = isinstance(node.event, MessageEvent) and node.event.own
            return own or any(isinstance(w, SinceEntry) for w in node.windows)
        case _:
            return False


def event_fields(parts: tuple[Expression | None, ...], scope: Scope) -> tuple[str, ...]:
    """Fields of the event in scope that the expressions read, not those of events within."""
    below = (
        n
        for part in parts
        if part is not None
        for n in walk(part, definitions(scope.project), into_aggregates=False)
    )
    return tuple(dict.fromkeys(n.name for n in below if isinstance(n, EventValue)))


def _time_bounds(node: Aggregate, scope: Scope) -> list[str]:
    """The windows of an aggregate as conditions on `e`."""
    d = scope.dialect
    at = f'{scope.event}."_at"'
    bounds = []
    for window in node.windows:
        match window:
            case Within():
                bounds.append(f"{at} > {scope.now} - {d.interval(window.seconds)}")
            case SinceEntry():
                bounds.append(f"{at} > {scope.rows.alias}.entered_at")
                bounds += [f"{at} > {scope.news_after}"] if scope.news_after else []
            case SinceLast():
                bounds.append(f"{at} > {expressions.value(window.of, scope)}")
    return bounds


def _filter(node: Aggregate, scope: Scope) -> str:
    conditions = _time_bounds(node, scope)
    if node.where is not None:
        conditions.append(expressions.predicate(node.where, scope))
    return " AND ".join(conditions)


def _from(
    source: EventSource, nodes: tuple[Aggregate, ...], scope: Scope, lead: str = ""
) -> tuple[str, list[str]]:
    """FROM an event with the fields that the aggregates read, and its conditions.

    `lead` is a relation to begin with (rows under `w`); the event is joined to it. To be asked
    for last: all that the conditions need is then gathered in the scope.
    """
    fields = event_fields(tuple(p for n in nodes for p in (n.value, n.where)), scope)
    relation = event(scope.project.binding, source, fields, scope.dialect)
    conditions = [f'{scope.event}."_at" <= {scope.now}']
    if isinstance(source, MessageEvent):
        conditions += message_scope(source, scope)
    joined = f"{relation} AS {scope.event}"
    if lead:
        on = f"{scope.event}.customer_id = {scope.rows.alias}.customer_id"
        joined = f"{lead} JOIN {joined} ON {on}"
    if scope.fields:
        # Everything about somebody who is gone is unknown; their rows stay.
        base = customers(scope.project.binding, scope.dialect, scope.fields)
        joined += f" LEFT JOIN {base} AS {scope.customer}"
        joined += f" ON {scope.customer}.customer_id = {scope.event}.customer_id"
    return joined + scope.joins(), conditions


def awaited(
    source: EventSource, where: Expression | None, scope: Scope, read: tuple[str, ...] = ()
) -> tuple[str, list[str], list[str]]:
    """The rows in scope joined with an event's: FROM, which messages it is about, and `where`.

    `read` are fields of the event that are wanted besides. Somebody who is gone keeps their
    rows: everything about them is unknown then.
    """
    fields = (*event_fields((where,), scope), *read)
    relation = event(scope.project.binding, source, fields, scope.dialect)
    e, rows, c = scope.event, scope.rows, scope.customer
    about = message_scope(source, scope) if isinstance(source, MessageEvent) else []
    asked = [expressions.predicate(where, scope)] if where is not None else []
    joined = f"{rows.name} AS {rows.alias} JOIN {relation} AS {e}"
    joined += f" ON {e}.customer_id = {rows.alias}.customer_id"
    if scope.fields:
        base = customers(scope.project.binding, scope.dialect, scope.fields)
        joined += f" LEFT JOIN {base} AS {c} ON {c}.customer_id = {rows.alias}.customer_id"
    return joined + scope.joins(), about, asked


def message_scope(source: MessageEvent, scope: Scope) -> list[str]:
    """Which messages a built-in event is about, as conditions on `e`."""
    conditions = []
    if source.journey is not None and source.path is not None:
        number = at_step(scope.project, scope.steps, source.journey, source.path)
        conditions.append(f"{scope.event}.step {number}")
        if source.own:
            conditions.append(f"{scope.event}.run_id = {scope.rows.alias}.run_id")
            if _looped(scope.project, source.journey, source.path):
                conditions += _of_the_latest_pass(scope, number)
    if source.channel is not None:
        conditions.append(f"{scope.event}.channel = {text(source.channel)}")
    return conditions


def _looped(project: Project, journey: str, path: str) -> bool:
    """Whether a step stands in a `repeat`."""
    return any(
        isinstance(step, Repeat) and path.startswith(f"{step.path}/")
        for body in bodies(project, journey)
        for step in steps(body)
    )


def _of_the_latest_pass(scope: Scope, step: str) -> list[str]:
    """Nothing was decided there since: neither another message, nor that there be none."""
    e = scope.event
    same = f"customer_id = {e}.customer_id AND l.run_id = {e}.run_id AND l.step {step}"
    later = [
        f'journey.message AS l WHERE l.{same} AND l.decided_at > {e}."_decided"',
        f'journey.decision AS l WHERE l.{same} AND l.at > {e}."_decided"',
    ]
    if scope.written:
        later.append(f"decided AS l WHERE l.{same} AND l.outcome = {SKIPPED}")
    return [f"NOT EXISTS (SELECT 1 FROM {rows})" for rows in later]


def _exists(node: Aggregate, scope: Scope) -> str | None:
    """A semi-join; None if the condition asks for figures, or for what this very run has set."""
    inner = scope.inside("ec")
    bounds = _filter(node, inner)
    if inner.groups or (inner.profile and inner.written):
        return None
    joined, conditions = _from(node.event, (node,), inner)
    conditions.insert(0, f"{inner.customer_id} = {scope.customer_id}")
    conditions += [bounds] if bounds else []
    return f"EXISTS (SELECT 1 FROM {joined} WHERE {' AND '.join(conditions)})"


def join(scope: Scope, group: Group, alias: str) -> str:
    """One LEFT JOIN that yields all aggregates of a group, one row per customer or run."""
    inner = scope.inside("ec")
    nodes = tuple(group.members)
    rows, w = scope.rows.name, scope.rows.alias
    keys = [inner.customer_id]
    on = [f"{alias}.customer_id = {scope.customer_id}"]
    lead = ""
    if group.per_run:
        lead = f"{rows} AS {w}"
        keys.append(f"{w}.run_id")
        on.append(f"{alias}.run_id = {w}.run_id")
    elif scope.rows.few and not scope.dialect.indexed:
        # Where the whole table is read for them, a join costs a third less than to ask with IN.
        lead = f"{scope.rows.few} AS {w}"
    filters = {node: _filter(node, inner) for node in nodes}
    joined, conditions = _from(group.event, nodes, inner, lead)
    if rows is not None and not lead:
        conditions.append(f"{inner.customer_id} IN (SELECT customer_id FROM {rows})")
    if len(nodes) == 1:
        conditions += [only] if (only := filters[nodes[0]]) else []
        filters[nodes[0]] = ""
    else:
        conditions += _shared_bound(nodes, scope)
    where = " AND ".join(conditions)
    if nodes[0].function == "most":
        figures = _most(nodes[0], group.members[nodes[0]], keys, joined, where, inner)
    else:
        columns = ", ".join(
            f"{_figure(n, inner, filters[n])} AS {name}" for n, name in group.members.items()
        )
        listed = ", ".join(keys)
        figures = f"SELECT {listed}, {columns} FROM {joined} WHERE {where} GROUP BY {listed}"
    return f"LEFT JOIN ({figures}) AS {alias} ON {' AND '.join(on)}"


def _most(
    node: Aggregate, name: str, keys: list[str], joined: str, where: str, scope: Scope
) -> str:
    """The most frequent known value, of equally frequent ones the least."""
    assert node.value is not None
    of = expressions.value(node.value, scope)
    names = ", ".join(key.rpartition(".")[2] for key in keys)
    counted = (
        f"SELECT {', '.join(keys)}, {of} AS v, count(*) AS n FROM {joined}"
        f" WHERE {where} AND {of} IS NOT NULL GROUP BY {', '.join(keys)}, {of}"
    )
    d = scope.dialect
    return (
        f"SELECT {names}, {d.oldest('v', '-n', d.in_order('v'))} AS {name}"
        f" FROM ({counted}) AS t GROUP BY {names}"
    )


def _shared_bound(nodes: tuple[Aggregate, ...], scope: Scope) -> list[str]:
    """The widest window, if each of the aggregates has one: a bound for the scan."""
    spans = [[w.seconds for w in n.windows if isinstance(w, Within)] for n in nodes]
    if not all(spans):
        return []
    widest = scope.dialect.interval(max(min(s) for s in spans))
    return [f'{scope.event}."_at" > {scope.now} - {widest}']


def _figure(node: Aggregate, scope: Scope, condition: str) -> str:
    d = scope.dialect
    at, key = f'{scope.event}."_at"', d.in_order(f'{scope.event}."_key"')
    of = expressions.value(node.value, scope) if node.value is not None else None
    only = f" FILTER (WHERE {condition})" if condition else ""
    match node.function:
        case "count" | "exists":
            return f"count(*){only}"
        case "distinct":
            return f"count(DISTINCT {of}){only}"
        case "first" | "last" if of is None:
            return f"{'min' if node.function == 'first' else 'max'}({at}){only}"
        case "first":
            return d.oldest(str(of), at, key, only=only)
        case "last":
            return d.newest(str(of), at, key, only=only)
        case "min" | "max":
            return f"{node.function}({of}){only}"
        case "sum":
            total = d.total(str(of), only, node.type)
            return d.finite(total) if node.type.kind is Kind.NUMBER else total
        case "avg":
            return _average(str(of), node, only, d)
        case _:
            raise AssertionError(node.function)


def _average(of: str, node: Aggregate, only: str, d: Dialect) -> str:
    count = f"nullif(count({of}){only}, 0)"
    if node.type.kind is Kind.MONEY:
        return d.money(d.number(d.ten_thousandths(f"sum({of}){only}"), "/", count))
    whole = node.value is not None and node.value.type != NUMBER
    return d.finite(d.number(d.double_sum(of, only, whole=whole), "/", count))
