"""KPIs and guards: each figure beside what it has to be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from journeylang.model.journey import Goal, Journey
from journeylang.model.measures import OF_COHORTS, OF_GOALS, RATES, Target
from journeylang.plan.build import build
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.results import results
from journeylang.plan.ways import TooManyWaysError
from journeylang.report.groups import TREATED, by_first_entry, entries
from journeylang.report.messages import RETURNED
from journeylang.report.outcomes import not_measured, outcomes, total
from journeylang.report.source import Source
from journeylang.report.tables import Table, text
from journeylang.runtime.pauses import written
from journeylang.runtime.readings import ENOUGH, Reading, of_messages
from journeylang.sql.pauses import figure, resumed
from journeylang.sql.results import result
from journeylang.sql.schema import CONTROL, HELD_OUT

_NOTE = (
    "Measured as guards are: behind the last resume, in the target's own window up to now. Shares"
    f" of fewer than {ENOUGH} messages or customers are not judged."
)


def targets(source: Source, journey: Journey) -> Table | None:
    """None of a journey without any."""
    wanted = [("kpi", kpi) for kpi in journey.kpis]
    wanted += [("guard", guard) for guard in journey.guards]
    if not wanted:
        return None
    plan = _plan(source, journey, tuple(target for _, target in wanted))
    rows = []
    for number, (word, target) in enumerate(wanted):
        found = _measured(source, journey, plan, number, target)
        by = f" by {target.by}" if target.by is not None else ""
        rows.append((word, written(target) + by, *found))
    return Table(
        name="targets",
        title="targets",
        columns=(text("kind", ""), text("target"), text("figure"), text("state")),
        rows=tuple(rows),
        notes=(_NOTE,),
    )


def _plan(source: Source, journey: Journey, wanted: tuple[Target, ...]) -> JourneyPlan | None:
    """The journey's plan, with KPIs among its guards; None if it is none."""
    alone = replace(source.project, journeys={journey.name: journey})
    try:
        (plan,) = build(alone, source.numbering).journeys
    except TooManyWaysError:
        return None
    asked = results(source.project, replace(journey, guards=wanted)) if journey.goals else None
    return replace(plan, guards=wanted, results=asked)


def _measured(
    source: Source, journey: Journey, plan: JourneyPlan | None, number: int, target: Target
) -> tuple[str, str]:
    """The figure as text, and whether it is as it has to be."""
    if target.measure == "entries":
        count = _entries(source, journey, target)
        return _judged(Reading(target=target, rests=count, figure=Decimal(count)))
    if target.measure not in OF_GOALS:
        journey_number = source.number(journey)
        statement = figure(source.dialect, journey_number, number, target)
        _, _, messages, found, _ = source.query(statement)[0]
        return _judged(of_messages(target, messages, Decimal(found)))
    if (why := _stands_in_the_way(source, journey, plan, target)) is not None:
        return "", f"not measured: {why}"
    assert plan is not None
    rests, found, of = (
        _from_goals(source, journey, target)
        or source.query(result(source.compiler, plan, number, entries(source, journey)[2]))[0][1:]
    )
    share = None if of is None else Decimal(of)
    return _judged(Reading(target=target, rests=rests, figure=Decimal(found), of=share))


def _from_goals(
    source: Source, journey: Journey, target: Target
) -> tuple[int, Decimal, Decimal] | None:
    """What `result` would find, from what the report has read already.

    None where they are not about the same customers: where some have come twice, or the journey
    went on again, or the target has a window of its own; nor of sums.
    """
    runs, customers, _ = entries(source, journey)
    paused = f"SELECT count(*) FROM journey.pause AS p WHERE p.journey = {source.number(journey)}"
    asked_otherwise = target.measure not in OF_COHORTS or target.over is not None
    if asked_otherwise or runs > customers or source.query(paused)[0][0]:
        return None
    goal = journey.goals[0]
    found = outcomes(source, journey, goal, by_first_entry(source, journey), worth=True)
    treated = next((one for one in found if one.arm == TREATED), None)
    if treated is None:
        return 0, Decimal(0), Decimal(0)
    if target.measure == "conversion":
        return treated.mature, Decimal(treated.reached), Decimal(treated.mature)
    left = Decimal(str(total(treated.value))) - Decimal(str(treated.goods))
    cost = _cost_of_runs(source, journey, goal)
    return treated.mature, left - cost, cost


def _cost_of_runs(source: Source, journey: Journey, goal: Goal) -> Decimal:
    """Of all messages of the runs whose time to reach the goal is over; nobody has come twice.

    Of rows that two columns join PostgreSQL expects hardly any, and would look each up.
    """
    d = source.dialect
    assert goal.within is not None
    over = f"r.entered_at + {d.interval(goal.within)} <= {d.parameter('now')}"
    return Decimal(
        source.query(f"""SELECT coalesce(sum(m.cost), 0) FROM journey.message AS m
JOIN journey.run AS r ON r.customer_id = m.customer_id
LEFT JOIN {RETURNED} AS b ON b.message_id = m.message_id
WHERE m.journey = {source.number(journey)} AND b.message_id IS NULL
  AND r.journey = {source.number(journey)} AND r.status NOT IN ({HELD_OUT}, {CONTROL})
  AND {over}""")[0][0]
    )


def _stands_in_the_way(
    source: Source, journey: Journey, plan: JourneyPlan | None, target: Target
) -> str | None:
    if not journey.goals or plan is None or plan.results is None:
        return "the journey has no goal"
    if target.measure in ("revenue", "roi") and plan.results.revenue is None:
        return "nothing says what the goal is worth"
    if target.measure in OF_COHORTS and journey.goals[0].within is None:
        return "the goal has no `within`"
    return not_measured(source, journey.goals[0])


def _judged(one: Reading) -> tuple[str, str]:
    value, measure = one.value, one.target.measure
    if value is None or one.holds is None:
        if one.rests >= ENOUGH:
            return "", "not judged: it has cost nothing"
        figure = f"{one.figure:f} of {one.rests:,}" if measure in RATES and one.rests else ""
        return figure, f"not judged: {one.rests:,} {one.unit}"
    holds = "holds" if one.holds else "MISSED"
    if measure in RATES or measure == "conversion":
        return f"{value:.2%}", holds
    if measure in ("cost", "revenue", "roi"):
        return f"{value:,.2f}", holds
    return f"{value:,f}", holds


def _entries(source: Source, journey: Journey, target: Target) -> int:
    number = source.number(journey)
    d = source.dialect
    window = ""
    if target.over is not None:
        window = f" AND r.entered_at > {d.parameter('now')} - {d.interval(target.over)}"
    found = source.query(
        f"SELECT count(*) FROM journey.run AS r WHERE r.journey = {number}"
        f" AND r.entered_at > {resumed(number)}{window}"
    )
    return int(found[0][0])
