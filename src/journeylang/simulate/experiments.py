"""What the experiments of a dry run could tell: how many are exposed, and what would be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from journeylang.analysis.power import needed
from journeylang.engines.base import Engine, StatementError
from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Experiment, Factors, Goal, Journey
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.pictures.settling import Tally
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.program import Ready
from journeylang.simulate.forecast import Arm, Power, estimate
from journeylang.simulate.population import SCHEMA
from journeylang.sql.aggregates import awaited
from journeylang.sql.caps import span_of_time
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows
from journeylang.stats.power import smallest_rise
from journeylang.stats.refusals import Refusal

LIFTS = (0.05, 0.1, 0.2)

_EXPOSED = """SELECT x.arm, count(*) FROM journey.exposure AS x
WHERE x.experiment = $step AND x.salt = $salt{but} GROUP BY x.arm"""
_FIRST = """SELECT min(x."at") FROM journey.exposure AS x
WHERE x.experiment = $step AND x.salt = $salt"""
_BUT_BEFORE = f""" AND NOT EXISTS (SELECT 1 FROM {SCHEMA}.exposed AS b
  WHERE b.customer_id = x.customer_id AND b.experiment = x.experiment AND b.salt = x.salt)"""

Tried = tuple[str, int, str, str | None, Goal | None]
"""Path, number, salt, control arm and goal, if there is one."""


def powers(
    engine: Engine,
    project: Project,
    ready: Ready,
    numbers: Mapping[tuple[str, str], int],
    *,
    start: datetime,
    end: datetime,
    share: float,
) -> Iterator[Power]:
    """Each hold-out and experiment, by journey; only a goal with a window tells of its power."""
    compiler = Compiler(project=project, dialect=engine.dialect, steps=numbers)
    days = (end - start).total_seconds() / 86_400
    for plan in sorted(ready.program.journeys, key=lambda p: p.name):
        journey = project.journeys[plan.name]
        for tried in _tried(engine, plan, journey, numbers):
            found = _power(engine, compiler, journey, tried, days, end, share)
            if found is not None:
                yield found


def _tried(
    engine: Engine, plan: JourneyPlan, journey: Journey, numbers: Mapping[tuple[str, str], int]
) -> Iterator[Tried]:
    main = journey.goals[0] if journey.goals else None
    if journey.holdout is not None or plan.control is not None:
        salts = engine.query(
            "SELECT DISTINCT salt FROM plan_version WHERE holdout_step = $step",
            {"step": plan.holdout_step},
        )
        yield "holdout", plan.holdout_step, salts[0][0], "held_out", main
    for step in steps(journey.body):
        if isinstance(step, Experiment):
            goal = step.goal or main
            control = next((a.name for a in step.arms if a.control), None)
            yield step.path, numbers[plan.name, step.path], step.salt, control, goal
        elif isinstance(step, Factors):
            goal = step.goal or main
            for factor in step.factors:
                first = factor.arms[0][0]
                yield factor.path, numbers[plan.name, factor.path], factor.value.salt, first, goal


def _power(
    engine: Engine,
    compiler: Compiler,
    journey: Journey,
    tried: Tried,
    days: float,
    end: datetime,
    share: float,
) -> Power | None:
    path, step, salt, control, goal = tried
    before = engine.query(f"SELECT 1 FROM {SCHEMA}.exposed LIMIT 1")
    newly = _EXPOSED.format(but=_BUT_BEFORE if before else "")
    exposed = dict(engine.query(newly, {"step": step, "salt": salt}))
    within = goal.within if goal is not None else None
    by_day: tuple[Tally, ...] = ()
    [[first]] = engine.query(_FIRST, {"step": step, "salt": salt})
    if goal is not None and within is not None and first is not None:
        # A goal that asks for a ranking, which stands in tables of a tick, is not judged.
        with suppress(StatementError):
            found = engine.query(_outcomes(compiler, step, salt, goal, first), {"now": end})
            by_day = tuple((day, arm, int(n), int(k)) for arm, day, n, k in found)
    judged = _together(by_day)
    names = sorted(set(exposed) | set(judged), key=lambda arm: (arm != control, arm))
    if not names:
        return None
    sizes: dict[str, int] = {name: exposed.get(name, 0) for name in names}
    base = control if control in sizes else names[0]
    of, reached = judged.get(base, (0, 0))
    rate = reached / of if of else None
    other = max((n for n in names if n != base), key=lambda n: sizes[n], default=None)
    both = sizes[base] + (sizes[other] if other is not None else 0)
    a_day = both / days / share
    lifts: list[tuple[float, int, float | None]] = []
    smallest = None
    tells = rate is not None and 0 < rate < 1 and other is not None and 0 < sizes[base] < both
    if tells and rate is not None and within is not None:
        ratio = sizes[base] / both
        lifts = [_days(rate, lift, ratio, a_day, within) for lift in LIFTS if _fits(rate, lift)]
        rise = smallest_rise(rate, customers=round(both / share), share_of_control=ratio)
        smallest = None if isinstance(rise, Refusal) else rise / rate
    return Power(
        journey=journey.name,
        experiment=path,
        goal=_told(goal),
        arms=tuple(_arm(name, sizes[name], judged.get(name, (0, 0)), share) for name in names),
        rate=rate,
        windowed=within is not None,
        a_day=a_day,
        lifts=tuple(lifts),
        smallest=smallest,
        by_day=by_day,
    )


def _together(by_day: tuple[Tally, ...]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for _, arm, n, reached in by_day:
        before = found.get(arm, (0, 0))
        found[arm] = before[0] + n, before[1] + reached
    return found


def _outcomes(compiler: Compiler, step: int, salt: str, goal: Goal, first: datetime) -> str:
    """{now} -> (arm, UTC day, how many, of them converted), of all whose window has passed.

    Runs are looked at only of those who have an event of the goal at all; nobody was exposed before
    `first`.
    """
    d = compiler.dialect
    assert goal.within is not None, "asked before"
    window = d.interval(goal.within)
    joined, about, asked = awaited(goal.event, goal.where, compiler.scope(Rows(name="begun")))
    run = """, r.entered_at, r.entry FROM over AS j
  JOIN journey.run AS r ON r.customer_id = j.customer_id AND r.run_id = j.run_id"""
    if goal.where is None and isinstance(goal.event, BoundEvent):
        # Nothing is asked of the run.
        run = " FROM over AS j"
    times = [
        f'e."_at" > {d.instant(first)}',
        'e."_at" > w.exposed_at',
        f'e."_at" <= w.exposed_at + {window}',
    ]
    return f"""WITH over AS (
  SELECT x.customer_id, x.run_id, x.arm, x."at" AS exposed_at FROM journey.exposure AS x
  WHERE x.experiment = {step} AND x.salt = {text(salt)}
    AND x."at" + {window} <= {d.parameter("now")}
), begun AS (
  SELECT j.*{run}
), reached AS (
  SELECT DISTINCT w.customer_id, w.arm, CAST(w.exposed_at AS DATE) AS day FROM {joined}
  WHERE {" AND ".join([*times, *about, *asked])}
)
SELECT k.arm, k.day, sum(k.n), sum(k.reached) FROM (
  SELECT arm, CAST(exposed_at AS DATE) AS day, count(*) AS n, 0 AS reached FROM over
  GROUP BY arm, CAST(exposed_at AS DATE)
  UNION ALL SELECT arm, day, 0, count(*) FROM reached GROUP BY arm, day
) AS k GROUP BY k.arm, k.day ORDER BY k.day, k.arm"""


def _told(goal: Goal | None) -> str:
    if goal is None:
        return ""
    window = f" within {span_of_time(goal.within)}" if goal.within is not None else ""
    return f"{goal.event.name}{window}"


def _arm(name: str, exposed: int, judged: tuple[Any, Any], share: float) -> Arm:
    return Arm(
        name=name,
        exposed=estimate(exposed, exposed, share),
        judged=judged[0],
        reached=judged[1],
    )


def _fits(rate: float, lift: float) -> bool:
    return rate * (1 + lift) < 1


def _days(
    rate: float, lift: float, ratio: float, a_day: float, within: int
) -> tuple[float, int, float | None]:
    """With the days until so many customers have come, and the time of the last of them is over."""
    customers = needed(rate, rate * (1 + lift), share_of_control=ratio)
    return lift, customers, customers / a_day + within / 86_400 if a_day else None
