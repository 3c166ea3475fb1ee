"""What a journey has brought, as its guards ask for it.

Each statement yields (journey:number, how many it rests on, figure, of what), figures as text.
A goal event counts for a run if it lies in the goal's window behind the entry; of runs that
overlap it counts once.
"""

from __future__ import annotations

from datetime import datetime

from journeylang.model.measures import OF_COHORTS, Target
from journeylang.plan.operations import Amount, JourneyPlan, Results
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Rows
from journeylang.sql.pauses import resumed
from journeylang.sql.relations import may_repeat
from journeylang.sql.schema import CONTROL, HELD_OUT


def result(
    compiler: Compiler, plan: JourneyPlan, number: int, since: datetime | None = None
) -> str:
    """{now} -> the row of one guard on results. `since`: nobody has entered before it."""
    guard, asked = plan.guards[number], plan.results
    assert asked is not None
    name = f"{plan.journey}:{number}"
    if guard.measure in OF_COHORTS:
        return _of_a_cohort(compiler, plan, asked, guard, name, since)
    return _of_a_span(compiler, plan, asked, guard, name)


def _of_a_span(
    compiler: Compiler, plan: JourneyPlan, asked: Results, guard: Target, name: str
) -> str:
    """What has happened in the guard's window; it rests on 1 if that began behind the resume."""
    d = compiler.dialect
    since = resumed(plan.journey)
    bounds = [f'e."_at" > {since}', f'e."_at" <= {d.parameter("now")}']
    whole = "1"
    if guard.over is not None:
        start = f"{d.parameter('now')} - {d.interval(guard.over)}"
        bounds.append(f'e."_at" > {start}')
        whole = f"CASE WHEN {since} <= {start} THEN 1 ELSE 0 END"
    amount = Amount(event=asked.goal.event, where=asked.goal.where, field="")
    match guard.measure:
        case "orders":
            figure = "count(*)"
        case "leads":
            figure = "count(DISTINCT k.customer_id)"
        case _:
            assert asked.revenue is not None
            amount = asked.revenue
            figure = "coalesce(sum(k.amount), 0)"
    return f"""WITH begun AS (
  SELECT r.customer_id, r.run_id, r.entered_at, r.entry FROM journey.run AS r
  WHERE r.journey = {plan.journey} AND r.status NOT IN ({HELD_OUT}, {CONTROL})
)
SELECT '{name}', {whole}, {d.as_text(figure)}, NULL
FROM {_counted(compiler, amount, asked.goal.within, bounds)} AS k"""


def _of_a_cohort(
    compiler: Compiler,
    plan: JourneyPlan,
    asked: Results,
    guard: Target,
    name: str,
    since: datetime | None,
) -> str:
    """Of the first runs of customers whose goal window has ended, within the guard's window."""
    d, within = compiler.dialect, asked.goal.within
    assert within is not None, "checked: customers are judged when a window has passed"
    now = d.parameter("now")
    over = f"r.entered_at + {d.interval(within)}"
    window = f" AND {over} > {now} - {d.interval(guard.over)}" if guard.over is not None else ""
    begun = f"""WITH begun AS (
  SELECT DISTINCT ON (r.customer_id) r.customer_id, r.run_id, r.entered_at, r.entry
  FROM journey.run AS r
  WHERE r.journey = {plan.journey} AND r.status NOT IN ({HELD_OUT}, {CONTROL})
    AND r.entered_at > {resumed(plan.journey)} AND {over} <= {now}{window}
  ORDER BY r.customer_id, r.entered_at, r.run_id
)"""
    people = "(SELECT count(*) FROM begun)"
    # Known without a join.
    later = [f'e."_at" <= {now}']
    later += [f'e."_at" > {d.instant(since)}'] if since is not None else []
    if guard.measure == "conversion":
        goal = Amount(event=asked.goal.event, where=asked.goal.where, field="")
        return f"""{begun}
SELECT '{name}', {people}, {d.as_text("count(DISTINCT k.customer_id)")}, {d.as_text(people)}
FROM {_counted(compiler, goal, within, later, once=True)} AS k"""
    assert asked.revenue is not None
    earned = _left(compiler, asked.revenue, asked.goods, within, later)
    cost = f"""(SELECT coalesce(sum(m.cost), 0) FROM begun AS w JOIN journey.message AS m
  ON m.customer_id = w.customer_id AND m.run_id = w.run_id AND m.journey = {plan.journey}
  LEFT JOIN (SELECT DISTINCT t.customer_id, t.message_id FROM journey.receipt AS t
    WHERE t.given_back) AS b ON b.message_id = m.message_id AND b.customer_id = m.customer_id
  WHERE b.message_id IS NULL)"""
    return f"""{begun}
SELECT '{name}', {people}, {d.as_text(f"{earned} - {cost}")}, {d.as_text(cost)}"""


def _left(
    compiler: Compiler, revenue: Amount, goods: Amount | None, within: int | None, later: list[str]
) -> str:
    """Revenue less goods: in one scan where both stand in the same rows."""
    if goods is not None and (goods.event, goods.where) == (revenue.event, revenue.where):
        rows = _counted(compiler, revenue, within, later, once=True, second=goods.field)
        return f"(SELECT coalesce(sum(k.amount), 0) - coalesce(sum(k.second), 0) FROM {rows} AS k)"
    sums = [
        f"(SELECT coalesce(sum(k.amount), 0) FROM"
        f" {_counted(compiler, one, within, later, once=True)} AS k)"
        for one in (revenue, goods)
        if one is not None
    ]
    return " - ".join(sums)


def _counted(
    compiler: Compiler,
    amount: Amount,
    within: int | None,
    bounds: list[str],
    *,
    once: bool = False,
    second: str = "",
) -> str:
    """The rows of an event that count for the runs in `begun`, each once, with its amount.

    `once`: no customer has two runs there, so that a row counts twice only if the event has it
    twice. `second`: another field of the same rows.
    """
    d = compiler.dialect
    scope = compiler.scope(Rows(name="begun"))
    read = tuple(name for name in (amount.field, second) if name)
    joined, about, asked = awaited(amount.event, amount.where, scope, read)
    conditions = ['e."_at" > w.entered_at', *bounds, *about, *asked]
    if within is not None:
        conditions.append(f'e."_at" <= w.entered_at + {d.interval(within)}')
    column = f", e.{quote(amount.field)} AS amount" if amount.field else ""
    column += f", e.{quote(second)} AS second" if second else ""
    repeated = not once or may_repeat(compiler.project.binding, amount.event)
    told = 'DISTINCT w.customer_id, e."_key", e."_at"' if repeated else "w.customer_id"
    return f"""(
  SELECT {told}{column}
  FROM {joined}
  WHERE {" AND ".join(conditions)}
)"""
