"""``journey status``: where everybody is, what waits to be delivered, what is doubtful."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from journeylang.cli.project import SpanOfTime, load_project, opened, utc_now

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from journeylang.engines.base import Engine
    from journeylang.loading.project import LoadedProject

_WIDEST = 32
_MOST = 20
"""So many messages in doubt are shown one by one."""


@click.command("status")
@click.argument("env", default="dev")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--verify",
    is_flag=True,
    help="Ask everybody what is otherwise asked of those with news, and compare.",
)
@click.option(
    "--max-lag",
    type=SpanOfTime(),
    help="Alarm if the last tick, or a message that may go out, is older than this by the clock.",
)
@click.pass_context
def command(
    ctx: click.Context, env: str, output: str, verify: bool, max_lag: timedelta | None
) -> None:
    """Show what is paused, runs per step, messages and calls by state, and what is in doubt.

    The exit code is 1 on an alarm: runs wait although their time came before the tick before
    the latest one, a guard or a template has paused a journey, or things are older than --max-lag;
    and with --verify if the next tick would miss somebody.
    """
    from journeylang.api.standing import standing

    loaded = load_project(env)
    with opened(loaded, env) as engine:
        found = standing(engine, loaded, utc_now(), max_lag)
        if verify:
            found["verified"] = _verified(engine, loaded) if found["now"] is not None else []
    if output == "json":
        click.echo(json.dumps({"format_version": 1, **found}, indent=2, default=_plain))
    elif found["now"] is None:
        click.echo(f"nothing has run in `{env}` yet: `journey run {env}`")
    else:
        _show(found)
    if found["alarms"] or any(row["missed"] for row in found.get("verified", ())):
        ctx.exit(1)


def _verified(engine: Engine, loaded: LoadedProject) -> list[dict[str, Any]]:
    """What would be missed; nothing is changed by it."""
    from journeylang.api.program import template_entry_fields
    from journeylang.runtime.verify import verify

    compared = verify(
        engine,
        loaded.project,
        template_entry_fields=template_entry_fields(loaded),
        templates=loaded.template_texts(),
    )
    return [dataclasses.asdict(one) for one in compared]


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _show(found: dict[str, Any]) -> None:
    from journeylang.cli.terminal import console

    screen = console()
    screen.print(f"{found['ticks']:,} ticks, the last at {found['now']:%Y-%m-%d %H:%M} UTC")
    for row in found["alarms"]:
        screen.print(f"ALARM: {row['detail']}", style="red")
    screen.print()
    still = _table("paused", "since", "by", "why")
    for row in found["paused"]:
        since = f"{row['since']:%Y-%m-%d %H:%M}"
        still.add_row(row["journey"], since, row["cause"], row["detail"])
    for row in found["paused_channels"]:
        since = f"{row['since']:%Y-%m-%d %H:%M}"
        still.add_row(f"channel {row['channel']}", since, row["cause"], row["detail"])
    _print(screen, still)
    guards = _table("guard of", "guard", "is", "")
    for row in found["guards"]:
        word = "holds" if row["holds"] else "BROKEN"
        judged = word if row["judged"] else "too few to judge"
        guards.add_row(row["journey"], row["guard"].removeprefix("guard "), row["figure"], judged)
    _print(screen, guards)
    runs = _table("journey", "at", "people", "next wake")
    for row in found["runs"]:
        wake = f"{row['next_wake']:%Y-%m-%d %H:%M}" if row["next_wake"] else ""
        overdue = f" ({row['overdue']:,} overdue)" if row["overdue"] else ""
        at = _path(row["step"]) if row["status"] == "active" else f"({row['status']})"
        runs.add_row(row["journey"], at, f"{row['runs']:,}", wake + overdue)
    _print(screen, runs)
    messages = _table("channel", "state", "messages")
    for row in found["messages"]:
        messages.add_row(row["channel"], row["state"], f"{row['messages']:,}")
    _print(screen, messages)
    calls = _table("service", "state", "calls")
    for row in found["calls"]:
        calls.add_row(row["service"], row["state"], f"{row['calls']:,}")
    _print(screen, calls)
    skips = _table("journey", "step", "not sent because", "times")
    for row in found["non_sends"]:
        step = _path(row["step"]) if row["step"] else "(entry)"
        skips.add_row(row["journey"], step, row["reason"], f"{row['count']:,}")
    _print(screen, skips)
    suppressed = _table("suppressed", "because", "people")
    for row in found["suppressed"]:
        suppressed.add_row(row["channel"], row["reason"], f"{row['count']:,}")
    _print(screen, suppressed)
    doubts = _table("in doubt", "journey", "step", "channel", "since", "why")
    for row in found["doubtful"][:_MOST]:
        since = f"{row['since']:%Y-%m-%d %H:%M}"
        what = (row["journey"], row["step"], row["channel"], since, row["detail"] or "")
        doubts.add_row(row["message"], *what)
    _print(screen, doubts)
    if len(found["doubtful"]) > _MOST:
        screen.print(
            f"and {len(found['doubtful']) - _MOST:,} more in doubt; `--output json` has all"
        )
    _print(screen, _compared(found.get("verified", [])))


def _path(path: str) -> str:
    """A step's path; a long one goes on below, behind a slash."""
    head, slash, tail = path[:_WIDEST].rpartition("/")
    if len(path) <= _WIDEST or not slash:
        return path
    return f"{head}/\n  {_path(tail + path[_WIDEST:])}"


def _compared(verified: list[dict[str, Any]]) -> Table:
    table = _table("asked by news", "condition", "would be missed", "for example")
    for row in verified:
        missed = f"{row['missed']:,}" if row["missed"] else "nobody"
        more = ", …" if row["missed"] > len(row["customers"]) else ""
        table.add_row(row["journey"], row["asks"], missed, ", ".join(row["customers"]) + more)
    return table


def _print(screen: Console, table: Table) -> None:
    if table.row_count:
        screen.print(table)
        screen.print()


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in columns:
        numeric = name in ("people", "messages", "calls", "times")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    return table
