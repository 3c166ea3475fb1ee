"""The statement behind outcomes: what each customer of a group did, summed by group."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
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


def asks_of_run(sql: str) -> bool:
    """Whether SQL over the rows `w` asks of the run itself, and not only of its customer."""
    return _OF_A_RUN.search(sql) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What groups have done for a goal; with `worth` goods, offers and what is left besides."""

    goal: Goal
    groups: Groups
    worth: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From the exposure of these groups on, for so many seconds; without a number until now."""

    base: int
    within: int | None


@dataclass(slots=True, kw_only=True)
class Pass:
    """One scan of an event: the windows in which its rows count, and what is summed in each.

    `sums`: names of the sums, with their windows by number and the fields; rows alone are counted.
    """

    event: EventSource
    where: Expression | None
    sums: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions with all that they have in common: whose exposures, which windows and events."""

    questions: Sequence[Question]
    bases: Sequence[Groups]
    windows: Sequence[Window]
    passes: Sequence[Pass]

    def window(self, number: int) -> int:
        """Of a question."""
        question = self.questions[number]
        return self.windows.index(_window(self.bases, question))

    def of(self, number: int, name: str) -> str:
        """A question's sum per customer, unknown where there is nothing: that costs nothing."""
        known = any(f"{name}{number}" in one.sums for one in self.passes)
        return f"e.{name}{number}" if known else "CAST(NULL AS SMALLINT)"

    def sums(self, name: str) -> list[str]:
        """Where the sums of this name stand."""
        return [f"p{n}.{name}" for n, one in enumerate(self.passes) if name in one.sums]


def _window(bases: Sequence[Groups], question: Question) -> Window:
    exposed = [one.rows(False) for one in bases]
    base = exposed.index(question.groups.rows(False))
    return Window(base=base, within=question.goal.within)


def _asked(source: Source, journey: Journey, questions: Sequence[Question]) -> Asked:
    bases = list({one.groups.rows(False): one.groups for one in questions}.values())
    windows = list(dict.fromkeys(_window(bases, one) for one in questions))
    passes: list[Pass] = []
    for number, question in enumerate(questions):
        window = windows.index(_window(bases, question))
        for name, event, where, of in _amounts(source, journey, question):
            same = [one for one in passes if (one.event, one.where) == (event, where)]
            if not same:
                passes.append(Pass(event=event, where=where))
            (same[0] if same else passes[-1]).sums[f"{name}{number}"] = (window, of)
    return Asked(questions=questions, bases=bases, windows=windows, passes=passes)


def _amounts(
    source: Source, journey: Journey, question: Question
) -> Iterator[tuple[str, EventSource, Expression | None, str]]:
    """The sums of a question: their names, the events that they are of, and the fields."""
    goal = question.goal
    yield "events", goal.event, goal.where, ""
    amounts = results_of(source.project, goal)
    for name, amount in (("value", amounts.revenue), ("goods", amounts.goods)):
        if amount is not None and (name == "value" or question.worth):
            yield name, amount.event, amount.where, amount.field
    if question.worth:
        for bound in redeemed_at_a_cost(source, journey):
            yield "offers", BoundEvent(name=bound.name, span=bound.span), None, "cost"


def asks_of_runs(source: Source, journey: Journey, question: Question) -> bool:
    """Whether what counts hangs on the run, and so is another thing for each kind of exposure."""
    asked = _asked(source, journey, [question])
    scans = (_scan(source, asked, one) for one in asked.passes)
    return any(asks_of_run(scan) for scan in scans)


def statement(
    source: Source, journey: Journey, questions: Sequence[Question], by: Expression | None = None
) -> str:
    """{now} -> one row per question, group, part and UTC day of the exposure.

    The question's number, group, part, day; customers, mature, and of these reached, events, value,
    its squares, the events' squares, their products with the value, messages and their cost, goods,
    offers, what is left, its squares, and what acquiring these customers has cost. The last five
    are 0 without `worth`. Only one question can be divided, or one that asks of runs be asked.
    """
    asked = _asked(source, journey, questions)
    worth = any(question.worth for question in questions)
    acquired, acquisition = _acquired(source) if worth else ("", "0")
    columns = [f"u.until{n}, m.messages{n}, m.cost{n}" for n in range(len(asked.windows))]
    columns += [f"u.at{n}, u.arm{n}" for n in range(len(asked.bases))]
    names = dict.fromkeys(name for one in asked.passes for name in one.sums)
    columns += [f"{_added(asked.sums(name))} AS {name}" for name in names]
    joined = "".join(
        f"\n  LEFT JOIN p{number} ON p{number}.customer_id = u.customer_id"
        for number in range(len(asked.passes))
    )
    if acquired:
        joined += "\n  LEFT JOIN acquired AS a ON a.customer_id = u.customer_id"
    cells = [f"e.arm{n}" for n in range(len(asked.bases))]
    days = [f"CAST(e.at{n} AS DATE)" for n in range(len(asked.bases))]
    by_cell = ", ".join([*cells, *(f"{day} AS day{n}" for n, day in enumerate(days))])
    summed = ", ".join(f"{sql} AS {name}" for name, sql in _cells(source, asked).items())
    told = "\nUNION ALL ".join(_told(asked, number) for number in range(len(questions)))
    # Customers are gone through once, whatever the number of questions: those of the same arms and
    # days are added up before the questions part.
    return f"""WITH {_units(source, asked, by)}{acquired}, spent AS (
  {_spent(source, journey, asked)}
), every AS (
  SELECT u.part, {acquisition} AS acquisition, {", ".join(columns)}
  FROM unit AS u{joined}
  LEFT JOIN spent AS m ON m.customer_id = u.customer_id
), cells AS (
  SELECT e.part, {by_cell}, {summed}
  FROM every AS e GROUP BY e.part, {", ".join([*cells, *days])}
)
{told}
ORDER BY 1, 2, 3, 4"""


def _added(of: Sequence[str]) -> str:
    """Codes of several promos are redeemed in events of their own."""
    return of[0] if len(of) == 1 else " + ".join(f"coalesce({one}, 0)" for one in of)


def _cells(source: Source, asked: Asked) -> dict[str, str]:
    """What is summed over the customers of the same part, arms and days, by name."""
    kind = source.dialect.column_type(NUMBER)

    def product(one: str, other: str) -> str:
        return f"sum(CAST({one} AS {kind}) * CAST({other} AS {kind}))"

    sums = {"customers": "count(*)"}
    for n in range(len(asked.windows)):
        sums[f"mature{n}"] = f"count(e.until{n})"
        sums[f"messages{n}"] = f"sum(e.messages{n})"
        sums[f"cost{n}"] = f"sum(e.cost{n})"
    for n, question in enumerate(asked.questions):
        value, events = asked.of(n, "value"), asked.of(n, "events")
        sums[f"reached{n}"] = f"count({events})"
        sums[f"events{n}"] = f"sum({events})"
        sums[f"value{n}"] = f"sum({value})"
        sums[f"value_squared{n}"] = product(value, value)
        sums[f"events_squared{n}"] = product(events, events)
        sums[f"crossed{n}"] = product(events, value)
        if question.worth:
            window = asked.window(n)
            goods, offers = asked.of(n, "goods"), asked.of(n, "offers")
            taken = (goods, offers, f"e.cost{window}")
            net = " - ".join(f"coalesce({one}, 0)" for one in (value, *taken))
            sums[f"goods{n}"] = f"sum({goods})"
            sums[f"offers{n}"] = f"sum({offers})"
            sums[f"net_squared{n}"] = product(f"({net})", f"({net})")
            sums[f"acquisition{n}"] = (
                f"sum(e.acquisition) FILTER (WHERE e.until{window} IS NOT NULL)"
            )
    return sums


def _told(asked: Asked, number: int) -> str:
    """The row of one question per group, part and day."""
    question, window = asked.questions[number], asked.window(number)
    base = asked.windows[window].base

    def of(name: str, place: int = number) -> str:
        return f"coalesce(sum(e.{name}{place}), 0)"

    worth = "0, 0, 0, 0, 0"
    if question.worth:
        cost = of("cost", window)
        net = f"{of('value')} - {of('goods')} - {of('offers')} - {cost}"
        worth = f"""{of("goods")}, {of("offers")}, {net},
  {of("net_squared")}, {of("acquisition")}"""
    return f"""SELECT {number}, e.arm{base}, e.part, e.day{base}, sum(e.customers),
  {of("mature", window)}, {of("reached")}, {of("events")}, {of("value")}, {of("value_squared")},
  {of("events_squared")}, {of("crossed")}, {of("messages", window)}, {of("cost", window)},
  {worth}
FROM cells AS e WHERE e.day{base} IS NOT NULL GROUP BY e.arm{base}, e.part, e.day{base}"""


def _units(source: Source, asked: Asked, by: Expression | None = None) -> str:
    """Queries up to `unit`: the customers with where they were exposed, until when what they do
    counts (unknown while a window is not over), and what they have done in each scan.

    at, arm by base; until by window; part; a query p by pass.
    """
    d = source.dialect
    now = d.parameter("now")
    part, joins = parts(source, by)
    scans = [_scan(source, asked, one) for one in asked.passes]
    asks = any(asks_of_run(scan) for scan in (*scans, part, joins))
    first, *others = (f"({one.rows(asks)})" for one in asked.bases)
    customer, joined = "b0.customer_id", f"{first} AS b0"
    for number, rows in enumerate(others, start=1):
        joined += f"\n  FULL JOIN {rows} AS b{number} ON b{number}.customer_id = {customer}"
        customer = f"coalesce({customer}, b{number}.customer_id)"
    columns = "".join(
        f", b{n}.exposed_at AS at{n}, b{n}.arm AS arm{n}" for n in range(len(asked.bases))
    )
    columns += ", b0.run_id, b0.entered_at, b0.entry" if asks else ""
    until = ""
    for number, window in enumerate(asked.windows):
        at = f"w.at{window.base}"
        over = f"{at} IS NOT NULL"
        end = now
        if window.within is not None:
            end = f"{at} + {d.interval(window.within)}"
            over = f"{end} <= {now}"
        until += f", CASE WHEN {over} THEN {end} END AS until{number}"
    queries = "".join(f", p{n} AS (\n  {scan}\n)" for n, scan in enumerate(scans))
    return f"""entered AS (
  SELECT {customer} AS customer_id{columns} FROM {joined}
), unit AS (
  SELECT w.*{until}, {part} AS part FROM entered AS w{joins}
){queries}"""


def _within(asked: Asked, windows: Collection[int], at: str, first: str) -> tuple[list[str], str]:
    """Whether an instant lies in each of the windows, as columns, and in any of them."""
    inside = {
        n: f"{at} {first} w.at{asked.windows[n].base} AND {at} <= w.until{n}"
        for n in sorted(set(windows))
    }
    columns = [f"({condition}) AS in{n}" for n, condition in inside.items()]
    return columns, f"({' OR '.join(inside.values())})"


def _scan(source: Source, asked: Asked, one: Pass) -> str:
    """Per customer of `unit` the sums of an event's rows that count."""
    d = source.dialect
    scope = source.compiler.scope(Rows(name="unit"))
    fields = tuple(dict.fromkeys(of for _, of in one.sums.values() if of))
    joined, about, conditions = awaited(one.event, one.where, scope, fields)
    columns, inside = _within(asked, [window for window, _ in one.sums.values()], 'e."_at"', ">")
    bounds = [f'e."_at" <= {d.parameter("now")}']
    since = [base.since for base in asked.bases]
    if all(instant is not None for instant in since):
        # Known beforehand, so that what lies before is not even joined.
        bounds.append(f'e."_at" > {d.instant(min(i for i in since if i is not None))}')
    where = " AND ".join([*bounds, inside, *about, *conditions])
    distinct = may_repeat(source.project.binding, one.event)
    columns = ['e."_key", e."_at"'] * distinct + columns + [f"e.{quote(of)}" for of in fields]
    told = f"{'DISTINCT ' if distinct else ''}w.customer_id, {', '.join(columns)}"
    sums = ", ".join(
        f"sum(k.{quote(of)}) FILTER (WHERE k.in{window}) AS {name}"
        if of
        else f"nullif(count(*) FILTER (WHERE k.in{window}), 0) AS {name}"
        for name, (window, of) in one.sums.items()
    )
    return f"""SELECT k.customer_id, {sums} FROM (
    SELECT {told} FROM {joined} WHERE {where}) AS k GROUP BY k.customer_id"""


def _spent(source: Source, journey: Journey, asked: Asked) -> str:
    """Per customer of `unit` the messages in each window, and their cost."""
    windows = range(len(asked.windows))
    columns, inside = _within(asked, windows, "m.decided_at", ">=")
    sums = ", ".join(
        f"count(*) FILTER (WHERE k.in{n}) AS messages{n},"
        f" sum(k.cost) FILTER (WHERE k.in{n}) AS cost{n}"
        for n in windows
    )
    return f"""SELECT k.customer_id, {sums} FROM (
    SELECT w.customer_id, m.cost, {", ".join(columns)}
    FROM unit AS w JOIN {sent(source, journey)} AS m ON m.customer_id = w.customer_id
    WHERE {inside}) AS k GROUP BY k.customer_id"""


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
    asked = _asked(source, journey, [Question(goal=goal, groups=groups, worth=False)])
    value = [f"coalesce({name}, 0)" for name in asked.sums("value0")]
    joined = "".join(
        f" LEFT JOIN p{n} ON p{n}.customer_id = w.customer_id" for n in range(len(asked.passes))
    )
    queries, amount = "", "0"
    if before is not None:
        queries = f", earlier AS ({_earlier(source, before)})"
        joined += " LEFT JOIN earlier AS x ON x.customer_id = w.customer_id"
        amount = "coalesce(x.amount, 0)"
    return f"""WITH {_units(source, asked)}, begun AS (
  SELECT w.customer_id, w.arm0 AS arm, w.at0 AS exposed_at
  FROM unit AS w WHERE w.until0 IS NOT NULL
){queries}, every AS (
  SELECT w.arm, CASE WHEN p0.events0 > 0 THEN 1 ELSE 0 END AS reached,
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


def _acquired(source: Source) -> tuple[str, str]:
    """What each customer has cost to win, as a further query, and its value there."""
    worth = source.project.worth
    if worth is None or worth.acquisition is None:
        return "", "0"
    scope = source.compiler.scope(Rows(name="unit"))
    cost = value(worth.acquisition, scope)
    base = customers(source.project.binding, source.dialect, scope.fields)
    query = f"""SELECT DISTINCT w.customer_id, {cost} AS cost FROM unit AS w
  JOIN {base} AS c ON c.customer_id = w.customer_id{scope.joins()}"""
    return f", acquired AS ({query}\n)", "coalesce(a.cost, 0)"


def parts(source: Source, by: Expression | None) -> tuple[str, str]:
    """What the rows `w` of `entered` are divided by, as text, and the joins it needs."""
    if by is None:
        return source.dialect.as_text("NULL"), ""
    scope = source.compiler.scope(Rows(name="entered"))
    part = source.dialect.as_text(value(by, scope))
    joined = scope.joins()
    if scope.fields:
        base = customers(source.project.binding, source.dialect, scope.fields)
        joined = f" LEFT JOIN {base} AS c ON c.customer_id = w.customer_id{joined}"
    return part, joined
