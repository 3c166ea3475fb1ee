"""Where the people of a journey are now, at the nodes of its chart."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.plan.chart import Chart
from journeylang.sql.dialects import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """`told` by the name of a node: `412 now`, `1,204 in all`. `now` is the last tick's.

    `elsewhere`: runs that rest at steps which the chart has not, those of another version.
    """

    now: datetime
    told: dict[str, str]
    elsewhere: int


def live(engine: Engine, chart: Chart) -> Live | None:
    """None of a database in which nothing has run.

    An exit is told how many took it only if the chart has its reason once: runs know the reason
    alone.
    """
    if engine.columns(("journey", "lock")) is None:
        return None
    now: datetime = engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")[0][0]
    found = engine.query(
        "SELECT r.status, r.step, r.reason, count(*) FROM journey.runs AS r"
        f" WHERE r.journey = {text(chart.title)} GROUP BY r.status, r.step, r.reason"
    )
    here, ended = Counter[str](), Counter[str]()
    for status, step, reason, runs in found:
        if status == "active":
            here[step or ""] += runs
        elif status in ("finished", "exited"):
            ended[reason or "end"] += runs
        else:
            ended[status] += runs
    entered = here.total() + ended.total()
    reasons = Counter(node.reason for node in chart.nodes if node.reason is not None)
    told = {chart.nodes[0].name: f"{entered:,} in all"}
    for node in chart.nodes:
        if node.path is not None:
            told[node.name] = f"{here.pop(node.path, 0):,} now"
        elif node.reason is not None and reasons[node.reason] == 1:
            told[node.name] = f"{ended[node.reason]:,} in all"
    return Live(now=now, told=told, elsewhere=here.total())
