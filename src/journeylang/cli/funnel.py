"""How the demo's figures look in a terminal of eighty columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from journeylang.demo.figures import Counts, Funnel, Share, Trial


def heading(title: str, rest: str = "") -> Text:
    """A name that stands out, and what it is about."""
    from rich.text import Text

    return Text.assemble((title, "bold"), ("  " + rest) if rest else "")


def overview(funnel: Funnel) -> str:
    """One line on who came: `2,350 entered, 229 of them held out; 640 are inside`."""
    apart = [
        f"{number:,} {what}"
        for number, what in (
            (funnel.held_out, "held out"),
            (funnel.control, "in the control group"),
        )
        if number
    ]
    of_them = f", of these {' and '.join(apart)}" if apart else ""
    return f"{funnel.entered:,} entered{of_them}; {funnel.inside:,} are still inside"


def sends(funnel: Funnel) -> Table:
    """What each send step sent, by channel, and what it did not, by reason."""
    table = _table()
    table.add_column("send", overflow="fold")
    table.add_column("sent", justify="right")
    table.add_column("by")
    table.add_column("not sent", overflow="fold")
    for step in funnel.sends:
        several = len(step.by_channel) > 1
        table.add_row(
            step.step,
            f"{step.sent:,}",
            listed(step.by_channel) if several else "".join(name for name, _ in step.by_channel),
            listed(step.not_sent),
        )
    return table


def outcome(funnel: Funnel) -> list[str]:
    """How the runs ended, and how many of whom reached the goal."""
    lines = []
    if funnel.left:
        lines.append(f"left by: {listed(funnel.left)}")
    if funnel.shares:
        lines.append(f"{funnel.goal}: {'; '.join(share(s) for s in funnel.shares)}")
    return lines


def trials(figures: Iterable[Trial]) -> Table:
    """The arms of experiments, each control arm first."""
    table = _table()
    table.add_column("experiment")
    table.add_column("arm")
    table.add_column("customers", justify="right")
    table.add_column("reached", justify="right")
    table.add_column("share", justify="right")
    table.add_column("the goal")
    for trial in figures:
        name, goal = f"{trial.journey}/{trial.experiment}", trial.goal
        for arm in trial.arms:
            table.add_row(
                name,
                arm.name,
                f"{arm.customers:,}",
                f"{arm.reached:,}",
                f"{arm.percent:.1f}%",
                goal,
            )
            name = goal = ""
    return table


def share(figures: Share) -> str:
    return f"{figures.percent:.1f}% of {figures.customers:,} {figures.name}"


def listed(counts: Counts) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts)


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
