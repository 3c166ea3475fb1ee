"""Who enters a journey, in one statement: candidates, the rules of re-entry, control groups.

A candidate becomes a row of `trail`: it enters (GO), is drawn into a control group (END), or
may not (REFUSED, with the reason).
"""

from __future__ import annotations

from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.entry import (
    EnterBySchedule,
    EnterByStart,
    EnterJoins,
    EnterOn,
    EnterWhen,
    Yearly,
)
from journeylang.model.expressions import Expression, MessageEvent
from journeylang.model.types import TEXT
from journeylang.plan.operations import JourneyPlan
from journeylang.sql.aggregates import event_fields, message_scope
from journeylang.sql.compiler import Compiler, insert_head, select, zone_join
from journeylang.sql.dialects import quote, text
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.news import News, changed_people
from journeylang.sql.relations import event
from journeylang.sql.schema import ACTIVE, CONTROL, HELD_OUT, WHY, public_message_id
from journeylang.sql.session import END, GO, REFUSED

ENTRANT = (
    *("round", "customer_id", "run_id", "journey", "edge", "arrived_at", "left_at", "entered_at"),
    *("fate", "status", "reason", "entry", "why", "going", "passes", "fresh"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who is inside a segment, kept from look to look.

    `inside` {now} puts all customers who have passed its border into the table of that name, and
    whether they are inside now, `inside_changed` {now, looked} those of them for whom something
    may have changed; `keep` lets `journey.member` say the same of them. Whoever is no longer a
    customer stays what they were.
    """

    inside: str
    inside_changed: str | None
    keep: tuple[str, ...]


def membership(compiler: Compiler, plan: JourneyPlan, among: News | None) -> Membership | None:
    """For a journey that is entered by joining a segment."""
    if not isinstance(plan.entry, EnterJoins):
        return None
    return Membership(
        inside=_inside(compiler, plan, plan.entry, None),
        inside_changed=None if among is None else _inside(compiler, plan, plan.entry, among),
        keep=(
            f"""DELETE FROM journey.member AS m
USING (SELECT i.customer_id FROM inside AS i WHERE i.journey = {plan.journey} AND NOT i.inside) AS o
WHERE m.journey = {plan.journey} AND m.customer_id = o.customer_id""",
            f"""INSERT INTO journey.member (customer_id, journey)
SELECT i.customer_id, i.journey FROM inside AS i WHERE i.journey = {plan.journey} AND i.inside""",
        ),
    )


def _inside(compiler: Compiler, plan: JourneyPlan, entry: EnterJoins, among: News | None) -> str:
    scope = compiler.scope(_looked_at(among))
    condition = predicate(entry.inside, scope)
    joins = scope.joins()
    head = f"INSERT INTO inside (journey, customer_id, inside)\n{_changed(among)}"
    passed = f"""LEFT JOIN journey.member AS m
  ON m.customer_id = s.customer_id AND m.journey = {plan.journey}
WHERE s.inside <> (m.customer_id IS NOT NULL)"""
    if among is not None and not scope.fields and not compiler.dialect.indexed:
        # Few of those with news pass its border: they alone are asked for among the customers, all
        # of whom are read for it. By an index to look up those with news is as cheap.
        return f"""{head}SELECT {plan.journey}, p.customer_id, p.inside
FROM (SELECT s.customer_id, s.inside
  FROM (SELECT w.customer_id, coalesce({condition}, FALSE) AS inside
    FROM changed AS w{joins}) AS s
  {passed}) AS p
WHERE EXISTS (SELECT 1 FROM {compiler.base()} AS c WHERE c.customer_id = p.customer_id)"""
    return f"""{head}SELECT {plan.journey}, s.customer_id, s.inside
FROM (SELECT c.customer_id, coalesce({condition}, FALSE) AS inside
  FROM {_people(compiler, among, *scope.fields)}{joins}
  WHERE c.customer_id IS NOT NULL) AS s
{passed}"""


def _looked_at(among: News | None) -> Rows:
    return Rows() if among is None else Rows(name="changed", few="changed")


def _changed(among: News | None, behind: str = "\n", only: str = "") -> str:
    return "" if among is None else f"WITH {changed_people(among, only=only)}{behind}"


def _people(compiler: Compiler, among: News | None, *fields: str) -> str:
    """The customers `c`, or those of them for whom something may have changed."""
    base = f"{compiler.base(*fields)} AS c"
    return base if among is None else f"changed AS w JOIN {base} ON c.customer_id = w.customer_id"


def enter(compiler: Compiler, plan: JourneyPlan, among: News | None = None) -> str:
    """The statement that puts those who enter, and those who may not, into `trail`."""
    return f"{insert_head(ENTRANT)}\n{entrants(compiler, plan, among)}"


def entrants(compiler: Compiler, plan: JourneyPlan, among: News | None = None) -> str:
    """Selects those who enter, and those who may not, with the columns `ENTRANT` of `trail`.

    Parameters {now}, and by the way in {since_entry, until_entry}: between which instants its
    event's rows count; or {open}: whether anybody may enter at all. With `among` only those
    enter on a condition for whom it may have changed since {looked}.
    """
    match plan.entry:
        case EnterOn():
            return _enter_on(compiler, plan, plan.entry)
        case EnterWhen():
            return _enter_when(compiler, plan, plan.entry, among)
        case EnterJoins():
            return _enter_joins(compiler, plan)
        case EnterByStart():
            return _enter_by_start(compiler, plan)
        case EnterBySchedule():
            return _enter_by_schedule(compiler, plan, plan.entry)
        case _:
            assert_never(plan.entry)


def _enter_on(compiler: Compiler, plan: JourneyPlan, entry: EnterOn) -> str:
    d = compiler.dialect
    scope = compiler.of_event(Rows(name="came"))
    where = f" AND {predicate(entry.where, scope)}" if entry.where is not None else ""
    stored = _stored(plan, entry)
    fields = tuple(dict.fromkeys((*event_fields((entry.where,), scope), *stored)))
    came = f"{event(compiler.project.binding, entry.event, fields, d)} AS e"
    conditions = [
        f'e."_at" > {d.parameter("since_entry")} AND e."_at" <= {d.parameter("until_entry")}',
        'e."_key" IS NOT NULL',
    ]
    if isinstance(entry.event, MessageEvent):
        conditions += message_scope(entry.event, scope)
    new = "\n    AND ".join(conditions)
    first, joins = "", scope.joins()
    if joins:
        # Figures are worked out for those alone of whom there is a new row.
        first = f"came AS (\n  SELECT e.* FROM {came}\n  WHERE {new}\n), "
        came, new = "came AS e", "TRUE"
    if scope.fields:
        came += f" JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = e.customer_id"
    key = 'e."_key"'
    if isinstance(entry.event, MessageEvent) and entry.event.name == "sent":
        # Numbers of messages hang on what else was sent; their names outside do not.
        came += """
    JOIN journey.message AS k ON k.customer_id = e.customer_id AND k.message_id = e."_key"
    JOIN journey.step AS st ON st.step = k.step"""
        key = public_message_id("k", "st")
    held = d.json_object((f, f"e.{quote(f)}") for f in stored) if stored else d.literal(None, TEXT)
    run_id = d.hash60(text(plan.name), d.as_text("e.customer_id"), d.as_text(key))
    # As it is read back from the run.
    per = f", {d.json_text('s.entry', entry.per)} AS per" if entry.per is not None else ""
    seen = f"""{first}seen AS (
  SELECT e.customer_id, e."_at" AS at, {key} AS key, {run_id} AS run_id, {held} AS entry
  FROM {came}{joins}
  WHERE {new}{where}{d.barrier}
), fresh AS (
  SELECT s.*{per} FROM seen AS s
  WHERE NOT EXISTS (SELECT 1 FROM journey.run AS r
      WHERE r.customer_id = s.customer_id AND r.run_id = s.run_id)
    AND NOT EXISTS (SELECT 1 FROM journey.decision AS d
      WHERE d.customer_id = s.customer_id AND d.run_id = s.run_id AND d.step IS NULL)
)"""
    return _judged(compiler, plan, seen, per=entry.per)


def _stored(plan: JourneyPlan, entry: EnterOn) -> tuple[str, ...]:
    """The fields that a run keeps: what something later reads, and what tells runs apart."""
    per = (entry.per,) if entry.per is not None else ()
    return tuple(dict.fromkeys((*plan.entry_fields, *per)))


def _enter_joins(compiler: Compiler, plan: JourneyPlan) -> str:
    """`inside` tells who has come into the segment since it was last looked at."""
    d = compiler.dialect
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    run_id = d.hash60(text(plan.name), d.as_text("i.customer_id"), d.as_text(now))
    joined = f"""fresh AS (
  SELECT i.customer_id, {now} AS at, 0 AS key, {run_id} AS run_id, {d.literal(None, TEXT)} AS entry
  FROM inside AS i
  WHERE i.journey = {plan.journey} AND i.inside AND {d.parameter("open")}
)"""
    return _judged(compiler, plan, joined)


def _enter_by_start(compiler: Compiler, plan: JourneyPlan) -> str:
    """What was started by earlier ticks; `taken` takes it away afterwards."""
    d = compiler.dialect
    now = d.parameter("now")
    run_id = d.hash60(text(plan.name), d.as_text("p.customer_id"), "p.entry_key")
    started = f"""fresh AS (
  SELECT p.customer_id, CAST({now} AS TIMESTAMP) AS at, p.entry_key AS key, {run_id} AS run_id,
    p.entry
  FROM journey.pending_entry AS p
  WHERE p.journey = {text(plan.name)} AND p."at" < {now} AND {d.parameter("open")}
)"""
    return _judged(compiler, plan, started)


def taken(compiler: Compiler, plan: JourneyPlan) -> str | None:
    """What is done behind the entries: a start counts once, whether it led to a run or not."""
    if not isinstance(plan.entry, EnterByStart):
        return None
    now = compiler.dialect.parameter("now")
    return f'DELETE FROM journey.pending_entry WHERE journey = {text(plan.name)} AND "at" < {now}'


REENTRY = {
    "never": " WHEN p.customer_id IS NOT NULL THEN 'reentry'",
    "always": "",
    "after": " WHEN p.entered_at >= z.instant THEN 'reentry'",
}
"""By the rule: whom their former run `p` keeps out; `z` is the instant from which it does."""


def _judged(compiler: Compiler, plan: JourneyPlan, fresh: str, per: str | None = None) -> str:
    """Of the candidates in `fresh` who enters, and why the others may not.

    `fresh` has customer_id, at, key, run_id, entry, and with `per` what tells runs apart: the
    text of that field.
    """
    only = compiler.scope(Rows(name="fresh"))
    audience = (
        f" WHEN NOT coalesce({predicate(plan.only, only)}, FALSE) THEN 'audience'"
        if plan.only is not None
        else ""
    )
    again = REENTRY[plan.reenter.rule]
    zone = ""
    zones: list[str] = []
    if plan.reenter_rule is not None:
        zone, zones = zone_join(plan.reenter_rule, 'c."_zone"', "w.at"), ["timezone"]
    same = " AND p.per IS NOT DISTINCT FROM w.per" if per is not None else ""
    previous = _previous(compiler, plan, "fresh", per)
    columns = _entrant_columns(plan, "w.refusal")
    # Hardly anybody has two candidates in a tick: to put all of them in order costs the most here.
    rival = "j.refused IS NULL AND j.customer_id IN (SELECT customer_id FROM several)"
    return f"""WITH {fresh}, judged AS (
  SELECT w.*, CASE WHEN p.active THEN 'active'{again}{audience} END AS refused
  FROM fresh AS w
  JOIN {compiler.base(*zones, *only.fields)} AS c ON c.customer_id = w.customer_id
  LEFT JOIN {previous} AS p ON p.customer_id = w.customer_id{same}{zone}{only.joins()}
), several AS (
  SELECT j.customer_id FROM judged AS j WHERE j.refused IS NULL
  GROUP BY j.customer_id HAVING count(*) > 1
), ranked AS (
  SELECT j.*, 1 AS nth FROM judged AS j
  WHERE NOT ({rival})
  UNION ALL
  SELECT j.*, row_number() OVER (
    PARTITION BY j.customer_id{", j.per" if per is not None else ""} ORDER BY j.at, j.key) AS nth
  FROM judged AS j
  WHERE {rival}
)
SELECT {select(columns)}
FROM (SELECT r.*, {_drawn(compiler, plan, "r")} AS status,
    CASE WHEN r.nth > 1 THEN 'active' ELSE r.refused END AS refusal FROM ranked AS r) AS w"""


def _enter_when(compiler: Compiler, plan: JourneyPlan, entry: EnterWhen, among: News | None) -> str:
    now = f"CAST({compiler.dialect.parameter('now')} AS TIMESTAMP)"
    scope = compiler.scope(_looked_at(among))
    return _everybody(compiler, plan, entry.condition, scope, at=now, among=among)


def _enter_by_schedule(compiler: Compiler, plan: JourneyPlan, entry: EnterBySchedule) -> str:
    """`due` has the instants that have come, for each zone if they are local."""
    scope = compiler.scope(Rows())
    on = [f"o.journey = {plan.journey}"]
    if entry.local:
        on.append('o.zone = c."_zone"')
    if isinstance(entry.schedule, Yearly):
        date = value(entry.schedule.date, scope)
        on.append(f"o.month_day = extract(month FROM {date}) * 100 + extract(day FROM {date})")
        on.append(f"o.anniversary >= {date}")
    return _everybody(compiler, plan, entry.condition, scope, at="o.due_at", due=" AND ".join(on))


def _everybody(
    compiler: Compiler,
    plan: JourneyPlan,
    condition: Expression | None,
    scope: Scope,
    *,
    at: str,
    due: str = "",
    among: News | None = None,
) -> str:
    """All customers who match and may enter `at`; those who may not are not recorded.

    `due` joins the instants that there are for a customer: the first acceptable one counts.
    `among`: only those of whom there is news.
    """
    d = compiler.dialect
    # An apply refuses keys that are unknown; a row that comes later must not stop everybody.
    conditions = ["c.customer_id IS NOT NULL"]
    conditions += [predicate(x, scope) for x in (condition, plan.only) if x is not None]
    # An instant may hang on figures that are joined.
    joins = scope.joins() + (f"\n  JOIN due AS o ON {due}" if due else "")
    once = ""
    if plan.reenter.rule == "never":
        rows = f"SELECT 1 FROM journey.run AS r WHERE r.journey = {plan.journey}"
        if among is None:
            conditions.append(f"NOT EXISTS ({rows} AND r.customer_id = c.customer_id)")
        else:
            # Figures are worked out for those alone who may still enter.
            once = f"NOT EXISTS ({rows} AND r.customer_id = n.customer_id)"
    else:
        previous = _previous(compiler, plan, None)
        joins += f"\n  LEFT JOIN {previous} AS p ON p.customer_id = c.customer_id"
        conditions.append("NOT coalesce(p.active, FALSE)")
        if plan.reenter_rule is not None:
            joins += zone_join(plan.reenter_rule, 'c."_zone"', at)
            conditions.append("NOT coalesce(p.entered_at >= z.instant, FALSE)")
    key = d.as_text(at)
    columns = _entrant_columns(plan, None)
    nth = (
        f",\n    row_number() OVER (PARTITION BY c.customer_id ORDER BY {at}) AS nth" if due else ""
    )
    return f"""{_changed(among, ", ", once) or "WITH "}fresh AS (
  SELECT c.customer_id, {at} AS at,
    {d.hash60(text(plan.name), d.as_text("c.customer_id"), key)} AS run_id,
    {d.literal(None, TEXT)} AS entry, {_drawn(compiler, plan, "c")} AS status{nth}
  FROM {_people(compiler, among, "timezone", *scope.fields)}{joins}
  WHERE {" AND ".join(conditions)}
)
SELECT {select(columns)}
FROM fresh AS w{" WHERE w.nth = 1" if due else ""}"""


def _previous(
    compiler: Compiler, plan: JourneyPlan, candidates: str | None, per: str | None = None
) -> str:
    """Each customer's last entry into the journey, and whether a run is still active.

    With `per` for each value of that field of `entry`, the unknown one among them.
    """
    only = f" AND r.customer_id IN (SELECT customer_id FROM {candidates})" if candidates else ""
    left, gone = "", ""
    if plan.exits:
        # A run that left in this tick is no longer in the way.
        left = (
            " LEFT JOIN trail AS x ON x.customer_id = r.customer_id AND x.run_id = r.run_id"
            f" AND x.fate = {END} AND x.round = 0"
        )
        gone = " AND x.run_id IS NULL"
    keys, named = "r.customer_id", ""
    if per is not None:
        apart = compiler.dialect.json_text("r.entry", per)
        keys, named = f"{keys}, {apart}", f" {apart} AS per,"
    return (
        f"(SELECT r.customer_id,{named} bool_or(r.status = {ACTIVE}{gone}) AS active,"
        f" max(r.entered_at) AS entered_at FROM journey.run AS r{left}"
        f" WHERE r.journey = {plan.journey}{only} GROUP BY {keys})"
    )


def _drawn(compiler: Compiler, plan: JourneyPlan, row: str) -> str:
    """The status with which a candidate begins: drawn into a control group, or active."""
    d = compiler.dialect
    whens = ""
    for group, status in ((plan.control, CONTROL), (plan.holdout, HELD_OUT)):
        if group is not None:
            bucket = d.bucket(group.salt, f"{row}.customer_id")
            whens += f" WHEN {bucket} < {group.share} THEN {status}"
    return f"CASE{whens} ELSE {ACTIVE} END" if whens else str(ACTIVE)


def _entrant_columns(plan: JourneyPlan, refused: str | None) -> dict[str, str]:
    """The trail's row of a candidate `w`: refused, drawn into a control group, or entering.

    `refused` is its reason, NULL for those who may enter; `w.status` is as `_drawn`.
    """
    drawn = f"w.status <> {ACTIVE}"
    fate = f"CASE WHEN {drawn} THEN {END} ELSE {GO} END"
    why = f"CASE w.status WHEN {CONTROL} THEN 'global_control' WHEN {HELD_OUT} THEN 'held_out' END"
    return {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": str(plan.journey),
        "edge": "0",
        "arrived_at": "w.at",
        "left_at": "w.at",
        "entered_at": "w.at",
        "fate": f"CASE WHEN {refused} IS NOT NULL THEN {REFUSED} ELSE {fate} END"
        if refused
        else fate,
        "status": "w.status",
        "reason": f"coalesce({refused}, {why})" if refused else why,
        "entry": "w.entry",
        "why": str(WHY["entered"]),
        "going": str(WHY["entered"]),
        "passes": "0",
        "fresh": "TRUE",
    }
