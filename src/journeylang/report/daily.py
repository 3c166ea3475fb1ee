"""What pictures are made of besides the tables: ways between steps, and figures by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from journeylang.model.journey import Goal, Journey
from journeylang.pictures.daily import Sent
from journeylang.pictures.flow import Way
from journeylang.report.experiments import Trial
from journeylang.report.groups import by_arm
from journeylang.report.outcomes import Outcome, outcomes
from journeylang.report.source import Source
from journeylang.sql.schema import CONTROL, EXITED, FINISHED, GONE, HELD_OUT, WHY
from journeylang.stats import sequences
from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Sample

_OUTCOMES = {GONE: "gone from the base", HELD_OUT: "held out", CONTROL: "global control"}


def ways(source: Source, journey: Journey) -> list[Way]:
    """How many runs went from each step to each other, and how they ended."""
    found = source.query(f"""WITH gone AS (
  SELECT t.from_step, t.to_step, r.status,
    CASE WHEN r.status IN ({FINISHED}, {EXITED}) THEN r.reason END AS reason, count(*) AS runs
  FROM journey.transition AS t LEFT JOIN journey.run AS r ON t.to_step IS NULL
    AND r.customer_id = t.customer_id AND r.run_id = t.run_id
  WHERE t.journey = {source.number(journey)} AND t.why NOT IN ({WHY["held"]}, {WHY["retry"]})
    AND (t.to_step IS NULL OR t.from_step IS NULL OR t.to_step <> t.from_step)
  GROUP BY t.from_step, t.to_step, r.status,
    CASE WHEN r.status IN ({FINISHED}, {EXITED}) THEN r.reason END
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
    found = source.query("""SELECT CAST(m.decided_at AS DATE), m.journey, m.channel, count(*),
  sum(m.cost) FROM journey.message AS m WHERE m.action IS NULL
GROUP BY CAST(m.decided_at AS DATE), m.journey, m.channel""")
    listed = [
        Sent(
            day=day,
            journey=names.get(journey, ""),
            channel=channel,
            messages=messages,
            cost=None if cost is None else float(cost),
        )
        for day, journey, channel, messages, cost in found
    ]
    return sorted(listed, key=lambda one: (one.day, one.journey, one.channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An arm against its control, by all who met the experiment up to a day and are mature."""

    day: date
    arm: str
    customers: int
    found: Comparison


def looks(source: Source, journey: Journey, trial: Trial, goal: Goal) -> Iterator[Look]:
    """Day by day the share of the first goal in each arm against the control's.

    Intervals are those of the confidence sequence, which may be looked at on every day.
    """
    assert trial.salt is not None
    period = source.dialect.as_text("CAST(w.exposed_at AS DATE)")
    found = outcomes(source, journey, goal, by_arm(source, journey, trial.path, trial.salt), period)
    of: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for one in found:
        if one.mature and one.part is not None:
            of[one.part][one.arm] = one
    control, *others = (name for name, _ in trial.arms)
    mature: dict[str, int] = defaultdict(int)
    reached: dict[str, int] = defaultdict(int)
    for part in sorted(of):
        for one in of[part].values():
            mature[one.arm] += one.mature
            reached[one.arm] += one.reached
        for arm in others:
            both = (control, arm)
            if not all(mature[name] for name in both):
                continue
            sums = [Sample(n=mature[n], total=reached[n], squares=reached[n]) for n in both]
            seen = sequences.compare(sums[0], sums[1], conversions=(reached[control], reached[arm]))
            if isinstance(seen, Comparison):
                day = date.fromisoformat(part)
                yield Look(day=day, arm=arm, customers=mature[control] + mature[arm], found=seen)
