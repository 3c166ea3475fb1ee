"""What pictures are made of besides the tables: ways between steps, and figures by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from journeylang.model.journey import Goal, Journey
from journeylang.pictures import settling
from journeylang.pictures.daily import Sent
from journeylang.pictures.flow import Way
from journeylang.pictures.settling import Look
from journeylang.report.experiments import Trial
from journeylang.report.groups import by_arm
from journeylang.report.messages import decided
from journeylang.report.outcomes import by_day
from journeylang.report.source import Source
from journeylang.sql.schema import CONTROL, EXITED, FINISHED, GONE, HELD_OUT, WHY

_OUTCOMES = {GONE: "gone from the base", HELD_OUT: "held out", CONTROL: "global control"}


def ways(source: Source, journey: Journey) -> list[Way]:
    """How many runs went from each step to each other, and how they ended."""
    ended = f"CASE WHEN r.status IN ({FINISHED}, {EXITED}) THEN r.reason END"
    moved = f"""t.journey = {source.number(journey)}
    AND t.why NOT IN ({WHY["held"]}, {WHY["retry"]})"""
    found = source.query(f"""WITH gone AS (
  SELECT t.from_step, t.to_step, CAST(NULL AS SMALLINT) AS status,
    CAST(NULL AS VARCHAR) AS reason, count(*) AS runs
  FROM journey.transition AS t
  WHERE {moved} AND t.to_step IS NOT NULL AND (t.from_step IS NULL OR t.to_step <> t.from_step)
  GROUP BY t.from_step, t.to_step
  UNION ALL
  SELECT t.from_step, NULL, r.status, {ended}, count(*)
  FROM journey.transition AS t LEFT JOIN journey.run AS r
    ON r.customer_id = t.customer_id AND r.run_id = t.run_id
  WHERE {moved} AND t.to_step IS NULL GROUP BY t.from_step, r.status, {ended}
)
SELECT f.path, o.path, g.to_step IS NULL, g.status, g.reason, sum(g.runs)
FROM gone AS g LEFT JOIN journey.step AS f ON f.step = g.from_step
LEFT JOIN journey.step AS o ON o.step = g.to_step
GROUP BY f.path, o.path, g.to_step IS NULL, g.status, g.reason""")
    listed = [
        Way(
            origin=origin,
            to=None if ended else to,
            outcome=_OUTCOMES.get(status, reason or "end") if ended else None,
            runs=int(runs),
        )
        for origin, to, ended, status, reason, runs in found
    ]
    return sorted(listed, key=lambda w: (w.origin or "", w.to or "", w.outcome or ""))


def sent(source: Source) -> list[Sent]:
    """Messages of all journeys by UTC day and channel."""
    names = {number: name for name, number in source.numbering.journeys.items()}
    messages: Counter[tuple[date, str, str]] = Counter()
    costs: dict[tuple[date, str, str], float] = {}
    for one in decided(source):
        key = one.day, names.get(one.journey, ""), one.channel
        messages[key] += one.messages
        if one.cost is not None:
            costs[key] = costs.get(key, 0.0) + float(one.cost)
    return [
        Sent(day=key[0], journey=key[1], channel=key[2], messages=n, cost=costs.get(key))
        for key, n in sorted(messages.items())
    ]


def looks(source: Source, journey: Journey, trial: Trial, goal: Goal) -> Iterator[Look]:
    """Day by day the share of the first goal in each arm against the control's."""
    assert trial.salt is not None
    groups = by_arm(source, journey, trial.path, trial.salt)
    days = [
        (one.day, one.arm, one.mature, one.reached)
        for one in by_day(source, journey, goal, groups)
        if one.mature and one.day is not None
    ]
    control, *others = (name for name, _ in trial.arms)
    return settling.looks(days, control, others)
