"""Goals by segment, by a field of the customers, and by when they came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from journeylang.model.expressions import CustomerValue, SegmentTest
from journeylang.model.journey import Goal, Journey
from journeylang.report import compared
from journeylang.report.compared import judged
from journeylang.report.goals import GROUPS, MOST_PARTS, by_shares, unmeasured
from journeylang.report.groups import GLOBAL, HELD, TREATED, by_first_entry
from journeylang.report.outcomes import (
    Outcome,
    asks_for_ticks,
    by_day,
    each,
    not_measured,
    outcomes,
    summed,
    total,
)
from journeylang.report.source import Source
from journeylang.report.sums import asks_of_run
from journeylang.report.sums import parts as divided_by
from journeylang.report.tables import Cell, Column, Kind, Table, amount, count, share, text
from journeylang.report.words import costs_fit, goal_name, unit

Every = Literal["day", "week", "month"]

_FIRST_DAY: dict[Every, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}

_LOOKED = (
    "Each part is a test more: intervals are at the level that Holm's procedure judges the part by."
)

_PERIODS = (
    "Customers stand at the period of their first entry, with all that they did within the window."
    " What was caused is against those held out of the same period, summed up to it; a period"
    " without them adds nothing."
)


def by_part(source: Source, journey: Journey, by: SegmentTest | CustomerValue) -> list[Table]:
    """The first goal, divided by whether customers are in a segment now, or by a field's value."""
    if not journey.goals:
        return []
    goal = journey.goals[0]
    name = f"by:{by.name}"
    why = not_measured(source, goal)
    if why is None and asks_for_ticks(source, by):
        why = f"`{by.name}` asks for a ranking or an age, which only a tick works out"
    if why is not None:
        return [unmeasured(name, goal, why)]
    if (number := _number_of_parts(source, journey, by)) > MOST_PARTS:
        why = f"`{by.name}` has {number:,} values, more than {MOST_PARTS}"
        return [unmeasured(name, goal, why)]
    found = outcomes(source, journey, goal, by_first_entry(source, journey), by)
    parts = sorted({_part(one, by) for one in found})
    of = {(_part(one, by), one.arm): one for one in found}
    title = f"by {by.name}: {goal_name(goal)}{unit(source.project, goal)}"
    tables = [_parts(name, title, parts, of)]
    for left_out in (HELD, GLOBAL):
        both = [p for p in parts if (p, left_out) in of and (p, TREATED) in of]
        if not both:
            continue
        against = f"against {GROUPS[left_out]}"
        tables.append(
            compared.table(
                f"{name}:{left_out}",
                f"by {by.name}: {goal_name(goal)}, {against}",
                judged([(p, by_shares(of[p, left_out], of[p, TREATED])) for p in both]),
                shares=True,
                notes=(_LOOKED,),
            )
        )
    return tables


def _number_of_parts(source: Source, journey: Journey, by: SegmentTest | CustomerValue) -> int:
    """Asked before anything is summed: a field may have a value for each of a million customers."""
    if isinstance(by, SegmentTest):
        return 2
    part, joins = divided_by(source, by)
    rows = by_first_entry(source, journey).rows(asks_of_run(f"{part} {joins}"))
    return int(
        source.query(f"""WITH entered AS ({rows})
SELECT count(*) FROM (SELECT DISTINCT {part} AS part FROM entered AS w{joins}) AS p""")[0][0]
    )


def _part(one: Outcome, by: SegmentTest | CustomerValue) -> str:
    if isinstance(by, SegmentTest):
        return f"in {by.name}" if one.part == "true" else f"not in {by.name}"
    return "(unknown)" if one.part is None else one.part


def _parts(name: str, title: str, parts: list[str], of: dict[tuple[str, str], Outcome]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for part in parts:
        for group, label in GROUPS.items():
            if (part, group) in of:
                one = of[part, group]
                reached = one.reached / one.mature if one.mature else None
                row = (part, label, one.customers, one.mature, one.reached, reached)
                rows.append((*row, each(one.value), one.messages, one.cost))
    return Table(
        name=name,
        title=title,
        columns=(
            text("part", ""),
            text("group", ""),
            count("customers"),
            count("mature"),
            count("reached"),
            share("share"),
            amount("value_each", "value each"),
            count("messages"),
            amount("cost"),
        ),
        rows=tuple(rows),
    )


def over_time(source: Source, journey: Journey, every: Every) -> list[Table]:
    """The first goal by when customers came first, and what was caused up to each period."""
    if not journey.goals:
        return []
    goal = journey.goals[0]
    if (why := not_measured(source, goal)) is not None:
        return [unmeasured("over_time", goal, why)]
    groups = by_first_entry(source, journey)
    found = summed(by_day(source, journey, goal, groups, worth=True), _FIRST_DAY[every])
    found.sort(key=lambda one: str(one.day))
    rows: list[tuple[Cell, ...]] = []
    caused = left = 0.0
    even: str | None = None
    money = costs_fit(source.project, goal)
    for part, ones in groupby(found, key=lambda one: str(one.day)):
        of = {one.arm: one for one in ones}
        treated, held = of.get(TREATED), of.get(HELD)
        row: tuple[Cell, ...] = (part,)
        row += (treated.customers, treated.mature) if treated is not None else (0, 0)
        row += (_rate(treated), total(treated.value) if treated is not None else None)
        row += (treated.cost if treated is not None else None, _rate(held))
        if treated is not None and held is not None:
            caused += _more(held.reached, held.mature, treated.reached, treated.mature)
            if held.net is not None and treated.net is not None:
                sums = (float(held.net.total), float(treated.net.total))
                left += _more(sums[0], held.mature, sums[1], treated.mature)
                even = (even or part) if left > 0 else None
        rows.append((*row, caused, left if money else None))
    return [_periods(source, goal, every, rows, even if money else None)]


def _periods(
    source: Source, goal: Goal, every: Every, rows: list[tuple[Cell, ...]], even: str | None
) -> Table:
    notes = [_PERIODS]
    if even is not None:
        notes.append(f"What is left behind costs has been above zero since {even}.")
    return Table(
        name="over_time",
        title=f"by {every} of the first entry: {goal_name(goal)}{unit(source.project, goal)}",
        columns=(
            text("period", ""),
            count("customers"),
            count("mature"),
            share("share"),
            amount("value"),
            amount("cost"),
            share("held_out_share", "held out"),
            Column(name="caused", title="caused so far", kind=Kind.CHANGE),
            Column(name="left", title="left so far", kind=Kind.CHANGE),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _more(control: float, n0: int, treated: float, n1: int) -> float:
    """What the treated have more than they would with the control's mean; 0 without a control."""
    return treated - control / n0 * n1 if n0 and n1 else 0.0


def _rate(one: Outcome | None) -> float | None:
    return one.reached / one.mature if one is not None and one.mature else None
