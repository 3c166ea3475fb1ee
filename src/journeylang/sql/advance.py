"""Where those come to who go on: the next park, or the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, assert_never

from journeylang.model.entry import EnterOn
from journeylang.model.types import TEXT
from journeylang.plan.operations import (
    ActionPark,
    Again,
    Ahead,
    Decide,
    Edge,
    JourneyPlan,
    Leaf,
    MomentPark,
    Node,
    OpeningHour,
    Park,
    RacePark,
    SendPark,
    Split,
    StatePark,
    WaitPark,
)
from journeylang.plan.passes import BASE, STRAIGHT, weight
from journeylang.plan.ways import leaves
from journeylang.sql.best_hour import joined
from journeylang.sql.calls import is_call
from journeylang.sql.compiler import Compiler, insert_head, select, zone_join
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.draws import arm
from journeylang.sql.expressions import Rows, Scope, predicate
from journeylang.sql.given import given_value, of_channel
from journeylang.sql.moments import instant
from journeylang.sql.picks import TOO_FEW, lacks, pick
from journeylang.sql.schema import ACTIVE, GONE, WHY
from journeylang.sql.session import ACT, END, GO, HELD, REST, SEND, SENT, edge_ahead
from journeylang.sql.wakes import earliest, news_of, race_hits

Source = Literal["trail", "decided", "decided and zoned", "entering", "waking"]


def advance(
    compiler: Compiler,
    plans: Sequence[JourneyPlan],
    edges: Collection[tuple[int, int]],
    source: Source = "trail",
    rows: str = "",
) -> str:
    """Take everybody who leaves by one of the edges to where it leads.

    Those of the trail's round, or those of whom this round's arbitration has decided: they are
    read where it has left them. Or those whom `rows` selects, who are entering or waking: the
    round that they would else begin in is 0 (see `straight`).

    Only what those edges need is in the statement: most ticks take a few of many, and a
    database takes longer to plan a statement than to run it for some hundred people.
    """
    d = compiler.dialect
    now = d.parameter("now")
    scope = compiler.scope(Rows(name="going"))
    scope.written = True
    taken = [(p, e) for p in plans for e in p.edges if (p.journey, e.edge) in edges]
    # What several journeys ask of those who enter is often the same: better joined once.
    scope.lone_exists = sum(bool(p.exits) for p, e in taken if e.kind == "entered") < 2
    ways: dict[int, str] = {}
    for plan, e in taken:
        way = f" WHEN {e.edge} THEN {_way(plan, e, scope)}"
        ways[plan.journey] = ways.get(plan.journey, "") + way
    leaf = " ".join(f"WHEN {journey} THEN CASE w.edge{way} END" for journey, way in ways.items())
    leaf = f"CASE w.journey {leaf} END"
    reached = {leaf.step for _, e in taken for leaf in leaves(e.node)}
    parks = [p for plan in plans for p in plan.parks if p.step in reached]
    masks, contents = send_columns(parks, scope)
    moments = {p.step: instant(p.moment, scope) for p in parks if isinstance(p, MomentPark)}
    if any(isinstance(p, MomentPark) and isinstance(p.moment, OpeningHour) for p in parks):
        scope.further["best hour"] = joined(compiler, taken)
    joins = scope.joins()
    rules = any(getattr(p, "rule", None) is not None for p in parks)
    zone = zone_join("l.rule", "a.zone", "a.left_at") if rules else ""
    zoned, zones = (', c."_zone" AS zone', ("timezone",)) if rules else ("", ())
    wake = d.shift("a.left_at", "l.seconds")
    if rules:
        wake = f"coalesce({wake}, z.instant, {d.shift('a.left_at', 'z.shift')})"
    if moments:
        whens = " ".join(f"WHEN {step} THEN a.moment_{step}" for step in moments)
        wake = f"CASE l.step {whens} ELSE {wake} END"
    races = [p for p in parks if isinstance(p, RacePark)]
    hits, join, hit_at, edge, going = "", "", "", "w.edge", str(WHY["due"])
    if any(isinstance(p, StatePark) for p in parks):
        going = f"CASE WHEN w.kind = 'state' THEN {WHY['timeout']} ELSE {WHY['due']} END"
    if races:
        per_race = "".join(
            f", race_{p.step} AS (SELECT * FROM landed WHERE step = {p.step})" for p in races
        )
        found = "\n  UNION ALL ".join(
            race_hits(compiler, p, f"race_{p.step}", "w.arrived_at", since=False) for p in races
        )
        hits = f"{per_race}, hits AS (\n  {found}\n), won AS (\n  {earliest('hits', races)}\n)"
        join = "\nLEFT JOIN won AS h ON h.customer_id = w.customer_id AND h.run_id = w.run_id"
        hit_at = "WHEN h.at IS NOT NULL THEN {}"
        edge = "coalesce(h.edge, w.edge)"
        going = (
            f"CASE WHEN h.at IS NOT NULL THEN {WHY['event']}"
            f" WHEN w.kind IN ('race', 'state') THEN {WHY['timeout']} ELSE {WHY['due']} END"
        )
    acting = "WHEN w.kind = 'act' THEN {}" if any(isinstance(p, ActionPark) for p in parks) else ""
    left = "w.wake_at"
    calls = ", ".join(str(p.step) for p in parks if is_call(p))
    acted = f"CASE WHEN w.step IN ({calls}) THEN {now} ELSE w.arrived_at END" if calls else ""
    if acting:
        going = f"CASE WHEN w.kind = 'act' THEN {WHY['done']} ELSE {going} END"
    if races or acting:
        whens = f"{acting.format(acted or 'w.arrived_at')} {hit_at.format('h.at')}"
        left = f"CASE {whens} ELSE w.wake_at END"
    parked = "w.kind IN ('wait', 'race', 'state')"
    passed = f"{parked} AND w.wake_at <= {now}"
    entering = source == "entering"
    # Who may not enter, or is drawn into a control group, passes through as they are.
    stays = f"w.was <> {GO}"
    columns = {
        "round": f"{d.parameter('round')} + 1"
        if not rows
        else f"CASE WHEN {stays} THEN 0 ELSE 1 END"
        if entering
        else "1",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": "w.journey",
        "edge": edge,
        "from_step": "w.from_step",
        "step": "w.step",
        "arrived_at": "w.arrived_at",
        "left_at": left,
        "entered_at": "w.entered_at",
        "fate": (
            f"CASE {f'WHEN {stays} THEN w.was ' if entering else ''}"
            f"WHEN w.kind = 'end' THEN {END} WHEN w.kind = 'send' THEN {SEND}"
            f" {acting.format(ACT)} {hit_at.format(GO)} WHEN {passed} THEN {GO} ELSE {REST} END"
        ),
        "status": "w.status",
        "reason": "w.reason",
        "entry": "w.entry",
        "leaf": "w.leaf",
        "why": "w.why",
        "going": going,
        "passes": "w.passes",
        "fresh": "w.fresh",
    }
    chosen = {}
    if masks:
        chosen["mask"] = _pick(masks, "mask", "-1")
    if contents:
        chosen["content"] = _pick(contents, "content", "NULL")
    columns |= {name: f"w.{name}" for name in chosen}
    journeys = ", ".join(str(journey) for journey in ways)
    # Who has come to a send in this tick was there: they are looked up again only to be read.
    decided = source in ("decided", "decided and zoned")
    if source == "decided and zoned":
        zoned, zones = (", w.zone" if rules else ""), ()
    read = bool(zones or scope.fields or joins or moments or not (decided or entering))
    base = compiler.base(*zones, *scope.fields)
    gone = "c.customer_id IS NULL" if read and not entering else "FALSE"
    about = f"\n  LEFT JOIN {base} AS c ON c.customer_id = w.customer_id" if read else ""
    going_rows = _decided(d, journeys, source) if decided else rows or _trail(d, journeys)
    status, kept, was, from_step = f"coalesce(l.status, {ACTIVE})", "", "", "w.step"
    if entering:
        # Whoever enters is a customer.
        status, kept = f"coalesce(l.status, a.drawn, {ACTIVE})", f"a.was <> {GO} OR "
        was, from_step = ", w.fate AS was, w.status AS drawn", "CAST(NULL AS INTEGER)"
        leaf = f"CASE WHEN w.fate = {GO} THEN {leaf} END"
    more = ", a.was" if entering else ""
    more += "".join(f", {sql} AS {name}" for name, sql in chosen.items())
    return f"""{insert_head(columns)}
WITH going AS (
  {going_rows}
), headed AS (
  SELECT w.customer_id, w.run_id, w.journey, {from_step} AS from_step, w.left_at, w.entered_at,
    w.entry, w.going AS why, w.reason, w.passes, w.fresh, {gone} AS gone{zoned}{was},
    {leaf} AS leaf{_columns(masks, contents, moments)}
  FROM going AS w{about}{joins}
), landed AS (
  SELECT a.customer_id, a.run_id, a.journey, a.from_step, l.step, a.left_at AS arrived_at,
    {wake} AS wake_at, a.entered_at, a.entry, a.why, a.fresh, l.edge, l.leaf,
    coalesce(a.passes - a.passes % l.kept + l.added, a.passes) AS passes,
    CASE WHEN a.gone THEN 'end' ELSE l.kind END AS kind,
    CASE WHEN a.gone THEN {GONE} ELSE {status} END AS status,
    CASE WHEN a.gone THEN 'gone' WHEN {kept}l.kind = 'send' THEN a.reason ELSE l.reason END
      AS reason{more}
  FROM headed AS a
  LEFT JOIN plan_leaf AS l ON l.journey = a.journey AND l.leaf = a.leaf AND NOT a.gone{zone}
){hits}
SELECT {select(columns)}
FROM landed AS w{join}"""


def straight(
    compiler: Compiler,
    plans: Sequence[JourneyPlan],
    edges: Collection[tuple[int, int]],
    source: Literal["entering", "waking"],
    rows: str,
) -> str | None:
    """`advance` in the very statement that finds who sets out; None if that takes more.

    More is a clock of somebody's own, an event that may have come, and figures that are better
    worked out for those alone who need them.
    """
    found = [
        leaf
        for plan in plans
        for edge in plan.edges
        if (plan.journey, edge.edge) in edges
        for leaf in leaves(edge.node)
    ]
    reached = {leaf.step for leaf in found}
    parks = [park for plan in plans for park in plan.parks if park.step in reached]
    if len(found) - len(edges) > MOST_DECISIONS or not all(map(_plain, parks)):
        return None
    scope = compiler.scope(Rows(name="going"))
    scope.written = True
    for plan in plans:
        for edge in plan.edges:
            if (plan.journey, edge.edge) in edges:
                _way(plan, edge, scope)
    send_columns(parks, scope)
    return None if scope.joins() else advance(compiler, plans, edges, source, rows)


MOST_DECISIONS = 200
"""A statement with more takes longer to plan than two, of which one has the ways taken alone."""


def _plain(park: Park) -> bool:
    return isinstance(park, SendPark | ActionPark) or (
        isinstance(park, WaitPark) and park.rule is None
    )


def _trail(d: Dialect, journeys: str) -> str:
    return f"""SELECT t.* FROM trail AS t WHERE t.round = {d.parameter("round")}
    AND t.fate IN ({GO}, {ACT}) AND t.journey IN ({journeys})"""


def _decided(d: Dialect, journeys: str, source: Source) -> str:
    """The same columns of those who have been sent to, or skipped."""
    nothing = d.literal(None, TEXT)
    zone = ", s.zone" if source == "decided and zoned" else ""
    return f"""SELECT s.customer_id, s.run_id, s.journey, {edge_ahead("s", "p")} AS edge, s.step,
    s.arrived_at, CAST({d.parameter("now")} AS TIMESTAMP) AS left_at, s.entered_at,
    {nothing} AS reason, s.entry, s.passes, s.fresh{zone},
    CASE WHEN s.outcome = {SENT} THEN {WHY["sent"]} ELSE {WHY["skipped"]} END AS going
  FROM decided AS s JOIN plan_send AS p ON p.step = s.step
  WHERE s.phase = {d.parameter("round")} AND s.outcome <> {HELD} AND s.journey IN ({journeys})"""


def _way(plan: JourneyPlan, edge: Edge, scope: Scope) -> str:
    """The leaf that an edge leads to; who has just entered is asked for exits first."""
    way = _tree(edge.node, scope)
    if edge.kind == "entered":
        before, scope.news_after = scope.news_after, _entered_after(plan, scope)
        by_reason = {leaf.reason: leaf.leaf for leaf in plan.leaves if leaf.exited}
        for way_out in reversed(plan.exits):
            condition = predicate(way_out.condition, scope)
            way = f"CASE WHEN {condition} THEN {by_reason[way_out.reason]} ELSE {way} END"
        scope.news_after = before
    return way


def _entered_after(plan: JourneyPlan, scope: Scope) -> str:
    """An instant before which nobody enters in this tick, where a statement can make use of it.

    What has been since the entry is then found among the newest rows. Figures that are joined
    are those of all who move, whenever they have entered.
    """
    if not (isinstance(plan.entry, EnterOn) and scope.lone_exists and scope.dialect.joins_exists):
        return ""
    return scope.dialect.parameter(f"since_{news_of(plan.entry.event)}")


def _tree(node: Node, scope: Scope) -> str:
    match node:
        case Leaf():
            return str(node.leaf)
        case Decide():
            condition = predicate(node.condition, scope)
            then, otherwise = _tree(node.then, scope), _tree(node.otherwise, scope)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        case Ahead():
            condition = f"{instant(node.moment, scope)} > {scope.rows.alias}.left_at"
            then, otherwise = _tree(node.then, scope), _tree(node.otherwise, scope)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        case Again():
            passes = f"{scope.rows.alias}.passes"
            if node.met != STRAIGHT:
                passes = f"({passes} - {passes} % {node.met.kept} + {node.met.added})"
            passes = scope.dialect.whole_quotient(passes, str(weight(node.depth)))
            condition = f"{passes} % {BASE} < {node.times}"
            then, otherwise = _tree(node.then, scope), _tree(node.otherwise, scope)
            return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        case Split() if node.learned:
            drawn = arm(node.step if node.kept is None else node.kept, node.salt, scope)
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


def send_columns(parks: Sequence[Park], scope: Scope) -> tuple[dict[int, str], dict[int, str]]:
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
        given = [(name, given_value(v, scope)) for name, v in park.values]
        given += [
            (of_channel(c.channel, name), given_value(v, scope))
            for c in park.candidates
            for name, v in c.values
        ]
        picked = [pick(park, n, scope) for n in range(len(park.picks))]
        given += [(p.name, rows) for p, (rows, _) in zip(park.picks, picked, strict=True)]
        too_few = lacks(park, [count for _, count in picked])
        if too_few is not None:
            open_ = masks.get(park.step, "-1")
            masks[park.step] = f"CASE WHEN {too_few} THEN {TOO_FEW} ELSE {open_} END"
        if given:
            contents[park.step] = d.json_object(given)
    return masks, contents


def _columns(masks: dict[int, str], contents: dict[int, str], moments: dict[int, str]) -> str:
    parts = [f", {sql} AS mask_{step}" for step, sql in masks.items()]
    parts += [f", {sql} AS content_{step}" for step, sql in contents.items()]
    parts += [f", {sql} AS moment_{step}" for step, sql in moments.items()]
    return "".join(parts)


def _pick(columns: dict[int, str], prefix: str, otherwise: str) -> str:
    whens = " ".join(f"WHEN {step} THEN a.{prefix}_{step}" for step in columns)
    return f"CASE l.step {whens} ELSE {otherwise} END"
