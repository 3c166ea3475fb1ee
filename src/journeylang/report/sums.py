"""The statement behind outcomes: what each customer of a group did, summed by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from journeylang.model.binding import Event
from journeylang.model.expressions import BoundEvent, EventSource, Expression
from journeylang.model.journey import Goal, Journey, Send
from journeylang.model.steps import steps
from journeylang.model.types import NUMBER
from journeylang.plan.results import results_of
from journeylang.report.messages import sent
from journeylang.report.source import Source
from journeylang.sql.aggregates import awaited
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Rows, value
from journeylang.sql.relations import customers

By = Expression | str
"""What groups are divided by: a value of the customer, or SQL over the rows `w`."""


@dataclass(slots=True, kw_only=True)
class Pass:
    """One scan of an event, and which of its fields are summed, by the names of the sums."""

    event: EventSource
    where: Expression | None
    sums: dict[str, str] = field(default_factory=dict)


def statement(source: Source, journey: Journey, goal: Goal, groups: str, by: By | None) -> str:
    """{now} -> one row per group and part: customers, mature, and of these reached, events, value,
    its squares, goods, offers, messages, their cost, what is left, its squares, and what acquiring
    these customers has cost."""
    d = source.dialect
    window = None if goal.within is None else d.interval(goal.within)
    mature = "TRUE"
    ends = ""
    if window is not None:
        mature = f"w.exposed_at + {window} <= {d.parameter('now')}"
        ends = f" AND m.decided_at <= w.exposed_at + {window}"
    part, joins = _parts(source, by)
    passes = _passes(source, journey, goal)
    scans = "".join(
        f", p{number} AS ({_scan(source, one, goal.within)}\n)" for number, one in enumerate(passes)
    )
    joined = "".join(
        f"\n  LEFT JOIN p{number} ON p{number}.customer_id = u.customer_id"
        for number in range(len(passes))
    )

    def each(name: str) -> str:
        """A sum per customer: 0 of whom nothing is known."""
        found = [f"coalesce(p{n}.{name}, 0)" for n, one in enumerate(passes) if name in one.sums]
        return " + ".join(found) or "0"

    of = "FILTER (WHERE u.mature)"
    number = d.column_type(NUMBER)

    def summed(name: str) -> str:
        return f"coalesce(sum(u.{name}) {of}, 0)"

    def squares(name: str) -> str:
        value = f"CAST(u.{name} AS {number})"
        return f"coalesce(sum({value} * {value}) {of}, 0)"

    acquired, acquisition = _acquired(source)
    if acquired:
        joined += "\n  LEFT JOIN acquired AS a ON a.customer_id = u.customer_id"
    return f"""WITH begun AS ({groups}
), unit AS (
  SELECT w.customer_id, w.arm, {mature} AS mature, {part} AS part FROM begun AS w{joins}
){scans}{acquired}, spent AS (
  SELECT m.customer_id, count(*) AS messages, sum(m.cost) AS cost
  FROM begun AS w JOIN {sent(source, journey)} AS m ON m.customer_id = w.customer_id
  WHERE m.decided_at >= w.exposed_at{ends} GROUP BY m.customer_id
), every AS (
  SELECT u.arm, u.part, u.mature, coalesce(p0.events, 0) AS events, {each("value")} AS value,
    {each("goods")} AS goods, {each("offers")} AS offers, coalesce(m.messages, 0) AS messages,
    coalesce(m.cost, 0) AS cost, {acquisition} AS acquisition
  FROM unit AS u{joined}
  LEFT JOIN spent AS m ON m.customer_id = u.customer_id
), left_over AS (
  SELECT e.*, e.value - e.goods - e.offers - e.cost AS net FROM every AS e
)
SELECT u.arm, u.part, count(*), count(*) {of}, count(*) FILTER (WHERE u.mature AND u.events > 0),
  {summed("events")}, {summed("value")}, {squares("value")}, {summed("goods")},
  {summed("offers")}, {summed("messages")}, {summed("cost")}, {summed("net")}, {squares("net")},
  {summed("acquisition")}
FROM left_over AS u GROUP BY u.arm, u.part ORDER BY u.arm, u.part"""


def _passes(source: Source, journey: Journey, goal: Goal) -> list[Pass]:
    """The events to be read, each once; the first is the goal's."""
    found = [Pass(event=goal.event, where=goal.where, sums={"events": ""})]
    amounts = results_of(source.project, goal)
    for name, amount in (("value", amounts.revenue), ("goods", amounts.goods)):
        if amount is None:
            continue
        same = [p for p in found if (p.event, p.where) == (amount.event, amount.where)]
        if not same:
            found.append(Pass(event=amount.event, where=amount.where))
        (same[0] if same else found[-1]).sums[name] = amount.field
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


def _scan(source: Source, one: Pass, within: int | None) -> str:
    """Per customer of `begun` the rows of an event that count, and sums of their fields."""
    d = source.dialect
    scope = source.compiler.scope(Rows(name="begun"))
    fields = tuple(dict.fromkeys(name for name in one.sums.values() if name))
    joined, about, conditions = awaited(one.event, one.where, scope, fields)
    bounds = ['e."_at" > w.exposed_at', f'e."_at" <= {d.parameter("now")}']
    if within is not None:
        bounds.append(f'e."_at" <= w.exposed_at + {d.interval(within)}')
    rows = f"{joined} WHERE {' AND '.join([*bounds, *about, *conditions])}"
    if _may_repeat(source, one.event):
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


def _may_repeat(source: Source, of: EventSource) -> bool:
    """Whether a row may stand several times in an event: with each code that it redeems."""
    bound = source.project.binding.events.get(of.name) if isinstance(of, BoundEvent) else None
    return bound is not None and bound.redeems is not None


def _parts(source: Source, by: By | None) -> tuple[str, str]:
    """What the rows `w` are divided by, as text, and the joins it needs."""
    if by is None:
        return source.dialect.as_text("NULL"), ""
    if isinstance(by, str):
        return by, ""
    scope = source.compiler.scope(Rows(name="begun"))
    part = source.dialect.as_text(value(by, scope))
    joined = scope.joins()
    if scope.fields:
        base = customers(source.project.binding, source.dialect, scope.fields)
        joined = f" LEFT JOIN {base} AS c ON c.customer_id = w.customer_id{joined}"
    return part, joined
