"""How a dry run looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.simulate import telling

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from journeylang.simulate.forecast import Course, Forecast, Power


def show(forecast: Forecast, screen: Console) -> None:
    """All of it, the sums first and what fails last."""
    screen.print(telling.heading(forecast))
    screen.print(telling.behaviour(forecast), style="dim")
    screen.print(telling.way(forecast), style="dim")
    for note in forecast.notes:
        screen.print(f"note: {note}", style="dim")
    screen.print()
    screen.print(_head(telling.summary(forecast)))
    if forecast.days:
        screen.print(_days(forecast))
    for course in forecast.courses:
        _course(course, screen)
    for power in forecast.experiments:
        _power(power, screen)
    if forecast.loads:
        screen.print()
        screen.print(_head("providers"))
        screen.print(_loads(forecast))
    if forecast.verdicts:
        screen.print()
        screen.print(_head("targets"))
        screen.print(_verdicts(forecast))


def _head(words: str) -> Text:
    from rich.text import Text

    return Text(words, style="bold")


def _table(*columns: str, right: int = 0) -> Table:
    """The first columns are text, those from `right` on are figures."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for n, name in enumerate(columns):
        table.add_column(name, justify="right" if right and n >= right else "left", overflow="fold")
    return table


def _days(forecast: Forecast) -> Table:
    channels, days = telling.by_day(forecast)
    table = _table("day", *channels, right=1)
    for date, counts in days:
        table.add_row(date, *(telling.count(c) if c.value else "" for c in counts))
    return table


def _course(course: Course, screen: Console) -> None:
    screen.print()
    title = f"  {course.title}" if course.title else ""
    screen.print(_head(f"{course.journey}{title}"))
    for line in telling.course(course):
        screen.print(f"  {line}")
    if not course.steps:
        return
    table = _table("  step", "came", "sent", "not sent", "held at first")
    table.columns[1].justify = table.columns[2].justify = "right"
    for column in table.columns[:3]:
        # Lists of reasons give way: a name in two parts is none.
        column.no_wrap = True
    for step in course.steps:
        table.add_row(
            f"  {step.path}",
            telling.count(step.came),
            "" if step.sent is None else telling.count(step.sent),
            telling.listed(step.not_sent),
            telling.listed(step.held),
        )
    screen.print(table)


def _power(power: Power, screen: Console) -> None:
    screen.print()
    screen.print(_head(f"{power.journey}/{power.experiment}  {power.goal}"))
    for arm in power.arms:
        exposed = telling.count(arm.exposed)
        reached = f"reached by {telling.rate(arm)}" if arm.judged else telling.rate(arm)
        screen.print(f"  {arm.name}: {exposed} exposed; {reached}")
    screen.print(f"  {telling.power(power)}")


def _loads(forecast: Forecast) -> Table:
    table = _table("provider", "channels", "messages", "most at once", "at")
    table.columns[2].justify = table.columns[3].justify = "right"
    for load in forecast.loads:
        table.add_row(
            load.provider,
            ", ".join(load.channels),
            telling.count(load.messages),
            telling.count(load.peak),
            f"{load.peak_at:%Y-%m-%d %H:%M}",
        )
    return table


def _verdicts(forecast: Forecast) -> Table:
    table = _table("journey", "target", "", "figure")
    style = {True: "green", False: "bold red", None: "dim"}
    for verdict in forecast.verdicts:
        from rich.text import Text

        table.add_row(
            verdict.journey or "",
            verdict.target,
            Text(telling.verdict(verdict), style=style[verdict.met]),
            telling.reason(verdict),
        )
    return table
