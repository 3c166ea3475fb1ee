"""What groups of customers have done within a goal's window: sums, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from journeylang.model.expressions import Age, Expression, TileBy, TopBy
from journeylang.model.journey import Goal, Journey
from journeylang.model.types import NUMBER
from journeylang.plan.asks import asked
from journeylang.plan.operations import Amount, Results
from journeylang.plan.results import results_of
from journeylang.report.source import Source
from journeylang.sql.aggregates import awaited
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Rows, value
from journeylang.sql.relations import customers
from journeylang.stats.moments import Rate, Sample

Figure = int | float | Decimal
"""As a database has summed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one group. Only ``customers`` counts those whose time is not over yet.

    ``part`` is what the group was divided by, if it was. ``value`` and ``net`` (what is left behind
    goods and messages) are per customer; None without an amount.
    """

    arm: str
    part: str | None
    customers: int
    mature: int
    reached: int
    events: int
    value: Sample | None
    goods: Figure
    messages: int
    cost: Figure
    net: Sample | None

    @property
    def rate(self) -> Rate:
        return Rate(n=self.mature, hits=self.reached)


def not_measured(source: Source, goal: Goal) -> str | None:
    """Why a goal cannot be asked of outside of a tick."""
    if asks_for_ticks(source, goal.where):
        return "its condition asks for a ranking or an age, which only a tick works out"
    return None


def asks_for_ticks(source: Source, *of: Expression | None) -> bool:
    """Whether something rests on rankings or on local dates."""
    found = (n for one in of if one is not None for n in asked(source.project, one))
    return any(isinstance(n, Age | TopBy | TileBy) for n in found)


By = Expression | str
"""What groups are divided by: a value of the customer, or SQL over the rows `w`."""


def outcomes(
    source: Source, journey: Journey, goal: Goal, groups: str, by: By | None = None
) -> list[Outcome]:
    """By group and part. Who has an event in (exposure, exposure + within] has reached the goal;
    without a window until now. Messages count from the exposure on, those given back do not.
    """
    found = source.query(statement(source, journey, goal, groups, by))
    amounts = results_of(source.project, goal)
    return [_outcome(amounts, *row) for row in found]


def _outcome(
    amounts: Results,
    arm: str,
    part: str | None,
    customers: int,
    mature: int,
    reached: int,
    events: int,
    value: Figure,
    value2: float,
    goods: Figure,
    messages: int,
    cost: Figure,
    net: Figure,
    net2: float,
) -> Outcome:
    known = amounts.revenue is not None
    return Outcome(
        arm=arm,
        part=part,
        customers=customers,
        mature=mature,
        reached=reached,
        events=int(events),
        value=Sample(n=mature, total=value, squares=value2) if known else None,
        goods=goods,
        messages=int(messages),
        cost=cost,
        net=Sample(n=mature, total=net, squares=net2) if known else None,
    )


def statement(source: Source, journey: Journey, goal: Goal, groups: str, by: By | None) -> str:
    """{now} -> one row per group and part."""
    d = source.dialect
    amounts = results_of(source.project, goal)
    window = None if goal.within is None else d.interval(goal.within)
    now = d.parameter("now")
    mature = "TRUE" if window is None else f"w.exposed_at + {window} <= {now}"
    reached = _rows(source, Amount(event=goal.event, where=goal.where, field=""), goal.within)
    nothing = "(SELECT w.customer_id, 0 AS amount FROM begun AS w WHERE FALSE)"
    value = nothing if amounts.revenue is None else _sums(source, amounts.revenue, goal.within)
    goods = nothing if amounts.goods is None else _sums(source, amounts.goods, goal.within)
    ends = "" if window is None else f" AND m.decided_at <= w.exposed_at + {window}"
    part, parts = _parts(source, by)
    number = d.column_type(NUMBER)
    of = "FILTER (WHERE u.mature)"

    def summed(amount: str) -> str:
        return f"coalesce(sum({amount}) {of}, 0)"

    def squares(amount: str) -> str:
        return f"coalesce(sum(CAST({amount} AS {number}) * CAST({amount} AS {number})) {of}, 0)"

    net = "coalesce(v.amount, 0) - coalesce(g.amount, 0) - coalesce(m.cost, 0)"
    joins = "".join(
        f"\nLEFT JOIN {name} AS {alias} ON {alias}.customer_id = u.customer_id"
        for name, alias in (
            ("reached", "k"),
            (value, "v"),
            (goods, "g"),
            ("spent", "m"),
        )
    )
    return f"""WITH begun AS ({groups}
), unit AS (
  SELECT w.customer_id, w.arm, {mature} AS mature, {part} AS part FROM begun AS w{parts}
), reached AS (
  SELECT k.customer_id, count(*) AS events FROM {reached} AS k GROUP BY k.customer_id
), spent AS (
  SELECT m.customer_id, count(*) AS messages, sum(m.cost) AS cost
  FROM begun AS w JOIN journey.message AS m ON m.customer_id = w.customer_id
  WHERE m.journey = {source.number(journey)} AND m.action IS NULL
    AND m.decided_at >= w.exposed_at{ends} AND NOT EXISTS (
      SELECT 1 FROM journey.receipt AS b WHERE b.given_back
        AND b.message_id = m.message_id AND b.customer_id = m.customer_id)
  GROUP BY m.customer_id
)
SELECT u.arm, u.part, count(*), count(*) {of}, count(k.customer_id) {of}, {summed("k.events")},
  {summed("v.amount")}, {squares("v.amount")}, {summed("g.amount")}, {summed("m.messages")},
  {summed("m.cost")}, {summed(net)}, {squares(f"({net})")}
FROM unit AS u{joins}
GROUP BY u.arm, u.part ORDER BY u.arm, u.part"""


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


def _sums(source: Source, amount: Amount, within: int | None) -> str:
    rows = _rows(source, amount, within)
    return (
        f"(SELECT k.customer_id, sum(k.amount) AS amount FROM {rows} AS k GROUP BY k.customer_id)"
    )


def _rows(source: Source, amount: Amount, within: int | None) -> str:
    """The rows of an event that count for the customers in `begun`, each once."""
    d = source.dialect
    scope = source.compiler.scope(Rows(name="begun"))
    read = (amount.field,) if amount.field else ()
    joined, about, conditions = awaited(amount.event, amount.where, scope, read)
    bounds = ['e."_at" > w.exposed_at', f'e."_at" <= {d.parameter("now")}']
    if within is not None:
        bounds.append(f'e."_at" <= w.exposed_at + {d.interval(within)}')
    column = f", e.{quote(amount.field)} AS amount" if amount.field else ""
    return f"""(SELECT DISTINCT w.customer_id, e."_key", e."_at"{column}
  FROM {joined} WHERE {" AND ".join([*bounds, *about, *conditions])})"""


def total(of: Sample | None) -> Figure | None:
    """What a group has brought together."""
    if of is None:
        return None
    assert not isinstance(of.total, Fraction), "sums come from a database"
    return of.total


def each(of: Sample | None) -> float | None:
    """The mean per customer."""
    return float(of.total) / of.n if of is not None and of.n else None
