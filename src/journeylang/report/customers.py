"""The customers behind all journeys: what they buy, how much they are written, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Journey
from journeylang.report.messages import sent
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Column, Kind, Table, amount, count, share, text
from journeylang.sql.dialects import quote
from journeylang.sql.dialects import text as literal
from journeylang.sql.expressions import Rows, value
from journeylang.sql.relations import event

_DAY = 86_400
_RECENCY = ((30, "up to 30 days"), (90, "90"), (180, "180"), (365, "365"), (None, "longer ago"))
_FREQUENCY = ((1, "once"), (2, "twice"), (4, "3 to 4"), (9, "5 to 9"), (None, "10 and more"))
_PRESSURE = ((1, "1"), (2, "2"), (4, "3 to 4"), (9, "5 to 9"), (None, "10 and more"))
_MONTHS = 24
"""More months of first purchases than these are shown as quarters."""
_OF_MANY = 50
"""Fewer messages than this to a domain are no figure, and might be a person."""


_BY_DOMAIN = f"By today's addresses; domains with fewer than {_OF_MANY} messages are left out."


def customers(source: Source, journeys: Sequence[Journey]) -> list[Table]:
    bought = _purchases(source)
    tables = [] if bought is None else [_grid(source, *bought), _cohorts(source, *bought)]
    return [*tables, _pressure(source), _overlap(source, journeys), *_domains(source)]


def _purchases(source: Source) -> tuple[str, str, str | None] | None:
    """The event that brings money, the field and its currency: of `value`, or of a goal's worth."""
    worth = source.project.worth
    if worth is not None:
        return worth.revenue.event, worth.revenue.name, worth.currency
    for journey in source.project.journeys.values():
        for goal in journey.goals:
            if goal.worth is not None and isinstance(goal.event, BoundEvent):
                return goal.event.name, goal.worth, goal.currency
    return None


def _bought(source: Source, name: str, field: str) -> str:
    bound = source.project.binding.events[name]
    rows = event(
        source.project.binding, BoundEvent(name=name, span=bound.span), (field,), source.dialect
    )
    now = source.dialect.parameter("now")
    return f'SELECT e.*, e.{quote(field)} AS amount FROM {rows} AS e WHERE e."_at" <= {now}'


def _grid(source: Source, name: str, field: str, currency: str | None) -> Table:
    """Recency by frequency: customers, and what each has spent so far."""
    d = source.dialect
    now = d.parameter("now")
    ages = " ".join(
        f"WHEN b.last_at > {now} - {d.interval(days * _DAY)} THEN {place}"
        for place, (days, _) in enumerate(_RECENCY)
        if days is not None
    )
    found = source.query(f"""WITH b AS (
  SELECT e.customer_id, max(e."_at") AS last_at, count(*) AS n, sum(e.amount) AS spent
  FROM ({_bought(source, name, field)}) AS e GROUP BY e.customer_id
)
SELECT CASE {ages} ELSE {len(_RECENCY) - 1} END, {_banded("b.n", _FREQUENCY)}, count(*),
  coalesce(sum(b.spent), 0)
FROM b GROUP BY 1, 2""")
    of = {(age, often): (n, spent) for age, often, n, spent in found}
    columns: list[Column] = [text("last", "last purchase")]
    for _, label in _FREQUENCY:
        columns += [count(f"{label}", label), amount(f"{label}:each", "each")]
    rows = []
    for age, (_, label) in enumerate(_RECENCY):
        row: list[Cell] = [label]
        for often in range(len(_FREQUENCY)):
            n, spent = of.get((age, often), (0, 0))
            row += [n, spent / n if n else None]
        rows.append(tuple(row))
    return Table(
        name="rfm",
        title=f"recency and frequency of {name}, value each{f' in {currency}' if currency else ''}",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=("Customers by their last purchase and how many they have made, all time.",),
    )


def _cohorts(source: Source, name: str, field: str, currency: str | None) -> Table:
    """By month of the first purchase, or by quarter over more than two years: who came again, and
    what they were worth."""
    d = source.dialect
    now = d.parameter("now")
    year = d.interval(365 * _DAY)
    found = source.query(f"""WITH b AS (
  SELECT e.customer_id, min(e."_at") AS first_at, max(e."_at") AS last_at, count(*) AS n,
    sum(e.amount) AS spent
  FROM ({_bought(source, name, field)}) AS e GROUP BY e.customer_id
)
SELECT CAST(date_trunc('month', b.first_at) AS DATE) AS cohort, count(*),
  count(*) FILTER (WHERE b.n > 1), sum(b.n), coalesce(sum(b.spent), 0),
  count(*) FILTER (WHERE b.last_at <= {now} - {year})
FROM b GROUP BY 1 ORDER BY 1""")
    period = "month" if len(found) <= _MONTHS else "quarter"
    of: dict[str, list[tuple[Any, ...]]] = {}
    for month, *figures in found:
        first = month if period == "month" else month.replace(month=1 + (month.month - 1) // 3 * 3)
        of.setdefault(f"{first}", []).append(tuple(figures))
    rows: list[tuple[Cell, ...]] = []
    for cohort, ones in of.items():
        n, again, orders, spent, gone = (sum(column) for column in zip(*ones, strict=True))
        rows.append((cohort, n, again / n, float(orders) / n, spent / n, gone / n))
    return Table(
        name="cohorts",
        title=f"by {period} of the first {name}{f', in {currency}' if currency else ''}",
        columns=(
            text("cohort", period),
            count("customers"),
            share("again", "came again"),
            Column(name="orders_each", title="orders each", kind=Kind.RATIO),
            amount("value_each", "value each"),
            share("lapsed"),
        ),
        rows=tuple(rows),
        notes=("Lapsed: nothing for 365 days.",),
    )


def _banded(of: str, bands: Sequence[tuple[int | None, str]]) -> str:
    whens = " ".join(
        f"WHEN {of} <= {most} THEN {place}"
        for place, (most, _) in enumerate(bands)
        if most is not None
    )
    return f"CASE {whens} ELSE {len(bands) - 1} END"


def _pressure(source: Source) -> Table:
    """How many messages customers got within thirty days."""
    d = source.dialect
    found = source.query(f"""WITH p AS (
  SELECT m.customer_id, count(*) AS n FROM journey.message AS m
  WHERE m.action IS NULL AND m.decided_at > {d.parameter("now")} - {d.interval(30 * _DAY)}
  GROUP BY m.customer_id
)
SELECT {_banded("p.n", _PRESSURE)}, count(*), sum(p.n) FROM p GROUP BY 1 ORDER BY 1""")
    return Table(
        name="pressure",
        title="messages per customer within 30 days",
        columns=(text("number", "messages each"), count("customers"), count("messages")),
        rows=tuple((_PRESSURE[band][1], n, int(messages)) for band, n, messages in found),
        notes=("Those who got none are not listed.",),
    )


def _overlap(source: Source, journeys: Sequence[Journey]) -> Table:
    """Customers who were in two journeys, pair by pair."""
    names = {source.number(journey): journey.name for journey in journeys}
    listed = ", ".join(map(str, names))
    found = source.query(f"""WITH been AS (
  SELECT DISTINCT r.customer_id, r.journey FROM journey.run AS r WHERE r.journey IN ({listed})
)
SELECT a.journey, b.journey, count(*) FROM been AS a
JOIN been AS b ON b.customer_id = a.customer_id AND b.journey >= a.journey
GROUP BY a.journey, b.journey""")
    of = {(a, b): n for a, b, n in found}
    rows: list[tuple[Cell, ...]] = []
    for (a, b), n in sorted(of.items(), key=lambda pair: -pair[1]):
        if a != b:
            rows.append((names[a], names[b], n, n / of[a, a], n / of[b, b]))
    return Table(
        name="overlap",
        title="customers in two journeys",
        columns=(
            text("one"),
            text("other"),
            count("customers"),
            share("of_one", "of the one"),
            share("of_other", "of the other"),
        ),
        rows=tuple(rows),
    )


def _domains(source: Source) -> list[Table]:
    """Per domain of the addresses how messages fared, for each channel of addresses with one."""
    d = source.dialect
    rows: list[tuple[Cell, ...]] = []
    for name, channel in source.project.binding.channels.items():
        scope = source.compiler.scope(Rows())
        address = value(channel.address, scope)
        domain = f"lower(split_part({address}, '@', 2))"
        found = source.query(f"""WITH told AS (
  SELECT f.message_id, bool_or(f.name = 'bounced') AS bounced,
    bool_or(f.name = 'complained') AS complained, bool_or(f.name = 'unsubscribed') AS unsubscribed
  FROM journey.message_event AS f WHERE f."at" <= {d.parameter("now")} GROUP BY f.message_id
)
SELECT {domain}, count(*), count(*) FILTER (WHERE t.bounced),
  count(*) FILTER (WHERE t.complained), count(*) FILTER (WHERE t.unsubscribed)
FROM {sent(source, None)} AS m
JOIN {source.compiler.base(*scope.fields)} AS c ON c.customer_id = m.customer_id
LEFT JOIN told AS t ON t.message_id = m.message_id
WHERE m.channel = {literal(name)} AND {domain} <> ''
GROUP BY {domain} HAVING count(*) >= {_OF_MANY} ORDER BY count(*) DESC, {domain}""")
        rows += [
            (name, at, n, bounced / n, complained / n, left / n)
            for at, n, bounced, complained, left in found
        ]
    if not rows:
        return []
    return [
        Table(
            name="domains",
            title="deliverability, by domain",
            columns=(
                text("channel"),
                text("domain"),
                count("sent"),
                share("bounced"),
                share("complaints"),
                share("left"),
            ),
            rows=tuple(rows),
            notes=(_BY_DOMAIN,),
        )
    ]
