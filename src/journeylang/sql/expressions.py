"""Expressions of the language as SQL text.

An expression is compiled in a `Scope`: the relation whose rows it is evaluated for, and
under which alias each kind of name is found. Aggregates over events do not become
correlated subqueries one by one: all over the same event are gathered into one grouped
relation (`Gathered`), joined once. The exception is a lone `exists`, which a semi-join
answers faster.

Predicates come out three-valued where that is harmless (a WHERE, a CASE, under AND and
OR, where NULL acts as false) and are closed with COALESCE below NOT or where the value
itself is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Arithmetic,
    Between,
    Column,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EntryValue,
    EventSource,
    EventValue,
    Expression,
    Known,
    MessageEvent,
    MetricValue,
    Negated,
    OneOf,
    ProfileValue,
    SegmentTest,
    SinceEntry,
    SinceLast,
    TextMatch,
    Within,
)
from journeylang.model.project import Project
from journeylang.model.types import NUMBER, Kind, Type
from journeylang.model.walk import walk
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.profile import profile_joins, profile_value
from journeylang.sql.relations import customer_column, customers, event

StepNumbers = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The relation that expressions are evaluated for.

    `name` is a table or CTE with customer_id and, for runs, run_id and entered_at; None is
    the whole customer base, read under the alias `c`.
    """

    name: str | None = None
    alias: str = "w"


GroupKey = tuple[EventSource, bool, Aggregate | None]


@dataclass(slots=True)
class Group:
    """Aggregates over one event that share a join; `since` is the other event's figure."""

    event: EventSource
    per_run: bool
    since: Aggregate | None = None
    members: dict[Aggregate, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scope:
    """Where names are found; the grouped relations and customer fields met on the way.

    `person` is the customer's key where the rows do not tell it. `written`: the rows are runs
    on their way in this tick, which know what they have `set` in it.
    """

    project: Project
    dialect: Dialect
    steps: StepNumbers
    rows: Rows
    customer: str = "c"
    event: str = "e"
    person: str | None = None
    written: bool = False
    lone_exists: bool = True
    groups: dict[GroupKey, Group] = field(default_factory=dict)
    fields: dict[str, None] = field(default_factory=dict)
    further: dict[object, str] = field(default_factory=dict)
    profile: dict[str, None] = field(default_factory=dict)

    @property
    def whose(self) -> str:
        """The key of the customer that is spoken of."""
        outer = self.customer if self.rows.name is None else self.rows.alias
        return self.person or f"{outer}.customer_id"

    def joins(self) -> str:
        """LEFT JOINs of everything gathered, to be put behind the FROM of the rows."""
        joined = [
            f"\n{_join(self, group, f'g{n}')}" for n, group in enumerate(self.groups.values())
        ]
        return "".join(joined) + "".join(self.further.values()) + self.profile_joins()

    def profile_joins(self) -> str:
        """LEFT JOINs of the profile's values that were met on the way."""
        run = f"{self.rows.alias}.run_id" if self.written else None
        return profile_joins(tuple(self.profile), self.whose, run, self.event, self.dialect)


def definitions(project: Project) -> Mapping[str, Mapping[str, Expression]]:
    """Metrics and segments by kind and name, for `walk`."""
    return {
        "metric": {n: m.value for n, m in project.metrics.items()},
        "segment": {n: s.condition for n, s in project.segments.items()},
    }


def value(node: Expression, scope: Scope) -> str:
    """SQL of a value; NULL is unknown."""
    d = scope.dialect
    match node:
        case Constant():
            return d.literal(node.value, node.type)
        case Column():
            return f"t.{quote(node.name)}"
        case CustomerValue():
            scope.fields[node.name] = None
            return f"{scope.customer}.{quote(customer_column(node.name))}"
        case EventValue():
            return f"{scope.event}.{quote('_at' if node.name == 'at' else node.name)}"
        case EntryValue():
            if node.name == "at":
                return f"{scope.rows.alias}.entered_at"
            return d.cast(d.json_text(f"{scope.rows.alias}.entry", node.name), node.type)
        case ProfileValue():
            return _profile_value(node, scope)
        case Aggregate():
            return _aggregate(node, scope)
        case MetricValue():
            return value(scope.project.metrics[node.name].value, scope)
        case Arithmetic():
            return _arithmetic(node, scope)
        case _:
            return f"coalesce({predicate(node, scope)}, FALSE)"


def predicate(node: Expression, scope: Scope) -> str:
    """SQL of a condition in which NULL may stand for false (never put it below NOT)."""
    d = scope.dialect
    match node:
        case Comparison():
            operator = "<>" if node.operator == "!=" else node.operator
            return f"{value(node.left, scope)} {operator} {value(node.right, scope)}"
        case Between():
            subject = value(node.subject, scope)
            low, high = value(node.low, scope), value(node.high, scope)
            return f"({subject} >= {low} AND {subject} <= {high})"
        case OneOf():
            options = ", ".join(value(o, scope) for o in node.options)
            return f"{value(node.subject, scope)} IN ({options})"
        case TextMatch():
            spell = d.contains if node.how == "contains" else d.starts_with
            return spell(value(node.subject, scope), value(node.text, scope))
        case Known():
            return f"{value(node.subject, scope)} IS {'NOT ' if node.known else ''}NULL"
        case Aged():
            edge = f"{d.parameter('now')} - {d.interval(node.seconds)}"
            subject = value(node.subject, scope)
            return f"{subject} {'<=' if node.older else '>'} {edge}"
        case All():
            return "(" + " AND ".join(predicate(p, scope) for p in node.parts) + ")"
        case Either():
            return "(" + " OR ".join(predicate(p, scope) for p in node.parts) + ")"
        case Negated():
            return f"NOT coalesce({predicate(node.part, scope)}, FALSE)"
        case SegmentTest():
            return predicate(scope.project.segments[node.name].condition, scope)
        case Constant() | Column() | CustomerValue() | EventValue() | EntryValue():
            return value(node, scope)
        case ProfileValue() | Aggregate() | MetricValue() | Arithmetic():
            return value(node, scope)
        case _:
            assert_never(node)


def _profile_value(node: ProfileValue, scope: Scope) -> str:
    scope.profile[node.name] = None
    return scope.dialect.cast(
        profile_value(node.name, scope.event, written=scope.written), node.type
    )


def _arithmetic(node: Arithmetic, scope: Scope) -> str:
    d = scope.dialect
    left, right = value(node.left, scope), value(node.right, scope)
    plain = f"({left} {node.operator} {right})"
    match node.type.kind:
        case Kind.MONEY if node.operator == "/":
            return d.money(f"{d.ten_thousandths(left)} / nullif({right}, 0)")
        case Kind.MONEY if node.operator == "*" and Kind.NUMBER in (
            _kind(node.left),
            _kind(node.right),
        ):
            money, by = (left, right) if _kind(node.left) is Kind.MONEY else (right, left)
            return d.money(f"{d.ten_thousandths(money)} * {by}")
        case Kind.MONEY | Kind.INT:
            return d.cast(d.attempt(plain), node.type)
        case Kind.NUMBER:
            number = d.column_type(NUMBER)
            if node.operator == "/":
                right = f"nullif(CAST({right} AS {number}), 0)"
            return d.finite(f"(CAST({left} AS {number}) {node.operator} {right})")
        case _:
            return d.attempt(plain)


def _kind(node: Expression) -> Kind | None:
    return node.type.kind if node.type is not None else None


def _needs_run(node: Aggregate, scope: Scope) -> bool:
    """True if the figure differs between two runs of one customer."""
    if any(isinstance(w, SinceEntry) for w in node.windows):
        return True
    if isinstance(node.event, MessageEvent) and node.event.own:
        return True
    named = definitions(scope.project)
    below = (n for part in (node.where, node.value) if part is not None for n in walk(part, named))
    of_runs = (EntryValue, ProfileValue) if scope.written else EntryValue
    return any(isinstance(n, of_runs) for n in below)


def _aggregate(node: Aggregate, scope: Scope) -> str:
    d = scope.dialect
    named = definitions(scope.project)
    below = [n for p in (node.where, node.value) if p is not None for n in walk(p, named)]
    # A join that asks for the run is none for a semi-join.
    alone = scope.lone_exists and not (
        scope.written and any(isinstance(n, ProfileValue) for n in below)
    )
    since = next((w for w in node.windows if isinstance(w, SinceLast)), None)
    per_run = _needs_run(node, scope)
    if node.function == "exists" and alone and since is None:
        return _exists(node, scope)
    key = (node.event, per_run, since.of if since is not None else None)
    group = scope.groups.setdefault(key, Group(event=node.event, per_run=per_run, since=key[2]))
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
            nothing = f"CAST(0 AS {d.column_type(node.type)})"
            return f"CASE WHEN g{position}.customer_id IS NULL THEN {nothing} ELSE {column} END"
        case _:
            return column


def _time_bounds(node: Aggregate, scope: Scope) -> list[str]:
    """The windows of an aggregate, but `since last`, as conditions on `e`."""
    d = scope.dialect
    bounds = []
    for window in node.windows:
        match window:
            case Within():
                edge = f"{d.parameter('now')} - {d.interval(window.seconds)}"
                bounds.append(f'{scope.event}."_at" > {edge}')
            case SinceEntry():
                bounds.append(f'{scope.event}."_at" > {scope.rows.alias}.entered_at')
            case SinceLast():
                pass
    return bounds


def _event_join(
    source: EventSource, nodes: tuple[Aggregate, ...], scope: Scope, lead: str = ""
) -> tuple[str, list[str]]:
    """FROM an event with the fields that the aggregates read, and its conditions.

    `lead` is a relation to begin with (rows under `w`); the event is joined to it.
    """
    below = [
        n
        for node in nodes
        for part in (node.where, node.value)
        if part is not None
        for n in walk(part, definitions(scope.project))
    ]
    fields = tuple(dict.fromkeys(n.name for n in below if isinstance(n, EventValue)))
    relation = event(scope.project.binding, source, fields, scope.dialect)
    conditions = [f'{scope.event}."_at" <= {scope.dialect.parameter("now")}']
    if isinstance(source, MessageEvent):
        conditions += message_scope(source, scope)
    joined = f"{relation} AS {scope.event}"
    if lead:
        on = f"{scope.event}.customer_id = {scope.rows.alias}.customer_id"
        joined = f"{lead} JOIN {joined} ON {on}"
    about = [n.name for n in below if isinstance(n, CustomerValue)]
    if about:
        base = customers(scope.project.binding, scope.dialect, about)
        joined += f" JOIN {base} AS {scope.customer}"
        joined += f" ON {scope.customer}.customer_id = {scope.event}.customer_id"
    scope.profile.update((n.name, None) for n in below if isinstance(n, ProfileValue))
    joined += scope.profile_joins()
    return joined, conditions


def message_scope(source: MessageEvent, scope: Scope) -> list[str]:
    """Which messages a built-in event is about, as conditions on `e`."""
    conditions = []
    if source.journey is not None and source.path is not None:
        number = scope.steps[(source.journey, source.path)]
        conditions.append(f"{scope.event}.step = {number}")
        if source.own:
            conditions.append(f"{scope.event}.run_id = {scope.rows.alias}.run_id")
    if source.channel is not None:
        conditions.append(f"{scope.event}.channel = {text(source.channel)}")
    return conditions


def _inside(scope: Scope) -> Scope:
    """The scope of an event's rows."""
    e = scope.event
    return replace(scope, customer="ec", person=f"{e}.customer_id", groups={}, profile={})


def _exists(node: Aggregate, scope: Scope) -> str:
    outer = scope.customer if scope.rows.name is None else scope.rows.alias
    inner = _inside(scope)
    joined, conditions = _event_join(node.event, (node,), inner)
    conditions.insert(0, f"{scope.event}.customer_id = {outer}.customer_id")
    conditions += _time_bounds(node, inner)
    if node.where is not None:
        conditions.append(predicate(node.where, inner))
    return f"EXISTS (SELECT 1 FROM {joined} WHERE {' AND '.join(conditions)})"


def _join(scope: Scope, group: Group, alias: str) -> str:
    """One LEFT JOIN that yields all aggregates of a group, one row per customer or run."""
    inner = _inside(scope)
    nodes = tuple(group.members)
    e, rows, w = scope.event, scope.rows.name, scope.rows.alias
    outer = scope.customer if rows is None else w
    keys = [f"{e}.customer_id"]
    on = [f"{alias}.customer_id = {outer}.customer_id"]
    lead = ""
    if group.per_run:
        lead = f"{rows} AS {w}"
        keys.append(f"{w}.run_id")
        on.append(f"{alias}.run_id = {w}.run_id")
    joined, conditions = _event_join(group.event, nodes, inner, lead)
    if rows is not None and not group.per_run:
        conditions.append(f"{e}.customer_id IN (SELECT customer_id FROM {rows})")
    if group.since is not None:
        joined += f" JOIN {_per_customer(group.since, scope)} AS since"
        joined += f" ON since.customer_id = {e}.customer_id"
        conditions.append(f'{e}."_at" > since.at')
    filters = {node: _filter(node, inner) for node in nodes}
    if len(nodes) == 1:
        conditions += [only] if (only := filters[nodes[0]]) else []
        filters[nodes[0]] = ""
    else:
        conditions += _shared_bound(nodes, scope)
    columns = ", ".join(
        f"{_figure(node, inner, filters[node])} AS {name}" for node, name in group.members.items()
    )
    return (
        f"LEFT JOIN (SELECT {', '.join(keys)}, {columns} FROM {joined}"
        f" WHERE {' AND '.join(conditions)} GROUP BY {', '.join(keys)}) AS {alias}"
        f" ON {' AND '.join(on)}"
    )


def _shared_bound(nodes: tuple[Aggregate, ...], scope: Scope) -> list[str]:
    """The widest window, if each of the aggregates has one: a bound for the scan."""
    spans = [[w.seconds for w in n.windows if isinstance(w, Within)] for n in nodes]
    if not all(spans):
        return []
    widest = scope.dialect.interval(max(min(s) for s in spans))
    return [f'{scope.event}."_at" > {scope.dialect.parameter("now")} - {widest}']


def _per_customer(node: Aggregate, scope: Scope) -> str:
    """One aggregate as (customer_id, at), for `since last(x)`."""
    # Nobody's run is at hand there, nor what it has written.
    inner = replace(
        scope,
        customer="sc",
        event="se",
        person="se.customer_id",
        written=False,
        groups={},
        profile={},
    )
    joined, conditions = _event_join(node.event, (node,), inner)
    condition = _filter(node, inner)
    conditions += [condition] if condition else []
    return (
        f"(SELECT se.customer_id, {_figure(node, inner, '')} AS at FROM {joined}"
        f" WHERE {' AND '.join(conditions)} GROUP BY se.customer_id)"
    )


def _filter(node: Aggregate, scope: Scope) -> str:
    conditions = _time_bounds(node, scope)
    if node.where is not None:
        conditions.append(predicate(node.where, scope))
    return " AND ".join(conditions)


def _figure(node: Aggregate, scope: Scope, condition: str) -> str:
    d = scope.dialect
    at, key = f'{scope.event}."_at"', f'{scope.event}."_key"'
    of = value(node.value, scope) if node.value is not None else None
    only = f" FILTER (WHERE {condition})" if condition else ""
    match node.function:
        case "count" | "exists":
            return f"count(*){only}"
        case "distinct":
            return f"count(DISTINCT {of}){only}"
        case "first" | "last" if of is None:
            return f"{'min' if node.function == 'first' else 'max'}({at}){only}"
        case "first":
            return f"{d.oldest(str(of), at, key)}{only}"
        case "last":
            return f"{d.newest(str(of), at, key)}{only}"
        case "min" | "max":
            return f"{node.function}({of}){only}"
        case "sum":
            # Sums are wider than what is summed, so only the cast back can overflow.
            total = d.cast(f"coalesce(sum({of}){only}, 0)", node.type)
            return d.finite(total) if node.type.kind is Kind.NUMBER else total
        case "avg":
            return _average(str(of), node.type, only, d)
        case _:
            raise AssertionError(node.function)


def _average(of: str, type_: Type, only: str, d: Dialect) -> str:
    total, count = f"sum({of}){only}", f"nullif(count({of}){only}, 0)"
    if type_.kind is Kind.MONEY:
        return d.money(f"{d.ten_thousandths(total)} / {count}")
    return d.finite(f"(CAST({total} AS {d.column_type(NUMBER)}) / {count})")
