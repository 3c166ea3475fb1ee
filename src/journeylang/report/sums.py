"""The statement behind outcomes: what each customer of a group did, summed by group."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.binding import Event
from journeylang.model.expressions import Aggregate, BoundEvent, EventSource, Expression
from journeylang.model.journey import Goal, Journey, Send
from journeylang.model.steps import steps
from journeylang.model.types import NUMBER
from journeylang.plan.results import results_of
from journeylang.report.groups import Groups
from journeylang.report.messages import sent
from journeylang.report.source import Source
from journeylang.sql.aggregates import awaited, event_fields
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Rows, value
from journeylang.sql.relations import customers, may_repeat

_OF_A_RUN = re.compile(r"\bw\.(run_id|entered_at|entry)\b")
"""What a condition asks of the run itself, and not only of its customer."""


@dataclass(slots=True, kw_only=True)
class Pass:
    """One scan of an event, and which of its fields are summed, by the names of the sums."""

    event: EventSource
    where: Expression | None
    sums: dict[str, str] = field(default_factory=dict)


def statement(
    source: Source,
    journey: Journey,
    goal: Goal,
    groups: Groups,
    by: Expression | None,
    *,
    worth: bool,
) -> str:
    """{now} -> one row per group, part and UTC day of the exposure.

    Customers, mature, and of these reached, events, value, its squares, the events' squares, their
    products with the value, messages and their cost; with `worth` besides goods, offers, what is
    left, its squares, and what acquiring these customers has cost.
    """
    d = source.dialect
    window = None if goal.within is None else d.interval(goal.within)
    mature, ends = "TRUE", ""
    if window is not None:
        mature = f"w.exposed_at + {window} <= {d.parameter('now')}"
        ends = f" AND m.decided_at <= w.exposed_at + {window}"
    part, joins = _parts(source, by)
    passes = _passes(source, journey, goal, worth=worth)
    # Only those whose window is over are judged: nothing is looked up of the others.
    scans = [_scan(source, one, goal.within, groups) for one in passes]
    joined = "".join(
        f"\n  LEFT JOIN p{number} ON p{number}.customer_id = u.customer_id"
        for number in range(len(passes))
    )

    def each(name: str) -> str:
        """A sum per customer: 0 of whom nothing is known."""
        found = [f"coalesce(p{n}.{name}, 0)" for n, one in enumerate(passes) if name in one.sums]
        return " + ".join(found) or "0"

    acquired, acquisition = _acquired(source) if worth else ("", "0")
    if acquired:
        joined += "\n  LEFT JOIN acquired AS a ON a.customer_id = u.customer_id"
    asks = any(_OF_A_RUN.search(scan) for scan in (*scans, part, joins, acquired))
    number = d.column_type(NUMBER)

    def squares(name: str) -> str:
        value = f"CAST(e.{name} AS {number})"
        return f"coalesce(sum({value} * {value}), 0)"

    during = f"m.decided_at >= w.exposed_at{ends}"
    sums = f"""count(*) AS customers, count(*) FILTER (WHERE e.mature) AS mature,
  count(*) FILTER (WHERE e.events > 0) AS reached, coalesce(sum(e.events), 0) AS events,
  coalesce(sum(e.value), 0) AS value, {squares("value")} AS value2,
  {squares("events")} AS events2,
  coalesce(sum(CAST(e.events AS {number}) * CAST(e.value AS {number})), 0) AS crossed"""
    head = f"""WITH entered AS ({groups.rows(asks)}
), begun AS (
  SELECT w.* FROM entered AS w WHERE {mature}
), unit AS (
  SELECT w.customer_id, w.arm, w.exposed_at, {mature} AS mature, {part} AS part
  FROM entered AS w{joins}
){"".join(f", p{n} AS ({scan})" for n, scan in enumerate(scans))}"""
    day = "CAST(u.exposed_at AS DATE) AS day"
    every = f"""SELECT u.arm, u.part, {day}, u.mature, coalesce(p0.events, 0) AS events,
    {each("value")} AS value"""
    if not worth:
        # What was sent is summed by group at once; nobody's own sum is asked for.
        return f"""{head}, every AS (
  {every}
  FROM unit AS u{joined}
), summed AS (
  SELECT e.arm, e.part, e.day, {sums}, 0 AS messages, 0 AS cost
  FROM every AS e GROUP BY e.arm, e.part, e.day
  UNION ALL
  SELECT u.arm, u.part, {day}, 0, 0, 0, 0, 0, 0, 0, 0, count(*), coalesce(sum(m.cost), 0)
  FROM (SELECT w.customer_id, w.arm, w.part, w.exposed_at FROM unit AS w WHERE w.mature) AS u
  JOIN {sent(source, journey)} AS m ON m.customer_id = u.customer_id
  WHERE {during.replace("w.", "u.")} GROUP BY u.arm, u.part, CAST(u.exposed_at AS DATE)
)
SELECT k.arm, k.part, k.day, sum(k.customers), sum(k.mature), sum(k.reached), sum(k.events),
  sum(k.value), sum(k.value2), sum(k.events2), sum(k.crossed), sum(k.messages), sum(k.cost)
FROM summed AS k GROUP BY k.arm, k.part, k.day ORDER BY k.arm, k.part, k.day"""
    return f"""{head}{acquired}, spent AS (
  SELECT m.customer_id, count(*) AS messages, sum(m.cost) AS cost
  FROM begun AS w JOIN {sent(source, journey)} AS m ON m.customer_id = w.customer_id
  WHERE {during} GROUP BY m.customer_id
), every AS (
  {every}, coalesce(m.messages, 0) AS messages,
    coalesce(m.cost, 0) AS cost, {each("goods")} AS goods, {each("offers")} AS offers,
    {each("value")} - ({each("goods")}) - ({each("offers")}) - coalesce(m.cost, 0) AS net,
    {acquisition} AS acquisition
  FROM unit AS u{joined}
  LEFT JOIN spent AS m ON m.customer_id = u.customer_id
)
SELECT e.arm, e.part, e.day, {sums}, coalesce(sum(e.messages), 0), coalesce(sum(e.cost), 0),
  coalesce(sum(e.goods), 0), coalesce(sum(e.offers), 0), coalesce(sum(e.net), 0), {squares("net")},
  coalesce(sum(e.acquisition), 0)
FROM every AS e GROUP BY e.arm, e.part, e.day ORDER BY e.arm, e.part, e.day"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A metric of the time before the exposure: a sum or a count within a window up to it."""

    name: str
    of: Aggregate
    window: int


def per_customer(
    source: Source, journey: Journey, goal: Goal, groups: Groups, before: Before | None = None
) -> str:
    """{now} -> queries up to `every`: a row for each customer whose window is over.

    Columns arm, reached (0 or 1), value, and before.
    """
    d = source.dialect
    mature = "TRUE"
    if goal.within is not None:
        mature = f"w.exposed_at + {d.interval(goal.within)} <= {d.parameter('now')}"
    passes = _passes(source, journey, goal, worth=False)
    scans = [_scan(source, one, goal.within, groups) for one in passes]
    asks = any(_OF_A_RUN.search(scan) for scan in scans)
    value = [f"coalesce(p{n}.value, 0)" for n, one in enumerate(passes) if "value" in one.sums]
    joined = "".join(
        f" LEFT JOIN p{n} ON p{n}.customer_id = w.customer_id" for n in range(len(passes))
    )
    queries = "".join(f", p{n} AS ({scan})" for n, scan in enumerate(scans))
    amount = "0"
    if before is not None:
        queries += f", earlier AS ({_earlier(source, before)})"
        joined += " LEFT JOIN earlier AS x ON x.customer_id = w.customer_id"
        amount = "coalesce(x.amount, 0)"
    return f"""WITH entered AS ({groups.rows(asks)}
), begun AS (
  SELECT w.* FROM entered AS w WHERE {mature}
){queries}, every AS (
  SELECT w.arm, CASE WHEN p0.events > 0 THEN 1 ELSE 0 END AS reached,
    {" + ".join(value) or "0"} AS value, {amount} AS before
  FROM begun AS w{joined}
)"""


def _earlier(source: Source, before: Before) -> str:
    """Per customer of `begun` the metric as it was when they were exposed."""
    d, of = source.dialect, before.of
    scope = source.compiler.scope(Rows(name="begun"))
    amount = "count(*)" if of.value is None else f"sum({value(of.value, scope)})"
    read = event_fields((of.value,), scope)
    joined, about, conditions = awaited(of.event, of.where, scope, read)
    bounds = [
        'e."_at" <= w.exposed_at',
        f'e."_at" > w.exposed_at - {d.interval(before.window)}',
    ]
    where = " AND ".join([*bounds, *about, *conditions])
    return (
        f"SELECT w.customer_id, {amount} AS amount FROM {joined} WHERE {where}"
        " GROUP BY w.customer_id"
    )


def _passes(source: Source, journey: Journey, goal: Goal, *, worth: bool) -> list[Pass]:
    """The events to be read, each once; the first is the goal's."""
    found = [Pass(event=goal.event, where=goal.where, sums={"events": ""})]
    amounts = results_of(source.project, goal)
    for name, amount in (("value", amounts.revenue), ("goods", amounts.goods)):
        if amount is None or (name == "goods" and not worth):
            continue
        same = [p for p in found if (p.event, p.where) == (amount.event, amount.where)]
        if not same:
            found.append(Pass(event=amount.event, where=amount.where))
        (same[0] if same else found[-1]).sums[name] = amount.field
    if not worth:
        return found
    offers = (
        BoundEvent(name=promo.name, span=promo.span)
        for promo in redeemed_at_a_cost(source, journey)
    )
    return found + [Pass(event=of, where=None, sums={"offers": "cost"}) for of in offers]


def redeemed_at_a_cost(source: Source, journey: Journey) -> Iterator[Event]:
    """Redemptions of the codes that the journey sends, where a code says what it costs."""
    promos = {
        step.code.promo
        for step in steps(journey.body)
        if isinstance(step, Send) and step.code is not None
    }
    for bound in source.project.binding.events.values():
        if bound.redeems in promos and any(f.name == "cost" for f in bound.fields):
            yield bound


def _scan(source: Source, one: Pass, within: int | None, groups: Groups) -> str:
    """Per customer of `begun` the rows of an event that count, and sums of their fields."""
    d = source.dialect
    scope = source.compiler.scope(Rows(name="begun"))
    fields = tuple(dict.fromkeys(name for name in one.sums.values() if name))
    joined, about, conditions = awaited(one.event, one.where, scope, fields)
    bounds = ['e."_at" > w.exposed_at', f'e."_at" <= {d.parameter("now")}']
    if groups.since is not None:
        # Known beforehand, so that what lies before is not even joined.
        bounds.append(f'e."_at" > {d.instant(groups.since)}')
    if within is not None:
        bounds.append(f'e."_at" <= w.exposed_at + {d.interval(within)}')
    rows = f"{joined} WHERE {' AND '.join([*bounds, *about, *conditions])}"
    if may_repeat(source.project.binding, one.event):
        columns = "".join(f", e.{quote(name)}" for name in fields)
        distinct = f'SELECT DISTINCT w.customer_id, e."_key", e."_at"{columns} FROM {rows}'
        rows, who = f"({distinct}) AS e", "e.customer_id"
    else:
        who = "w.customer_id"
    sums = ", ".join(
        f"sum(e.{quote(of)}) AS {name}" if of else f"count(*) AS {name}"
        for name, of in one.sums.items()
    )
    return f"SELECT {who}, {sums} FROM {rows} GROUP BY {who}"


def _acquired(source: Source) -> tuple[str, str]:
    """What each customer of `begun` has cost to win, as a further query, and its value there."""
    worth = source.project.worth
    if worth is None or worth.acquisition is None:
        return "", "0"
    scope = source.compiler.scope(Rows(name="begun"))
    cost = value(worth.acquisition, scope)
    base = customers(source.project.binding, source.dialect, scope.fields)
    query = f"""SELECT DISTINCT w.customer_id, {cost} AS cost FROM begun AS w
  JOIN {base} AS c ON c.customer_id = w.customer_id{scope.joins()}"""
    return f", acquired AS ({query}\n)", "coalesce(a.cost, 0)"


def _parts(source: Source, by: Expression | None) -> tuple[str, str]:
    """What the rows `w` are divided by, as text, and the joins it needs."""
    if by is None:
        return source.dialect.as_text("NULL"), ""
    scope = source.compiler.scope(Rows(name="entered"))
    part = source.dialect.as_text(value(by, scope))
    joined = scope.joins()
    if scope.fields:
        base = customers(source.project.binding, source.dialect, scope.fields)
        joined = f" LEFT JOIN {base} AS c ON c.customer_id = w.customer_id{joined}"
    return part, joined
