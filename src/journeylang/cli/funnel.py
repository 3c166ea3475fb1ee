"""How the demo's figures look in a terminal of eighty columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from journeylang.demo.figures import CONTROL_GROUP

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from journeylang.demo.figures import Counts, Funnel, Share, Trial


def heading(title: str, rest: str = "") -> Text:
    """A name that stands out, and what it is about."""
    from rich.text import Text

    return Text.assemble((title, "bold"), ("  " + rest) if rest else "")


def overview(funnel: Funnel) -> str:
    """One line on who came: `2,350 entered: 229 held out, 640 still inside`."""
    parts = (
        (funnel.held_out, "held out"),
        (funnel.control, "in the control group"),
        (funnel.inside, "still inside"),
    )
    shown = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"{funnel.entered:,} entered" + (f": {shown}" if shown else "")


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
    """How the runs ended, and how many of whom reached the goal: those held out beside."""
    lines = []
    if funnel.left:
        lines.append(f"left by: {listed(funnel.left)}")
    shares = [share(s) for s in funnel.shares if s.name != CONTROL_GROUP]
    if shares:
        lines.append(f"{funnel.goal}: {', '.join(shares)}")
    return lines


def trials(figures: Iterable[Trial]) -> Table:
    """The arms of experiments, each control arm first."""
    table = _table()
    table.add_column("experiment")
    table.add_column("arm")
    table.add_column("customers", justify="right")
    table.add_column("reached", justify="right")
    table.add_column("share", justify="right")
    for trial in figures:
        name = f"{trial.journey}/{trial.experiment}"
        for arm in trial.arms:
            table.add_row(
                name,
                arm.name,
                f"{arm.customers:,}",
                f"{arm.reached:,}",
                f"{arm.percent:.1f}%",
            )
            name = ""
    return table


def share(figures: Share) -> str:
    return f"{figures.percent:.1f}% of {figures.customers:,} {figures.name}"


def listed(counts: Counts) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts)


def _table() -> Table:
    from rich.table import Table

    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
