"""A journey's own statements: who leaves, who wakes, who enters, and where they come to.

One statement each, whatever the audience and however many steps: the steps are data
(`plan_leaf`, `plan_park`), the decisions between them one CASE over the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from journeylang.model.expressions import (
    BoundEvent,
    CustomerValue,
    EventSource,
    EventValue,
)
from journeylang.model.walk import reads_only_new_rows, walk
from journeylang.plan.operations import (
    Decide,
    Edge,
    JourneyPlan,
    Leaf,
    Node,
    Park,
    RacePark,
    SendPark,
    Split,
)
from journeylang.sql.compiler import Compiler, insert_head, select, zone_join
from journeylang.sql.dialects import text
from journeylang.sql.entries import enter
from journeylang.sql.expressions import Rows, Scope, message_scope, predicate, value
from journeylang.sql.learning import arm
from journeylang.sql.picks import TOO_FEW, lacks, pick
from journeylang.sql.relations import event, newness
from journeylang.sql.schema import ACTIVE, EXITED, GONE
from journeylang.sql.session import END, GO, REST, SEND


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySql:
    """The statements of one journey; parameters in braces.

    `enter` {now, since_entry}: `since_entry` is the instant after which its event's rows are
    new. `exits` {now}: all active runs; `exits_new` {now, since_EVENT}: only customers with new
    rows of `exit_events` (None if that would not be exact). `race_events` are what races wait
    for, by `news_of`.
    """

    journey: int
    name: str
    enter: str
    exits: str | None
    exits_new: str | None
    exit_events: tuple[str, ...]
    race_events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What moves runs that are there: one statement for all journeys together.

    Parameters: `wake` {now, since_EVENT}, `advance` {now, round}. Statements are kept, for
    the same few ways are taken again and again.
    """

    compiler: Compiler
    plans: tuple[JourneyPlan, ...]
    _made: dict[tuple[str, frozenset[Any]], str] = field(
        default_factory=dict, compare=False, repr=False
    )

    def wake(self, journeys: frozenset[int]) -> str:
        """Who leaves a park, of these journeys: the wait is over, or the event is there."""
        plans = [p for p in self.plans if p.journey in journeys]
        return self._keep("wake", journeys, lambda: _wake(self.compiler, plans))

    def advance(self, edges: frozenset[tuple[int, int]]) -> str:
        """Where those come to who leave by these (journey, edge)."""
        return self._keep("advance", edges, lambda: _advance(self.compiler, self.plans, edges))

    def _keep(self, kind: str, of: frozenset[Any], make: Callable[[], str]) -> str:
        if (kind, of) not in self._made:
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            self._made[kind, of] = make()
        return self._made[kind, of]


MOST_KEPT = 1_000


def news_of(source: EventSource) -> str:
    """Under which name the arrival of an event's rows is watched."""
    if isinstance(source, BoundEvent):
        return source.name
    return "sent" if source.name == "sent" else "feedback"


def journey_sql(compiler: Compiler, plan: JourneyPlan) -> JourneySql:
    """All statements of a journey."""
    nodes = [n for x in plan.exits for n in walk(x.condition, compiler.named)]
    events = reads_only_new_rows(nodes) if plan.exits else None
    bound = compiler.project.binding.events
    exact = events is not None and all(
        bound[e].append_only or bound[e].changed_at is not None for e in events
    )
    return JourneySql(
        journey=plan.journey,
        name=plan.name,
        enter=enter(compiler, plan),
        exits=_exits(compiler, plan, None) if plan.exits else None,
        exits_new=_exits(compiler, plan, events) if exact and events else None,
        exit_events=events or (),
        race_events=tuple(
            dict.fromkeys(
                news_of(b.event) for p in plan.parks if isinstance(p, RacePark) for b in p.branches
            )
        ),
    )


# --- exits and wakes ----------------------------------------------------------


def _run_rows(condition: str) -> str:
    return f"SELECT r.* FROM journey.run AS r WHERE r.status = {ACTIVE} AND {condition}"


def _exits(compiler: Compiler, plan: JourneyPlan, events: Sequence[str] | None) -> str:
    d = compiler.dialect
    scope = compiler.scope(Rows(name="active"))
    conditions = [predicate(x.condition, scope) for x in plan.exits]
    joins = scope.joins()
    whens = " ".join(
        f"WHEN {c} THEN {text(x.reason)}" for c, x in zip(conditions, plan.exits, strict=True)
    )
    extra = ""
    if events is not None:
        bound = compiler.project.binding.events
        touched = " UNION ALL ".join(
            f"SELECT e.customer_id FROM {_event(compiler, name)} AS e"
            f" WHERE {newness(bound[name])} > {d.parameter('since_' + name)}"
            f' AND e."_at" <= {d.parameter("now")}'
            for name in events
        )
        extra = f" AND r.customer_id IN ({touched})"
    columns = {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": str(plan.journey),
        "from_step": "w.step",
        "arrived_at": d.parameter("now"),
        "entered_at": "w.entered_at",
        "fate": str(END),
        "status": str(EXITED),
        "reason": f"CASE {whens} END",
        "entry": "w.entry",
        "why": "'exit'",
        "fresh": "FALSE",
        "moved": "TRUE",
    }
    return f"""{insert_head(columns)}
WITH active AS ({_run_rows(f"r.journey = {plan.journey}{extra}")})
SELECT {select(columns)}
FROM active AS w
JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id{joins}
WHERE {" OR ".join(f"({c})" for c in conditions)}"""


def _event(compiler: Compiler, name: str) -> str:
    trigger = BoundEvent(name=name, span=compiler.project.binding.events[name].span)
    return event(compiler.project.binding, trigger, (), compiler.dialect)


def _wake(compiler: Compiler, plans: Sequence[JourneyPlan]) -> str:
    races = [p for plan in plans for p in plan.parks if isinstance(p, RacePark)]
    d = compiler.dialect
    hits, join = "", ""
    edge, going = "k.edge", "k.going"
    left = "CASE WHEN k.kind = 'send' THEN w.arrived_at ELSE w.wake_at END"
    awake = f"w.wake_at <= {d.parameter('now')}"
    if races:
        per_race = ",\n".join(
            f"race_{p.step} AS ({_run_rows(f'r.step = {p.step}')})" for p in races
        )
        found = "\n  UNION ALL ".join(
            _race_hits(compiler, p, f"race_{p.step}", "w.arrived_at", since=True) for p in races
        )
        hits = f"WITH {per_race}, hits AS (\n  {found}\n), won AS (\n  {_earliest('hits')}\n)\n"
        join = "\nLEFT JOIN won AS h ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
        edge, left = "coalesce(h.edge, k.edge)", f"coalesce(h.at, {left})"
        going = "CASE WHEN h.at IS NOT NULL THEN 'event' ELSE k.going END"
        awake = f"({awake} OR h.at IS NOT NULL)"
    exited = (
        "\n  AND NOT EXISTS (SELECT 1 FROM trail AS x"
        f" WHERE x.customer_id = w.customer_id AND x.run_id = w.run_id AND x.fate = {END})"
        if any(plan.exits for plan in plans)
        else ""
    )
    columns = {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": "w.journey",
        "edge": edge,
        "step": "w.step",
        "arrived_at": "w.arrived_at",
        "left_at": left,
        "entered_at": "w.entered_at",
        "fate": str(GO),
        "status": str(ACTIVE),
        "reason": "CASE WHEN k.kind = 'send' THEN w.reason END",
        "entry": "w.entry",
        "going": going,
        "fresh": "FALSE",
        "moved": "FALSE",
    }
    journeys = ", ".join(str(plan.journey) for plan in plans)
    return f"""{insert_head(columns)}
{hits}SELECT {select(columns)}
FROM journey.run AS w
JOIN plan_park AS k ON k.step = w.step{join}
WHERE w.journey IN ({journeys}) AND w.status = {ACTIVE} AND {awake}{exited}"""


def _race_hits(compiler: Compiler, park: RacePark, rows: str, arrived: str, *, since: bool) -> str:
    """Events that end a race for the rows under `w` (arrived_at, wake_at): edge and instant."""
    d = compiler.dialect
    now = d.parameter("now")
    selects = []
    for branch in park.branches:
        scope = compiler.scope(Rows(name=rows))
        below = list(walk(branch.where, compiler.named)) if branch.where is not None else []
        fields = tuple(dict.fromkeys(n.name for n in below if isinstance(n, EventValue)))
        relation = event(compiler.project.binding, branch.event, fields, d)
        conditions = [
            f'e."_at" > {arrived}',
            'e."_at" <= w.wake_at',
            f'e."_at" <= {now}',
        ]
        if not isinstance(branch.event, BoundEvent):
            conditions += message_scope(branch.event, scope)
        if since:
            conditions.append(f'e."_at" > {d.parameter("since_" + news_of(branch.event))}')
        if branch.where is not None:
            conditions.append(predicate(branch.where, scope))
        # Also for somebody who is gone: everything about them is unknown then.
        about = (
            f" LEFT JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id"
            if any(isinstance(n, CustomerValue) for n in below)
            else ""
        )
        selects.append(
            f'SELECT w.customer_id, w.run_id, e."_at" AS at, {branch.edge} AS edge'
            f" FROM {rows} AS w JOIN {relation} AS e ON e.customer_id = w.customer_id{about}"
            f" WHERE {' AND '.join(conditions)}"
        )
    return "\n  UNION ALL ".join(selects)


def _earliest(hits: str) -> str:
    """The winner of each race: the earliest event, of equal ones the branch written first."""
    return (
        f'SELECT DISTINCT ON (customer_id, run_id) customer_id, run_id, "at", edge FROM {hits}'
        ' ORDER BY customer_id, run_id, "at", edge'
    )


# --- advance ------------------------------------------------------------------


def _advance(
    compiler: Compiler, plans: Sequence[JourneyPlan], edges: Collection[tuple[int, int]]
) -> str:
    """Take everybody who leaves by one of the edges to where it leads.

    Only what those edges need is in the statement: most ticks take a few of many, and a
    database takes longer to plan a statement than to run it for some hundred people.
    """
    d = compiler.dialect
    now = d.parameter("now")
    scope = compiler.scope(Rows(name="going"))
    taken = [(p, e) for p in plans for e in p.edges if (p.journey, e.edge) in edges]
    # What several journeys ask of those who enter is often the same: better joined once.
    scope.lone_exists = sum(bool(p.exits) for p, e in taken if e.kind == "entered") < 2
    ways: dict[int, str] = {}
    for plan, e in taken:
        way = f" WHEN {e.edge} THEN {_way(plan, e, scope)}"
        ways[plan.journey] = ways.get(plan.journey, "") + way
    leaf = " ".join(f"WHEN {journey} THEN CASE w.edge{way} END" for journey, way in ways.items())
    leaf = f"CASE w.journey {leaf} END"
    reached = {leaf.step for _, e in taken for leaf in _leaves(e.node)}
    parks = [p for plan in plans for p in plan.parks if p.step in reached]
    masks, contents = _send_columns(parks, scope)
    joins = scope.joins()
    rules = any(getattr(p, "rule", None) is not None for p in parks)
    zone = zone_join("l.rule", "a.zone", "a.left_at") if rules else ""
    zoned, zones = (', c."_zone" AS zone', ("timezone",)) if rules else ("", ())
    base = compiler.base(*zones, *scope.fields)
    wake = d.shift("a.left_at", "l.seconds")
    if rules:
        wake = f"coalesce({wake}, z.instant, {d.shift('a.left_at', 'z.shift')})"
    races = [p for p in parks if isinstance(p, RacePark)]
    hits, join, hit_at, edge, going = "", "", "", "w.edge", "'due'"
    if races:
        per_race = "".join(
            f", race_{p.step} AS (SELECT * FROM landed WHERE step = {p.step})" for p in races
        )
        found = "\n  UNION ALL ".join(
            _race_hits(compiler, p, f"race_{p.step}", "w.arrived_at", since=False) for p in races
        )
        hits = f"{per_race}, hits AS (\n  {found}\n), won AS (\n  {_earliest('hits')}\n)"
        join = "\nLEFT JOIN won AS h ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
        hit_at = "WHEN h.at IS NOT NULL THEN {}"
        edge = "coalesce(h.edge, w.edge)"
        going = (
            "CASE WHEN h.at IS NOT NULL THEN 'event'"
            " WHEN w.kind = 'race' THEN 'timeout' ELSE 'due' END"
        )
    parked = "w.kind IN ('wait', 'race')"
    passed = f"{parked} AND w.wake_at <= {now}"
    columns = {
        "round": f"{d.parameter('round')} + 1",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": "w.journey",
        "edge": edge,
        "from_step": "w.from_step",
        "step": "w.step",
        "arrived_at": "w.arrived_at",
        "left_at": f"CASE {hit_at.format('h.at')} ELSE w.wake_at END" if races else "w.wake_at",
        "wake_at": "w.wake_at",
        "entered_at": "w.entered_at",
        "fate": (
            f"CASE WHEN w.kind = 'end' THEN {END} WHEN w.kind = 'send' THEN {SEND}"
            f" {hit_at.format(GO)} WHEN {passed} THEN {GO} ELSE {REST} END"
        ),
        "status": "w.status",
        "reason": "w.reason",
        "entry": "w.entry",
        "leaf": "w.leaf",
        "mask": "w.mask",
        "content": "w.content",
        "why": "w.why",
        "going": going,
        "fresh": "w.fresh",
        "moved": "w.why <> 'retry'",
    }
    journeys = ", ".join(str(journey) for journey in ways)
    return f"""{insert_head(columns)}
WITH going AS (
  SELECT t.* FROM trail AS t
  WHERE t.round = {d.parameter("round")} AND t.fate = {GO} AND t.journey IN ({journeys})
), decided AS (
  SELECT w.customer_id, w.run_id, w.journey, w.step AS from_step, w.left_at, w.entered_at, w.entry,
    w.going AS why, w.reason, w.fresh, c.customer_id IS NULL AS gone{zoned},
    {leaf} AS leaf{_columns(masks, contents)}
  FROM going AS w
  LEFT JOIN {base} AS c ON c.customer_id = w.customer_id{joins}
), landed AS (
  SELECT a.customer_id, a.run_id, a.journey, a.from_step, l.step, a.left_at AS arrived_at,
    {wake} AS wake_at, a.entered_at, a.entry, a.why, a.fresh, l.edge, l.leaf,
    CASE WHEN a.gone THEN 'end' ELSE l.kind END AS kind,
    CASE WHEN a.gone THEN {GONE} ELSE coalesce(l.status, {ACTIVE}) END AS status,
    CASE WHEN a.gone THEN 'gone' WHEN l.kind = 'send' THEN a.reason ELSE l.reason END AS reason,
    {_pick(masks, "mask", "-1")} AS mask, {_pick(contents, "content", "NULL")} AS content
  FROM decided AS a
  LEFT JOIN plan_leaf AS l ON l.journey = a.journey AND l.leaf = a.leaf AND NOT a.gone{zone}
){hits}
SELECT {select(columns)}
FROM landed AS w{join}"""


def _way(plan: JourneyPlan, edge: Edge, scope: Scope) -> str:
    """The leaf that an edge leads to; who has just entered is asked for exits first."""
    way = _tree(edge.node, scope)
    if edge.kind == "entered":
        by_reason = {leaf.reason: leaf.leaf for leaf in plan.leaves if leaf.exited}
        for way_out in reversed(plan.exits):
            condition = predicate(way_out.condition, scope)
            way = f"CASE WHEN {condition} THEN {by_reason[way_out.reason]} ELSE {way} END"
    return way


def _leaves(node: Node) -> Iterator[Leaf]:
    match node:
        case Leaf():
            yield node
        case Decide():
            yield from _leaves(node.then)
            yield from _leaves(node.otherwise)
        case Split():
            for _, _, way in node.arms:
                yield from _leaves(way)
        case _:
            assert_never(node)


def _tree(node: Node, scope: Scope) -> str:
    match node:
        case Leaf():
            return str(node.leaf)
        case Decide():
            condition = predicate(node.condition, scope)
            then, otherwise = _tree(node.then, scope), _tree(node.otherwise, scope)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        case Split() if node.learned:
            drawn = arm(node, scope)
            ways = zip(node.learned[:-1], node.arms[:-1], strict=True)
            whens = " ".join(f"WHEN {text(name)} THEN {_tree(way[2], scope)}" for name, way in ways)
            return f"CASE {drawn} {whens} ELSE {_tree(node.arms[-1][2], scope)} END"
        case Split():
            bucket = scope.dialect.bucket(node.salt, f"{scope.rows.alias}.customer_id")
            whens = " ".join(
                f"WHEN {bucket} < {high} THEN {_tree(way, scope)}"
                for _, high, way in node.arms[:-1]
            )
            last = _tree(node.arms[-1][2], scope)
            return f"CASE {whens} ELSE {last} END" if whens else last
        case _:
            assert_never(node)


def _send_columns(parks: list[Park], scope: Scope) -> tuple[dict[int, str], dict[int, str]]:
    """Per send step: which candidates' `when` hold (bits), and the values given by `with`."""
    d = scope.dialect
    masks, contents = {}, {}
    for park in (p for p in parks if isinstance(p, SendPark)):
        if any(c.when is not None for c in park.candidates):
            masks[park.step] = " + ".join(
                str(1 << n)
                if c.when is None
                else f"CASE WHEN {predicate(c.when, scope)} THEN {1 << n} ELSE 0 END"
                for n, c in enumerate(park.candidates)
            )
        given = [(name, value(v, scope)) for name, v in park.values]
        picked = [pick(park, n, scope) for n in range(len(park.picks))]
        given += [(p.name, rows) for p, (rows, _) in zip(park.picks, picked, strict=True)]
        too_few = lacks(park, [count for _, count in picked])
        if too_few is not None:
            open_ = masks.get(park.step, "-1")
            masks[park.step] = f"CASE WHEN {too_few} THEN {TOO_FEW} ELSE {open_} END"
        if given:
            contents[park.step] = d.json_object(given)
    return masks, contents


def _columns(masks: dict[int, str], contents: dict[int, str]) -> str:
    parts = [f", {sql} AS mask_{step}" for step, sql in masks.items()]
    parts += [f", {sql} AS content_{step}" for step, sql in contents.items()]
    return "".join(parts)


def _pick(columns: dict[int, str], prefix: str, otherwise: str) -> str:
    if not columns:
        return otherwise
    whens = " ".join(f"WHEN {step} THEN a.{prefix}_{step}" for step in columns)
    return f"CASE l.step {whens} ELSE {otherwise} END"
