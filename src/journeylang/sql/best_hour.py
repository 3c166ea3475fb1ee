"""The hour of the day at which somebody opens most, on their own clock: from the ledger of opens.

Of equally frequent hours the earlier one. Who has opened nothing for a while is taken to be
like all others, and all others, if nobody has, to read at `BY_DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Iterable

from journeylang.classes import dataclass
from journeylang.plan.operations import (
    OPENS_COUNT,
    Edge,
    JourneyPlan,
    MomentPark,
    OpeningHour,
    Program,
)
from journeylang.plan.ways import leaves
from journeylang.sql.compiler import Compiler

BY_DEFAULT = 10

HOUR = "best"
"""The alias of the join that `joined` makes; its `hour` is NULL for who has opened nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestHourSql:
    """`everybody` {now} -> the hour of all customers; asked if somebody takes one of `ways`.

    `ways` are (journey, edge) that may lead to a wait for the best hour.
    """

    everybody: str
    ways: frozenset[tuple[int, int]]


def best_hour_sql(compiler: Compiler, program: Program) -> BestHourSql | None:
    """None if nobody waits for it."""
    found = [(plan, edge) for plan in program.journeys for edge in plan.edges]
    ways = _ways(found)
    if not ways:
        return None
    hour = f"SELECT hour FROM {_hours(compiler, _rule(found))} ORDER BY opens DESC, hour LIMIT 1"
    return BestHourSql(everybody=f"SELECT coalesce(({hour}), {BY_DEFAULT})", ways=frozenset(ways))


def joined(compiler: Compiler, taken: Iterable[tuple[JourneyPlan, Edge]]) -> str:
    """A join with the own hour of those among `going` who may come to such a wait."""
    taken = list(taken)
    at = " OR ".join(f"(g.journey = {j} AND g.edge = {edge})" for j, edge in _ways(taken))
    only = f"o.customer_id IN (SELECT g.customer_id FROM going AS g WHERE {at})"
    hours = _hours(compiler, _rule(taken), only=only)
    return (
        "\nLEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, hour"
        f" FROM {hours} ORDER BY customer_id, opens DESC, hour) AS {HOUR}"
        f" ON {HOUR}.customer_id = w.customer_id"
    )


def _hours(compiler: Compiler, rule: int, *, only: str = "") -> str:
    """(hour, opens), and customer_id with `only`: how often it was opened in which hour."""
    d = compiler.dialect
    now = d.parameter("now")
    since = f"{now} - {d.interval(OPENS_COUNT * 86_400)}"
    hour = f"extract(hour FROM {d.shift('o.at', 'z.shift')})"
    who, whose = ("o.customer_id, ", f" AND {only}") if only else ("", "")
    grouped = "1, 2" if only else "1"
    return (
        f"(SELECT {who}{hour} AS hour, count(*) AS opens FROM journey.message_event AS o"
        f" JOIN {compiler.base('timezone')} AS c ON c.customer_id = o.customer_id"
        f' JOIN zone_rule AS z ON z.zone = c."_zone" AND z.rule = {rule}'
        " AND o.at >= z.since AND o.at < z.until"
        f" WHERE o.name = 'opened' AND o.at <= {now} AND o.at > {since}{whose}"
        f" GROUP BY {grouped}) AS h"
    )


def _ways(edges: Iterable[tuple[JourneyPlan, Edge]]) -> list[tuple[int, int]]:
    found, waits = [], {}
    for plan, edge in edges:
        if plan.journey not in waits:
            waits[plan.journey] = {p.step for p in _waits(plan)}
        mine = waits[plan.journey]
        if mine and any(leaf.step in mine for leaf in leaves(edge.node)):
            found.append((plan.journey, edge.edge))
    return found


def _rule(edges: Iterable[tuple[JourneyPlan, Edge]]) -> int:
    """There is one clock on which all past hours are counted."""
    hours = (park.moment for plan, _ in edges for park in _waits(plan))
    return next(hour.past for hour in hours if isinstance(hour, OpeningHour))


def _waits(plan: JourneyPlan) -> list[MomentPark]:
    parks = (p for p in plan.parks if isinstance(p, MomentPark))
    return [p for p in parks if isinstance(p.moment, OpeningHour)]
