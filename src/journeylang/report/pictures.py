"""Pictures of a report: of its tables, and of what journeys did day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from journeylang.model.journey import Journey
from journeylang.pictures import charts, daily, flow, settling
from journeylang.pictures.daily import Sent
from journeylang.pictures.markup import Picture
from journeylang.pictures.settling import Look
from journeylang.plan.numbering import step_paths
from journeylang.report.cells import shown
from journeylang.report.daily import looks, ways
from journeylang.report.experiments import trials
from journeylang.report.outcomes import not_measured
from journeylang.report.source import Source
from journeylang.report.tables import Column, Kind, Table
from journeylang.report.words import goal_name
from journeylang.stats.comparison import Interval

_INTERVALS = {"difference": "interval", "lift": "lift_interval"}
"""Figures that stand beside their interval."""


def of_journey(
    source: Source, journey: Journey, tables: Sequence[Table], everybody: Sequence[Sent]
) -> Iterator[Picture]:
    """Who went where, what was caused, what was sent and lost, and what it cost.

    `everybody`: what all journeys have sent, for a budget may be shared.
    """
    order = [path for path, _ in step_paths(journey)]
    drawn = [flow.funnel(ways(source, journey), order)]
    drawn += [effects(table) for table in tables if not table.name.endswith(":any_day")]
    drawn += [over_time(source, journey)] if journey.goals else []
    own = [one for one in everybody if one.journey == journey.name]
    drawn.append(daily.messages(own))
    drawn += [losses(table) for table in tables if table.name == "losses"]
    bounds = list(daily.limits(source.project, [journey.name]))
    currencies = {c.currency for c in source.project.binding.channels.values()} - {None}
    for currency in sorted(name for name in currencies if name is not None):
        drawn.append(daily.cost(own, currency))
    drawn += [daily.against(everybody, bound) for bound in bounds]
    yield from (picture for picture in drawn if picture is not None)


def across(tables: Sequence[Table]) -> Iterator[Picture]:
    """Of what is told of all journeys together."""
    for table in tables:
        match table.name:
            case "pressure":
                picture = histogram(table, "number", "customers")
            case "base_channels":
                picture = reach(table)
            case _:
                picture = effects(table)
        if picture is not None:
            yield picture


def effects(table: Table) -> Picture | None:
    """A line with its interval for each row of a comparison; None of another table."""
    at = {column.name: n for n, column in enumerate(table.columns)}
    figure = next((name for name in _INTERVALS if {name, _INTERVALS[name]} <= at.keys()), None)
    if figure is None:
        return None
    column = table.columns[at[figure]]
    labels = [at[name] for name in ("experiment", "arm") if name in at] or [0]
    verdict = next((at[name] for name in ("verdict", "call", "outcome") if name in at), None)
    rows: list[tuple[str, float, float, float]] = []
    told: list[tuple[str, str, str, str]] = []
    for row in table.rows:
        limits, value = row[at[_INTERVALS[figure]]], row[at[figure]]
        if not isinstance(limits, Interval) or not isinstance(value, int | float | Decimal):
            continue
        name = ": ".join(str(row[n]) for n in labels if row[n])
        rows.append((name, float(value), limits.low, limits.high))
        called = str(row[verdict]) if verdict is not None else ""
        told.append((name, shown(value, column.kind), shown(limits, column.kind), called))
    if not rows:
        return None
    sentences = (f"{name} {value} ({limits}) {called}" for name, value, limits, called in told[:4])
    return Picture(
        title=table.title,
        told=f"{'; '.join(sentence.strip() for sentence in sentences)}.",
        svg=charts.intervals(
            rows, unit=column.title, share=column.kind in (Kind.POINTS, Kind.LIFT)
        ),
        head=("", column.title, "interval", "verdict"),
        rows=tuple(told),
    )


def over_time(source: Source, journey: Journey) -> Picture | None:
    """How the experiments' differences have settled, each arm a band."""
    found: list[tuple[str, Look]] = []
    for trial in trials(journey):
        goal = next(iter(trial.goals), None)
        if goal is None or trial.salt is None or not_measured(source, goal) is not None:
            continue
        found += [
            (f"{trial.path}: {one.arm}, {goal_name(goal)}", one)
            for one in looks(source, journey, trial, goal)
        ]
    return settling.over_time(found)


def losses(table: Table) -> Picture | None:
    """By the rule that said no."""
    at = {column.name: n for n, column in enumerate(table.columns)}
    lost = [
        (str(row[at["reason"]]), "times", float(str(row[at["times"]] or 0))) for row in table.rows
    ]
    return daily.reasons(lost, table.title, "times")


def histogram(table: Table, of: str, counted: str) -> Picture | None:
    if not table.rows:
        return None
    at = {column.name: n for n, column in enumerate(table.columns)}
    points = [(str(row[at[of]]), float(str(row[at[counted]] or 0))) for row in table.rows]
    of_column = table.columns[at[of]]
    name, most = max(points, key=lambda point: point[1])
    return Picture(
        title=table.title,
        told=f"Most {counted} have {name}: {most:,.0f}.",
        svg=charts.columns(points, unit=counted, of=of_column.title),
        head=tuple(column.title for column in table.columns),
        rows=_texts(table, table.columns),
    )


def reach(table: Table) -> Picture | None:
    """Per channel who has an address, has agreed, can be reached."""
    at = {column.name: n for n, column in enumerate(table.columns)}
    series = ["address", "consent", "reachable"]
    points = [
        (f"{row[0]}: {name}", "customers", float(str(row[at[name]] or 0)))
        for row in table.rows
        for name in series
    ]
    if not points:
        return None
    told = "; ".join(f"{row[0]} {row[at['reachable']]:,}" for row in table.rows)
    return Picture(
        title="who can be reached",
        told=f"Reachable: {told}.",
        svg=charts.bars(points, ["customers"], unit="customers"),
        head=("", "customers"),
        rows=tuple((name, f"{value:,.0f}") for name, _, value in points),
    )


def _texts(table: Table, columns: Sequence[Column]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(shown(cell, column.kind) for cell, column in zip(row, columns, strict=True))
        for row in table.rows
    )
