"""Would targets be met: `kpi` and `guard` of each journey, and budgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal

from journeylang.engines.base import Engine
from journeylang.model.journey import Journey
from journeylang.model.measures import OF_COHORTS, OF_GOALS, RATES, Target
from journeylang.model.project import Project
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.results import results as asked_results
from journeylang.runtime.numbers import numbering
from journeylang.runtime.pauses import shown
from journeylang.runtime.program import Ready
from journeylang.runtime.readings import Reading, of_messages
from journeylang.runtime.results import measured, results
from journeylang.simulate.figures import Figures
from journeylang.simulate.forecast import Forecast, Verdict
from journeylang.simulate.population import SCHEMA
from journeylang.sql.caps import span_of_time
from journeylang.sql.compiler import Compiler
from journeylang.sql.pauses import figure


def verdicts(
    engine: Engine,
    project: Project,
    ready: Ready,
    figures: Figures,
    *,
    end: datetime,
) -> Iterator[Verdict]:
    """Every target of the journeys that ran, in the order of their names."""
    paused = _paused(engine)
    lost = figures.not_sent_for("budget")
    steps = {plan.name: plan for plan in ready.program.journeys}
    compiler = Compiler(project=project, dialect=engine.dialect, steps=numbering(engine).steps)
    for name, plan in sorted(steps.items()):
        journey = project.journeys[name]
        for kpi in journey.kpis:
            yield _kpi(engine, compiler, plan, journey, kpi, end)
        yield from _guards(plan, paused.get(plan.journey, []))
        if plan.journey in lost:
            yield Verdict(
                kind="budget",
                journey=name,
                target="budget",
                met=False,
                figure=f"{lost[plan.journey].value:,.0f} messages not sent for want of it",
                span=journey.span,
            )


def within_budget(forecast: Forecast, most: Decimal, currency: str) -> Verdict:
    """Whether all messages together cost no more than that."""
    cost = forecast.costs.get(currency, Decimal(0))
    return Verdict(
        kind="budget",
        journey=None,
        target=f"budget {most:f} {currency} for all",
        met=cost <= most,
        figure=f"{cost:,.2f} {currency}",
    )


def _paused(engine: Engine) -> dict[int, list[tuple[datetime, str]]]:
    """When guards have paused journeys, and why."""
    found: dict[int, list[tuple[datetime, str]]] = {}
    rows = engine.query(
        "SELECT p.journey, p.since, p.detail FROM journey.pause AS p WHERE p.cause = 'guard'"
        f" AND NOT EXISTS (SELECT 1 FROM {SCHEMA}.paused AS b WHERE b.journey = p.journey"
        " AND b.since = p.since) ORDER BY p.since"
    )
    for journey, since, detail in rows:
        found.setdefault(journey, []).append((since, detail))
    return found


def _guards(plan: JourneyPlan, broken: list[tuple[datetime, str]]) -> Iterator[Verdict]:
    left = list(broken)
    for guard in plan.guards:
        words = shown(guard)
        hits = [one for one in left if one[1].startswith(words)]
        left = [one for one in left if one not in hits]
        at, figure_ = hits[0] if hits else (None, "")
        yield Verdict(
            kind="guard",
            journey=plan.name,
            target=words,
            met=not hits,
            figure=figure_.removeprefix(f"{words}: "),
            at=at,
            span=guard.span,
        )
    for at, detail in left:
        yield Verdict(
            kind="guard",
            journey=plan.name,
            target="guard against unusual entries",
            met=False,
            figure=detail,
            at=at,
            span=plan.span,
        )


def _kpi(
    engine: Engine,
    compiler: Compiler,
    plan: JourneyPlan,
    journey: Journey,
    kpi: Target,
    end: datetime,
) -> Verdict:
    one = _measured(engine, compiler, plan, journey, kpi, end)
    words = shown(kpi).replace("guard", "kpi", 1)
    if kpi.by is not None:
        words += f" by {kpi.by}"
    later = kpi.by is not None and datetime.combine(kpi.by, time()) > end
    value = one.value
    if kpi.measure in RATES:
        told = f"{value:.2%} of {one.rests:,} messages" if value is not None else "no messages"
    elif kpi.measure in OF_COHORTS:
        told = (
            "not known" if value is None else f"{value:.{'2f' if kpi.measure == 'roi' else '2%'}}"
        )
        told += f" of {one.rests:,} customers whose time is over"
    else:
        unit = f" {kpi.currency}" if kpi.currency else ""
        told = f"{one.figure.normalize():,f}{unit}"
    if kpi.over is not None:
        told += f" in the last {span_of_time(kpi.over)}"
    # What is still to come may mend a floor, and break nothing that is a ceiling.
    met = None if later and kpi.is_floor and not one.holds else one.holds
    return Verdict(
        kind="kpi", journey=journey.name, target=words, met=met, figure=told, span=kpi.span
    )


def _measured(
    engine: Engine,
    compiler: Compiler,
    plan: JourneyPlan,
    journey: Journey,
    kpi: Target,
    end: datetime,
) -> Reading:
    now = {"now": end}
    asking = replace(
        plan,
        guards=(kpi,),
        results=asked_results(compiler.project, replace(journey, guards=(kpi,))),
    )
    if kpi.measure in OF_GOALS:
        found = measured(compiler, asking)
        assert found is not None
        rows = results({plan.journey: found}, [plan.journey], lambda sql: engine.query(sql, now))
        rests, amount, of = rows[plan.journey, 0]
        return Reading(target=kpi, rests=rests, figure=amount, of=of)
    if kpi.measure == "entries":
        over = f" AND r.entered_at > $now - {engine.dialect.interval(kpi.over)}" if kpi.over else ""
        [[count]] = engine.query(
            f"SELECT count(*) FROM journey.run AS r WHERE r.journey = {plan.journey}"
            f" AND r.entered_at <= $now{over}",
            now,
        )
        return Reading(target=kpi, rests=count, figure=Decimal(count))
    [[_, _, messages, amount, _]] = engine.query(figure(engine.dialect, plan.journey, 0, kpi), now)
    return of_messages(kpi, messages, Decimal(amount))
