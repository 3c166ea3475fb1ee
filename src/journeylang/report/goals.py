"""What a journey's goals have brought, and how much of it the journey has caused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journeylang.model.journey import Goal, Journey
from journeylang.plan.results import results_of
from journeylang.report import compared
from journeylang.report.compared import Judged, Question
from journeylang.report.groups import GLOBAL, HELD, TREATED, by_first_entry
from journeylang.report.outcomes import Outcome, each, not_measured, outcomes, total
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Column, Kind, Table, amount, count, share, text
from journeylang.report.words import costs_fit, goal_name, unit
from journeylang.stats import means, proportions, ratios
from journeylang.stats.comparison import LEVEL, Comparison, Interval
from journeylang.stats.moments import Sample
from journeylang.stats.refusals import Reason, Refusal

GROUPS = {TREATED: "in the journey", HELD: "held out", GLOBAL: "global control"}

MOST_PARTS = 30
"""More values of a field than this are no groups."""

RARE = 5
"""Means of fewer customers with a value are not compared."""

WHEN = (
    "A customer counts once, from the first entry (of an experiment, from meeting it) on; mature"
    " are those whose window is over, and they alone are judged."
)
SO_FAR = "The goal has no window: everybody is judged by what has happened so far."
COSTS = "Costs are of messages from then on within the window; those given back cost nothing."


def goals(source: Source, journey: Journey) -> list[Table]:
    """Per goal the groups, and the journey against those who were left out of it."""
    tables: list[Table] = []
    for number, goal in enumerate(journey.goals, start=1):
        if (why := not_measured(source, goal)) is not None:
            tables.append(unmeasured(f"goal:{number}", goal, why))
            continue
        found = outcomes(source, journey, goal, by_first_entry(source, journey), worth=True)
        found.sort(key=lambda one: list(GROUPS).index(one.arm))
        of = {one.arm: one for one in found}
        tables.append(groups(source, goal, found, f"goal:{number}", names=GROUPS))
        if TREATED in of and of[TREATED].mature:
            tables += _against(source, goal, of, number)
            tables += _worth(source, goal, of, number)
    return tables


def unmeasured(name: str, goal: Goal, why: str) -> Table:
    """A table without rows, which says why."""
    note = f"Not measured: {why}."
    return Table(name=name, title=goal_name(goal), columns=(), rows=(), notes=(note,))


def groups(
    source: Source,
    goal: Goal,
    found: Sequence[Outcome],
    name: str,
    *,
    names: Mapping[str, str] | None = None,
    title: str = "",
) -> Table:
    """One line per group: who, how many of them, and what they brought."""
    valued = any(one.value is not None for one in found)
    rows = []
    for one in found:
        row: tuple[Cell, ...] = ((names or {}).get(one.arm, one.arm), one.customers, one.mature)
        row += (one.reached, one.reached / one.mature if one.mature else None)
        row += (total(one.value), each(one.value)) if valued else ()
        rows.append((*row, one.messages, one.cost))
    worth = (amount("value"), amount("value_each", "each")) if valued else ()
    return Table(
        name=name,
        title=f"{title}{goal_name(goal)}{unit(source.project, goal) if valued else ''}",
        columns=(
            text("group", ""),
            count("customers"),
            count("mature"),
            count("reached"),
            share("share"),
            *worth,
            count("messages"),
            amount("cost"),
        ),
        rows=tuple(rows),
        notes=(SO_FAR if goal.within is None else WHEN, COSTS),
    )


def by_shares(control: Outcome, treated: Outcome) -> Question:
    """Of the customers who reached the goal."""
    if not control.mature or not treated.mature:
        return lambda _: Refusal(Reason.NOT_MATURE)
    return lambda level: proportions.compare(control.rate, treated.rate, level=level)


def by_values(control: Outcome, treated: Outcome) -> Question:
    """Of value per customer."""
    return _means(control, treated, control.value, treated.value)


def by_event(control: Outcome, treated: Outcome) -> Question:
    """Of value per event: a ratio of two sums, which customers contribute to unevenly."""
    first, second = control.each_event, treated.each_event
    if first is None or second is None or not control.mature or not treated.mature:
        return lambda _: Refusal(Reason.NOT_MATURE)
    if min(control.reached, treated.reached) < RARE:
        return lambda _: Refusal(Reason.RARE)
    return lambda level: ratios.compare(first, second, level=level)


def valued_by_event(source: Source, goal: Goal) -> bool:
    """Whether the value comes with the very events that reach the goal."""
    revenue = results_of(source.project, goal).revenue
    return revenue is not None and (revenue.event, revenue.where) == (goal.event, goal.where)


PER_EVENT = (
    "Value over events, of the customers whose window is over; its error by the delta method, as"
    " customers have different numbers of events."
)


def by_net(control: Outcome, treated: Outcome) -> Question:
    """Of what is left per customer behind goods and messages."""
    return _means(control, treated, control.net, treated.net)


def _means(
    control: Outcome, treated: Outcome, first: Sample | None, second: Sample | None
) -> Question:
    """Means of which most are 0 say nothing while hardly anybody has another value."""
    if first is None or second is None or not control.mature or not treated.mature:
        return lambda _: Refusal(Reason.NOT_MATURE)
    if min(control.reached, treated.reached) < RARE:
        return lambda _: Refusal(Reason.RARE)
    return lambda level: means.compare(first, second, level=level)


def _against(source: Source, goal: Goal, of: Mapping[str, Outcome], number: int) -> list[Table]:
    """The journey against each of the groups that were left out of it."""
    treated = of[TREATED]
    left_out = [group for group in (HELD, GLOBAL) if group in of]
    if not left_out:
        return []
    shares = [
        Judged(name=f"against {GROUPS[g]}", found=by_shares(of[g], treated)(LEVEL))
        for g in left_out
    ]
    tables = [
        compared.table(
            f"caused:{number}",
            f"caused by the journey: {goal_name(goal)}, of customers",
            shares,
            shares=True,
        )
    ]
    sizes: list[Sequence[Judged]] = [shares]
    if treated.value is not None:
        values = [
            Judged(name=f"against {GROUPS[g]}", found=by_values(of[g], treated)(LEVEL))
            for g in left_out
        ]
        tables.append(
            compared.table(
                f"caused_value:{number}",
                f"caused by the journey: value{unit(source.project, goal)} per customer",
                values,
                shares=False,
            )
        )
        sizes.append(values)
        if valued_by_event(source, goal):
            tables.append(
                compared.table(
                    f"caused_ratio:{number}",
                    f"caused by the journey: value{unit(source.project, goal)} per"
                    f" {goal.event.name}",
                    [
                        Judged(name=f"against {GROUPS[g]}", found=by_event(of[g], treated)(LEVEL))
                        for g in left_out
                    ],
                    shares=False,
                    notes=(PER_EVENT,),
                )
            )
    tables.append(_in_all(source, goal, treated, sizes, number))
    return tables


def _in_all(
    source: Source, goal: Goal, treated: Outcome, sizes: Sequence[Sequence[Judged]], number: int
) -> Table:
    """The differences times the customers in the journey whose window is over."""
    rows: list[tuple[Cell, ...]] = []
    for group in range(len(sizes[0])):
        row: tuple[Cell, ...] = (sizes[0][group].name, treated.mature)
        for found in sizes:
            row += _times(found[group].found, treated.mature)
        rows.append(row)
    columns: tuple[Column, ...] = (
        text("group", ""),
        count("mature"),
        Column(name="caused", title="reached more", kind=Kind.CHANGE),
        Column(name="caused_interval", title="interval", kind=Kind.CHANGE),
    )
    if len(sizes) > 1:
        columns += (
            Column(name="value", title="value more", kind=Kind.CHANGE),
            Column(name="value_interval", title="interval", kind=Kind.CHANGE),
        )
    return Table(
        name=f"caused_in_all:{number}",
        title=f"caused in all{unit(source.project, goal) if len(sizes) > 1 else ''}",
        columns=columns,
        rows=tuple(rows),
    )


def _times(found: Comparison | Refusal, customers: int) -> tuple[Cell, Cell]:
    if isinstance(found, Refusal):
        return None, None
    limits = found.interval
    return found.difference * customers, Interval(
        low=limits.low * customers, high=limits.high * customers
    )


def _worth(source: Source, goal: Goal, of: Mapping[str, Outcome], number: int) -> list[Table]:
    """What is left of the revenue behind goods and messages, and what of that was caused."""
    treated = of[TREATED]
    if treated.value is None or not treated.mature or not costs_fit(source.project, goal):
        return []
    left = total(treated.net)
    assert left is not None
    acquired = source.project.worth is not None and source.project.worth.acquisition is not None
    behind = float(left) - float(treated.acquisition) if acquired else left
    rows: list[tuple[Cell, ...]] = [
        ("revenue", total(treated.value), None),
        ("cost of goods", treated.goods, None),
        ("cost of offers", treated.offers, None),
        ("cost of messages", treated.cost, None),
        ("cost of acquisition", treated.acquisition, None),
        ("left (customer lifetime value within the window)", behind, None),
        ("left per customer", float(behind) / treated.mature, None),
    ]
    roi: list[tuple[Cell, ...]] = []
    if treated.cost:
        roi.append(("per unit spent on messages", float(left) / float(treated.cost), None))
    spent = float(treated.cost) + float(treated.acquisition)
    if acquired and spent:
        roi.append(("per unit spent on messages and acquisition", float(behind) / spent, None))
    for group in (HELD, GLOBAL):
        if group not in of:
            continue
        found = by_net(of[group], treated)(LEVEL)
        if isinstance(found, Refusal):
            continue
        more, limits = _times(found, treated.mature)
        label = f"left more than {GROUPS[group]}"
        rows.append((label, more, limits))
        if treated.cost:
            by = treated.mature / float(treated.cost)
            at = Interval(low=found.interval.low * by, high=found.interval.high * by)
            roi.append((f"{label}, per unit spent", found.difference * by, at))
    if source.project.worth is None or source.project.worth.goods is None:
        rows = [row for row in rows if row[0] != "cost of goods"]
    if not acquired:
        rows = [row for row in rows if row[0] != "cost of acquisition"]
    if not treated.offers:
        rows = [row for row in rows if row[0] != "cost of offers"]
    tables = [
        Table(
            name=f"worth:{number}",
            title=f"worth{unit(source.project, goal)}, of customers whose window is over",
            columns=(
                text("what", ""),
                amount("amount"),
                Column(name="interval", title="interval", kind=Kind.CHANGE),
            ),
            rows=tuple(rows),
        )
    ]
    if roi:
        tables.append(
            Table(
                name=f"roi:{number}",
                title="return on what was spent",
                columns=(
                    text("what", ""),
                    Column(name="ratio", title="ratio", kind=Kind.RATIO),
                    Column(name="interval", title="interval", kind=Kind.RATIO),
                ),
                rows=tuple(roi),
                notes=("A ratio of 1 is one unit of money left for each unit spent on messages.",),
            )
        )
    return tables
