"""``journey run``: tick, and deliver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import Instant, SpanOfTime, load_project, stop, utc_now
from journeylang.cli.terminal import print_diagnostics

if TYPE_CHECKING:
    from journeylang.api import Runtime
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.project import LoadedProject
    from journeylang.runtime.tick import TickResult


@dataclass(slots=True)
class _Sum:
    ticks: int = 0
    idle: int = 0
    entered: int = 0
    moved: int = 0
    sent: int = 0
    skipped: int = 0
    delivered: int = 0
    failed: int = 0

    def add(self, result: TickResult) -> None:
        self.ticks += 1
        self.idle += result.idle
        self.entered += result.entered
        self.moved += result.moved
        self.sent += result.sent
        self.skipped += result.skipped


@click.command("run")
@click.argument("env", default="dev")
@click.option("--once", is_flag=True, help="One tick; the default.")
@click.option("--every", type=SpanOfTime(), help="Tick again and again: 1m.")
@click.option("--until", type=Instant(), help="With --every: stop at this instant.")
@click.option("--now", type=Instant(), help="Tick as if it were this instant.")
@click.option("--from", "start", type=Instant(), help="Virtual clock: the first tick.")
@click.option("--to", "end", type=Instant(), help="Virtual clock: the last tick.")
@click.option("--step", type=SpanOfTime(), help="Virtual clock: between ticks.  [default: 1h]")
@click.option(
    "--deliver/--no-deliver", default=True, show_default=True, help="Send what is decided."
)
@click.pass_context
def command(
    ctx: click.Context,
    env: str,
    once: bool,
    every: timedelta | None,
    until: datetime | None,
    now: datetime | None,
    start: datetime | None,
    end: datetime | None,
    step: timedelta | None,
    deliver: bool,
) -> None:
    """Move people through the journeys of ENV, decide their messages and deliver them.

    A tick brings everybody to its instant. Ticks of a virtual clock (`--now`, or `--from …
    --to … --step 1h`) mean the same as those of the real one.
    """
    _consistent(once, every, until, now, start, end, step)
    loaded = load_project(env)
    if not loaded.config.applies_by_itself(env):
        _refuse_unapplied(loaded, env)
    total = _Sum()
    problems: list[Diagnostic] = []
    if every is not None:
        for instant in _beats(every, until):
            problems = _open_and_tick(loaded, env, [instant], deliver, total, progress=False)
            if _shown(problems, loaded):
                click.echo(_line(total, instant))
    else:
        instants = (
            _grid(start, end, step or timedelta(hours=1))
            if start is not None and end is not None
            else [now if now is not None else utc_now()]
        )
        problems = _open_and_tick(loaded, env, instants, deliver, total, progress=True)
        _shown(problems, loaded)
        click.echo(_line(total, instants[-1]))
    if any(p.is_error for p in problems):
        ctx.exit(1)


def _consistent(
    once: bool,
    every: timedelta | None,
    until: datetime | None,
    now: datetime | None,
    start: datetime | None,
    end: datetime | None,
    step: timedelta | None,
) -> None:
    virtual = start is not None or end is not None
    if sum((once, every is not None, virtual)) > 1 or (now is not None and (virtual or every)):
        raise click.UsageError("choose one of --once, --every and --from … --to")
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to go together")
    if start is not None and end is not None and end < start:
        raise click.UsageError("--to lies before --from")
    if step is not None and not virtual:
        raise click.UsageError("--step goes with --from and --to")
    if until is not None and every is None:
        raise click.UsageError("--until goes with --every")


def _refuse_unapplied(loaded: LoadedProject, env: str) -> None:
    from journeylang.diagnostics.codes.syntax import NOT_SUPPORTED_YET
    from journeylang.diagnostics.model import Diagnostic

    stop(
        [
            Diagnostic(
                code=NOT_SUPPORTED_YET,
                message=f"`{env}` runs what was applied to it, and applying is not supported yet",
                help=f"let it apply by itself: `auto_apply = true` in `[env.{env}]`",
            )
        ],
        loaded,
    )


def _grid(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    return [start + n * step for n in range((end - start) // step + 1)]


def _beats(every: timedelta, until: datetime | None) -> Iterator[datetime]:
    """Real instants, `every` apart as far as ticks are quick enough; an interrupt ends them."""
    while True:
        began = time.monotonic()
        now = utc_now()
        if until is not None and now > until:
            return
        yield now
        time.sleep(max(0.0, every.total_seconds() - (time.monotonic() - began)))


def _open_and_tick(
    loaded: LoadedProject,
    env: str,
    instants: list[datetime],
    deliver: bool,
    total: _Sum,
    *,
    progress: bool,
) -> list[Diagnostic]:
    """Open the database, tick at each instant, close it again: others may want it."""
    from journeylang.api import Runtime

    opened = Runtime.open(loaded, env, now=instants[0])
    if opened.value is None:
        stop(opened.diagnostics, loaded)
    with opened.value as runtime:
        for instant in _with_progress(instants, shown=progress):
            total.add(runtime.tick(instant))
            if deliver:
                _deliver(runtime, instant, total)
        return list(runtime.problems)


def _deliver(runtime: Runtime, now: datetime, total: _Sum) -> None:
    summary = runtime.deliver(now)
    total.delivered += summary.accepted
    total.failed += summary.failed


def _with_progress(instants: list[datetime], *, shown: bool) -> Iterator[datetime]:
    from journeylang.cli.terminal import console

    screen = console(err=True)
    if not shown or len(instants) < 2 or not screen.is_terminal:
        yield from instants
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} ticks"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=len(instants))
        for instant in instants:
            bar.update(task, description=f"{instant:%Y-%m-%d %H:%M}")
            yield instant
            bar.advance(task)


def _shown(problems: list[Diagnostic], loaded: LoadedProject) -> bool:
    if problems:
        print_diagnostics(problems, loaded.sources, err=True)
    return True


def _line(total: _Sum, now: datetime) -> str:
    ticks = f"{total.ticks:,} tick{'' if total.ticks == 1 else 's'}"
    idle = f" ({total.idle:,} idle)" if total.idle else ""
    parts = [
        f"{total.entered:,} entered",
        f"{total.sent:,} messages decided",
        f"{total.skipped:,} not sent",
        f"{total.delivered:,} delivered",
    ]
    if total.failed:
        parts.append(f"{total.failed:,} failed")
    return f"{now:%Y-%m-%d %H:%M} UTC: {ticks}{idle}: {', '.join(parts)}"
