"""Who came, where they have been, where they are, and what was not sent."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from journeylang.model.journey import Journey
from journeylang.plan.numbering import step_paths
from journeylang.report.been import Been, Met, been, met
from journeylang.report.groups import entries
from journeylang.report.messages import decided
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Table, amount, count, share, text
from journeylang.sql.schema import ACTIVE, CONTROL, EXITED, FINISHED, GONE, HELD_OUT

_ENTERED = {
    ACTIVE: "still inside",
    FINISHED: "came to the end",
    EXITED: "left by an exit",
    GONE: "gone from the base",
    HELD_OUT: "held out",
    CONTROL: "in the global control group",
}

_NO_STEPS = {"holdout", "experiment", "repeat"}


_CAME = (
    "Runs that came to a step, each once. Sent are all messages decided there; what became of them"
    " stands below."
)


def overview(source: Source, journey: Journey) -> Table:
    """Runs by how they stand: who re-enters counts again."""
    ended = f"CASE WHEN r.status IN ({FINISHED}, {EXITED}) THEN r.reason END"
    entered, customers, _ = entries(source, journey)
    # Where nobody has come twice, customers need not be told apart.
    different = "count(DISTINCT r.customer_id)" if entered > customers else "count(*)"
    found = source.query(f"""SELECT r.status, {ended}, count(*), {different}
FROM journey.run AS r WHERE r.journey = {source.number(journey)} GROUP BY r.status, {ended}""")
    found.sort(key=lambda row: (row[0], -row[2], row[1] or ""))
    return Table(
        name="entries",
        title="entries",
        columns=(
            text("state", ""),
            text("reason"),
            count("runs"),
            count("customers"),
            share("part"),
        ),
        rows=(
            ("entered", None, entered, customers, None),
            *(
                (_ENTERED[status], reason, runs, customers, runs / entered)
                for status, reason, runs, customers in found
            ),
        ),
        notes=("A run is one enrolment: a customer who comes again counts again.",),
    )


def funnel(source: Source, journey: Journey, seen: Been | None = None) -> Table:
    """Per step how many runs came there, and what was decided there, in the order written.

    A step that stands under several versions is one.
    """
    seen = been(source, journey) if seen is None else seen
    number = source.number(journey)
    here: Counter[str] = Counter()
    for path, runs in source.query(f"""SELECT s.path, count(*) FROM journey.run AS r
JOIN journey.step AS s ON s.step = r.step
WHERE r.journey = {number} AND r.status = {ACTIVE} GROUP BY s.path"""):
        here[path] += runs
    refused: Counter[str] = Counter()
    for path, _, times, _ in _lost(source, journey):
        refused[path] += times
    sent: Counter[str] = Counter()
    cost: dict[str, Decimal] = {}
    for one in decided(source, journey):
        sent[one.path] += one.messages
        if one.cost is not None:
            cost[one.path] = cost.get(one.path, Decimal(0)) + one.cost
    rows = []
    for path, kind in step_paths(journey):
        if kind in _NO_STEPS or (journey.name, path) not in source.numbering.steps:
            continue
        said = (sent[path], refused[path]) if kind == "send" else (None, None)
        came = (seen.runs[path], seen.customers[path])
        rows.append((path, kind, *came, *said, here[path], cost.get(path)))
    return Table(
        name="funnel",
        title="steps",
        columns=(
            text("step"),
            text("kind"),
            count("runs"),
            count("customers"),
            count("decided", "sent"),
            count("not_sent"),
            count("here", "there now"),
            amount("cost"),
        ),
        rows=tuple(rows),
        notes=(_CAME,),
    )


def by_arm(source: Source, journey: Journey, seen: Been | None = None) -> list[Table]:
    """Per experiment, the customers who came to each step behind it, by arm."""
    seen = been(source, journey) if seen is None else seen
    tables = [_steps_by_arm(journey, one, seen) for one in met(journey)]
    return [table for table in tables if table.rows]


def _steps_by_arm(journey: Journey, tried: Met, seen: Been) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for path, kind in step_paths(journey):
        counts = [seen.behind[tried.path, arm, path] for arm in tried.arms]
        if kind not in _NO_STEPS and any(counts):
            rows.append((path, *counts))
    return Table(
        name=f"steps_by_arm:{tried.path}",
        title=f"customers per step, by arm of {tried.path}",
        columns=(text("step"), *(count(arm, arm) for arm in tried.arms)),
        rows=tuple(rows),
    )


def _lost(source: Source, journey: Journey) -> list[tuple[Any, ...]]:
    """(path or None at the entry, reason, times, customers)."""
    return source.once(f"""SELECT s.path, d.reason, count(*), count(DISTINCT d.customer_id)
FROM journey.decision AS d LEFT JOIN journey.step AS s ON s.step = d.step
WHERE d.journey = {source.number(journey)} GROUP BY s.path, d.reason""")


def losses(source: Source, journey: Journey) -> Table:
    """What was not sent and who did not enter, by the first rule that said no."""
    found = list(_lost(source, journey))
    order = {path: place for place, (path, _) in enumerate(step_paths(journey))}
    found.sort(key=lambda row: (order.get(row[0], -1), -row[2], row[1]))
    return Table(
        name="losses",
        title="not sent, by reason",
        columns=(text("step"), text("reason"), count("times"), count("customers")),
        rows=tuple((path or "(entry)", *rest) for path, *rest in found),
    )
