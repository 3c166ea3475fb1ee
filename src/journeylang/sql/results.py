"""What a journey has brought, as its guards ask for it.

Each statement yields (journey:number, how many it rests on, figure, of what), figures as text.
A goal event counts for a run if it lies in the goal's window behind the entry; of runs that
overlap it counts once.
"""

from __future__ import annotations

from journeylang.model.measures import OF_COHORTS, Target
from journeylang.plan.operations import Amount, JourneyPlan, Results
from journeylang.sql.aggregates import awaited
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Rows
from journeylang.sql.pauses import resumed
from journeylang.sql.schema import CONTROL, HELD_OUT


def result(compiler: Compiler, plan: JourneyPlan, number: int) -> str:
    """{now} -> the row of one guard on results."""
    guard, asked = plan.guards[number], plan.results
    assert asked is not None
    find = _of_a_cohort if guard.measure in OF_COHORTS else _of_a_span
    return find(compiler, plan, asked, guard, f"{plan.journey}:{number}")


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
    compiler: Compiler, plan: JourneyPlan, asked: Results, guard: Target, name: str
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
    if guard.measure == "conversion":
        goal = Amount(event=asked.goal.event, where=asked.goal.where, field="")
        return f"""{begun}
SELECT '{name}', {people}, {d.as_text("count(DISTINCT k.customer_id)")}, {d.as_text(people)}
FROM {_counted(compiler, goal, within, [])} AS k"""
    assert asked.revenue is not None
    earned = _sum(compiler, asked.revenue, within)
    spent = _sum(compiler, asked.goods, within) if asked.goods is not None else "0"
    cost = f"""(SELECT coalesce(sum(m.cost), 0) FROM begun AS w JOIN journey.message AS m
  ON m.customer_id = w.customer_id AND m.run_id = w.run_id AND m.journey = {plan.journey}
  AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
    AND b.message_id = m.message_id AND b.customer_id = m.customer_id))"""
    return f"""{begun}
SELECT '{name}', {people}, {d.as_text(f"{earned} - {spent} - {cost}")}, {d.as_text(cost)}"""


def _sum(compiler: Compiler, amount: Amount, within: int | None) -> str:
    return f"(SELECT coalesce(sum(k.amount), 0) FROM {_counted(compiler, amount, within, [])} AS k)"


def _counted(compiler: Compiler, amount: Amount, within: int | None, bounds: list[str]) -> str:
    """The rows of an event that count for the runs in `begun`, each once, with its amount."""
    d = compiler.dialect
    scope = compiler.scope(Rows(name="begun"))
    read = (amount.field,) if amount.field else ()
    joined, about, asked = awaited(amount.event, amount.where, scope, read)
    conditions = ['e."_at" > w.entered_at', *bounds, *about, *asked]
    if within is not None:
        conditions.append(f'e."_at" <= w.entered_at + {d.interval(within)}')
    column = f", e.{quote(amount.field)} AS amount" if amount.field else ""
    return f"""(
  SELECT DISTINCT w.customer_id, e."_key", e."_at"{column}
  FROM {joined}
  WHERE {" AND ".join(conditions)}
)"""
