"""Who enters a journey, in one statement: candidates, the rules of re-entry, control groups.

A candidate becomes a row of `trail`: it enters (GO), is drawn into a control group (END), or
may not (REFUSED, with the reason).
"""

from __future__ import annotations

from typing import assert_never

from journeylang.model.entry import EnterBySchedule, EnterOn, EnterWhen, Yearly
from journeylang.model.expressions import BoundEvent, Expression
from journeylang.model.types import TEXT
from journeylang.plan.operations import JourneyPlan
from journeylang.sql.aggregates import event_fields
from journeylang.sql.compiler import Compiler, insert_head, select, zone_join
from journeylang.sql.dialects import quote, text
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.relations import event
from journeylang.sql.schema import ACTIVE, CONTROL, HELD_OUT
from journeylang.sql.session import END, GO, REFUSED


def enter(compiler: Compiler, plan: JourneyPlan) -> str:
    """The statement that puts those who enter, and those who may not, into `trail`."""
    match plan.entry:
        case EnterOn():
            return _enter_on(compiler, plan, plan.entry)
        case EnterWhen():
            return _enter_when(compiler, plan, plan.entry)
        case EnterBySchedule():
            return _enter_by_schedule(compiler, plan, plan.entry)
        case _:
            assert_never(plan.entry)


def _enter_on(compiler: Compiler, plan: JourneyPlan, entry: EnterOn) -> str:
    d = compiler.dialect
    trigger = BoundEvent(name=entry.event, span=entry.span)
    scope = compiler.of_event(Rows(name="came"))
    where = f" AND {predicate(entry.where, scope)}" if entry.where is not None else ""
    fields = tuple(dict.fromkeys((*event_fields((entry.where,), scope), *plan.entry_fields)))
    came = f"{event(compiler.project.binding, trigger, fields, d)} AS e"
    new = (
        f'e."_at" > {d.parameter("since_entry")} AND e."_at" <= {d.parameter("until_entry")}'
        '\n    AND e."_key" IS NOT NULL'
    )
    first, joins = "", scope.joins()
    if joins:
        # Figures are worked out for those alone of whom there is a new row.
        first = f"came AS (\n  SELECT e.* FROM {came}\n  WHERE {new}\n), "
        came, new = "came AS e", "TRUE"
    if scope.fields:
        came += f" JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = e.customer_id"
    key = d.as_text('e."_key"')
    stored = (
        d.json_object((f, f"e.{quote(f)}") for f in plan.entry_fields)
        if plan.entry_fields
        else d.literal(None, TEXT)
    )
    only = compiler.scope(Rows(name="fresh"))
    audience = (
        f" WHEN NOT coalesce({predicate(plan.only, only)}, FALSE) THEN 'audience'"
        if plan.only is not None
        else ""
    )
    again = {
        "never": " WHEN p.customer_id IS NOT NULL THEN 'reentry'",
        "always": "",
        "after": " WHEN p.entered_at >= z.instant THEN 'reentry'",
    }[plan.reenter.rule]
    zone = ""
    zones: list[str] = []
    if plan.reenter_rule is not None:
        zone, zones = zone_join(plan.reenter_rule, 'c."_zone"', "w.at"), ["timezone"]
    columns = _entrant_columns(plan, "w.refusal")
    return f"""{insert_head(columns)}
WITH {first}seen AS (
  SELECT e.customer_id, e."_at" AS at, e."_key" AS key,
    {d.hash60(text(plan.name), d.as_text("e.customer_id"), key)} AS run_id, {stored} AS entry
  FROM {came}{joins}
  WHERE {new}{where}
), fresh AS (
  SELECT s.* FROM seen AS s
  WHERE NOT EXISTS (SELECT 1 FROM journey.run AS r
      WHERE r.customer_id = s.customer_id AND r.run_id = s.run_id)
    AND NOT EXISTS (SELECT 1 FROM journey.decision AS d
      WHERE d.customer_id = s.customer_id AND d.run_id = s.run_id AND d.step IS NULL)
), judged AS (
  SELECT w.*, CASE WHEN p.active THEN 'active'{again}{audience} END AS refused
  FROM fresh AS w
  JOIN {compiler.base(*zones, *only.fields)} AS c ON c.customer_id = w.customer_id
  LEFT JOIN {_previous(plan, "fresh")} AS p ON p.customer_id = w.customer_id{zone}{only.joins()}
), ranked AS (
  SELECT j.*, {_drawn(compiler, plan, "j")} AS status, row_number() OVER (
    PARTITION BY j.customer_id, j.refused IS NULL ORDER BY j.at, j.key) AS nth
  FROM judged AS j
)
SELECT {select(columns)}
FROM (SELECT r.*, CASE WHEN r.nth > 1 THEN coalesce(r.refused, 'active') ELSE r.refused END
    AS refusal FROM ranked AS r) AS w"""


def _enter_when(compiler: Compiler, plan: JourneyPlan, entry: EnterWhen) -> str:
    now = f"CAST({compiler.dialect.parameter('now')} AS TIMESTAMP)"
    scope = compiler.scope(Rows())
    return _everybody(compiler, plan, entry.condition, scope, at=now)


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
) -> str:
    """All customers who match and may enter `at`; those who may not are not recorded.

    `due` joins the instants that there are for a customer: the first acceptable one counts.
    """
    d = compiler.dialect
    # An apply refuses keys that are unknown; a row that comes later must not stop everybody.
    conditions = ["c.customer_id IS NOT NULL"]
    conditions += [predicate(x, scope) for x in (condition, plan.only) if x is not None]
    # An instant may hang on figures that are joined.
    joins = scope.joins() + (f"\n  JOIN due AS o ON {due}" if due else "")
    if plan.reenter.rule == "never":
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM journey.run AS r"
            f" WHERE r.journey = {plan.journey} AND r.customer_id = c.customer_id)"
        )
    else:
        previous = _previous(plan, None)
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
    return f"""{insert_head(columns)}
WITH fresh AS (
  SELECT c.customer_id, {at} AS at,
    {d.hash60(text(plan.name), d.as_text("c.customer_id"), key)} AS run_id,
    {d.literal(None, TEXT)} AS entry, {_drawn(compiler, plan, "c")} AS status{nth}
  FROM {compiler.base("timezone", *scope.fields)} AS c{joins}
  WHERE {" AND ".join(conditions)}
)
SELECT {select(columns)}
FROM fresh AS w{" WHERE w.nth = 1" if due else ""}"""


def _previous(plan: JourneyPlan, candidates: str | None) -> str:
    """Each customer's last entry into the journey, and whether a run is still active."""
    only = f" AND r.customer_id IN (SELECT customer_id FROM {candidates})" if candidates else ""
    left, gone = "", ""
    if plan.exits:
        # A run that left in this tick is no longer in the way.
        left = (
            " LEFT JOIN trail AS x ON x.customer_id = r.customer_id AND x.run_id = r.run_id"
            f" AND x.fate = {END}"
        )
        gone = " AND x.run_id IS NULL"
    return (
        f"(SELECT r.customer_id, bool_or(r.status = {ACTIVE}{gone}) AS active,"
        f" max(r.entered_at) AS entered_at FROM journey.run AS r{left}"
        f" WHERE r.journey = {plan.journey}{only} GROUP BY r.customer_id)"
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
        "why": "'entered'",
        "going": "'entered'",
        "fresh": "TRUE",
        "moved": f"{refused} IS NULL AND {drawn}" if refused else drawn,
    }
