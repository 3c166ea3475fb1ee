"""KPIs and guards: each figure beside what it has to be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from journeylang.model.journey import Journey
from journeylang.model.measures import OF_COHORTS, OF_GOALS, RATES, Target
from journeylang.plan.build import build
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.results import results
from journeylang.plan.ways import TooManyWaysError
from journeylang.report.groups import entries
from journeylang.report.outcomes import not_measured
from journeylang.report.source import Source
from journeylang.report.tables import Table, text
from journeylang.runtime.pauses import ENOUGH_SENDS, written
from journeylang.runtime.results import ENOUGH_CUSTOMERS
from journeylang.sql.pauses import figure, resumed
from journeylang.sql.results import result

_NOTE = (
    "Measured as guards are: behind the last resume, in the target's own window up to now. Shares"
    f" of fewer than {ENOUGH_SENDS} messages or {ENOUGH_CUSTOMERS} customers are not judged."
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
        return _judged(target, Decimal(_entries(source, journey, target)))
    if target.measure not in OF_GOALS:
        journey_number = source.number(journey)
        statement = figure(source.dialect, journey_number, number, target)
        _, _, messages, found, _ = source.query(statement)[0]
        if target.measure not in RATES:
            return _judged(target, Decimal(found))
        return _share(target, Decimal(found), Decimal(messages), ENOUGH_SENDS, "messages")
    if (why := _stands_in_the_way(source, journey, plan, target)) is not None:
        return "", f"not measured: {why}"
    assert plan is not None
    since = entries(source, journey)[2]
    _, rests, found, of = source.query(result(source.compiler, plan, number, since))[0]
    if target.measure not in OF_COHORTS:
        return _judged(target, Decimal(found))
    if rests < ENOUGH_CUSTOMERS:
        return "", f"not judged: {rests:,} customers"
    if not Decimal(of):
        return "", "not judged: it has cost nothing"
    return _judged(target, Decimal(found) / Decimal(of))


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


def _share(target: Target, found: Decimal, of: Decimal, enough: int, what: str) -> tuple[str, str]:
    if of < enough:
        return f"{found:f} of {of:,}" if of else "", f"not judged: {of:,} {what}"
    return _judged(target, found / of)


def _judged(target: Target, found: Decimal) -> tuple[str, str]:
    holds = "holds" if target.holds(found) else "MISSED"
    if target.measure in RATES or target.measure == "conversion":
        return f"{found:.2%}", holds
    if target.measure in ("cost", "revenue", "roi"):
        return f"{found:,.2f}", holds
    return f"{found:,f}", holds


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
