"""Which channel leads to the goals, over all journeys: keep, watch, drop."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from journeylang.model.journey import Goal, Journey
from journeylang.report.compared import Question, judged
from journeylang.report.messages import sent as of_journey
from journeylang.report.outcomes import not_measured
from journeylang.report.source import Source
from journeylang.report.sums import asks_of_run
from journeylang.report.tables import Cell, Column, Kind, Table, amount, count, share, text
from journeylang.sql.aggregates import awaited
from journeylang.sql.expressions import Rows
from journeylang.stats import proportions
from journeylang.stats.comparison import Comparison, Lift, Verdict
from journeylang.stats.moments import Rate

_CALLED = {Verdict.HIGHER: "keep", Verdict.LOWER: "drop", Verdict.UNDECIDED: "watch"}

_NOTE = (
    "Of messages whose goal's window is over: whether their customer had an event of the journey's"
    " first goal in it. The lift is over all other channels together. Whom a channel reaches"
    " differs too, so this is a hint and no proof: `send best of`, or an experiment, finds out."
    " Keep, drop, watch: higher, lower, undecided, after Holm."
)


def effects(source: Source, journeys: Sequence[Journey]) -> Table:
    """Per channel: messages that may be judged, goals, cost, and the lift over the others."""
    sent: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    cost: dict[str, Decimal] = defaultdict(Decimal)
    for journey in journeys:
        goal = next(iter(journey.goals), None)
        if goal is None or goal.within is None or not_measured(source, goal) is not None:
            continue
        for channel, messages, hits, spent in source.query(_statement(source, journey, goal)):
            sent[channel] += messages
            reached[channel] += hits
            cost[channel] += Decimal(spent)
    names = sorted(sent)
    whole = Rate(n=sent.total(), hits=reached.total())
    rates = {name: Rate(n=sent[name], hits=reached[name]) for name in names}
    others = {
        name: Rate(n=whole.n - own.n, hits=whole.hits - own.hits) for name, own in rates.items()
    }
    found = {
        one.name: one.found
        for one in judged([(name, _against(others[name], rates[name])) for name in names])
    }
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        one = found[name]
        lift = one.lift if isinstance(one, Comparison) and isinstance(one.lift, Lift) else None
        rows.append(
            (
                name,
                sent[name],
                reached[name],
                reached[name] / sent[name],
                cost[name],
                cost[name] / reached[name] if reached[name] else None,
                None if lift is None else lift.estimate,
                None if lift is None else lift.interval,
                _CALLED[one.verdict] if isinstance(one, Comparison) else "watch",
            )
        )
    return Table(
        name="effects",
        title="channels and the goals behind them",
        columns=(
            text("channel"),
            count("messages"),
            count("reached"),
            share("share"),
            amount("cost"),
            amount("cost_per_goal", "per goal"),
            Column(name="lift", title="lift", kind=Kind.LIFT),
            Column(name="lift_interval", title="interval", kind=Kind.LIFT),
            text("call", ""),
        ),
        rows=tuple(rows),
        notes=(_NOTE if rows else "No message of a journey with a goal can be judged yet.",),
    )


def _against(control: Rate, own: Rate) -> Question:
    return lambda level: proportions.compare(control, own, level=level)


def _statement(source: Source, journey: Journey, goal: Goal) -> str:
    """{now} -> (channel, messages, of them followed by the goal, cost)."""
    d = source.dialect
    assert goal.within is not None
    window = d.interval(goal.within)
    scope = source.compiler.scope(Rows(name="begun"))
    joined, about, asked = awaited(goal.event, goal.where, scope)
    conditions = ['e."_at" > w.first_at', f'e."_at" <= {d.parameter("now")}', *about, *asked]
    where = " AND ".join(conditions)
    # Of a join by two columns that belong together PostgreSQL expects one row, and would go through
    # the messages once for each of a million. So runs are joined only if the goal asks of them, and
    # to the left: then no message can be lost, and it expects as many. And which event comes next
    # behind a message is told by their order, and not by a join.
    run, joined_run = "", ""
    if asks_of_run(f"{joined} {where}"):
        run = ", r.entered_at, r.entry"
        joined_run = """
  LEFT JOIN journey.run AS r ON r.customer_id = m.customer_id AND r.run_id = m.run_id"""
    of_run = run.replace("r.", "j.")
    return f"""WITH judged AS (
  SELECT m.customer_id, m.message_id, m.run_id, m.channel, m.cost, m.decided_at{run}
  FROM {of_journey(source, journey)} AS m{joined_run}
  WHERE m.decided_at + {window} <= {d.parameter("now")}
), begun AS (
  SELECT j.customer_id, j.run_id{of_run}, min(j.decided_at) AS first_at
  FROM judged AS j GROUP BY j.customer_id, j.run_id{of_run}
), reached AS (
  SELECT w.customer_id, w.run_id, e."_at" AS reached_at FROM {joined} WHERE {where}
), ordered AS (
  SELECT k.*, min(k.reached_at) OVER (PARTITION BY k.customer_id, k.run_id
    ORDER BY k."at" DESC, k.later ROWS UNBOUNDED PRECEDING) AS next_at
  FROM (SELECT j.customer_id, j.run_id, j.channel, j.cost, j.decided_at AS "at",
      CAST(NULL AS TIMESTAMP) AS reached_at, 0 AS later FROM judged AS j
    UNION ALL
    SELECT k.customer_id, k.run_id, NULL, NULL, k.reached_at, k.reached_at, 1 FROM reached AS k
  ) AS k
)
SELECT o.channel, count(*), count(CASE WHEN o.next_at <= o."at" + {window} THEN 1 END),
  coalesce(sum(o.cost), 0)
FROM ordered AS o WHERE o.later = 0 GROUP BY o.channel ORDER BY o.channel"""
