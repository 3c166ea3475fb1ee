"""``journey run``: tick, and deliver."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from journeylang.classes import dataclass
from journeylang.cli.project import (
    WRITERS,
    Instant,
    SpanOfTime,
    remembered_project,
    stop,
    utc_now,
)
from journeylang.cli.terminal import print_diagnostics

if TYPE_CHECKING:
    from journeylang.api import Runtime
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.engines.base import DatabaseUnavailableError, StatementError
    from journeylang.loading.project import LoadedProject
    from journeylang.runtime.session import TickResult


@dataclass(slots=True, kw_only=True)
class _Run:
    """What is run, and what has come of it so far."""

    loaded: LoadedProject
    env: str
    deliver: bool
    moves: bool = True
    gone_is_meant: bool = False
    real: bool = True
    now: datetime | None = None
    counted: datetime | None = None
    ticks: int = 0
    idle: int = 0
    entered: int = 0
    sent: int = 0
    skipped: int = 0
    delivered: int = 0
    failed: int = 0
    put_off: int = 0
    unknown: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)
    failed_somewhere: bool = False
    told: set[tuple[str, str]] = field(default_factory=set)

    def beat(self, now: datetime) -> None:
        """One tick of the real clock. A database that somebody else has is tried again later."""
        self.at(_Grid(now, timedelta(), 1), progress=False, patient=True)

    def at(self, instants: _Grid, *, progress: bool, patient: bool = False) -> None:
        """Open the database, tick at each instant, close it again: others may want it."""
        from journeylang.api import Runtime
        from journeylang.diagnostics.codes.running import DATABASE_IN_USE

        # Keys are counted once a day: it reads every table.
        count = self.counted is None or instants.start - self.counted >= timedelta(days=1)
        opened = Runtime.open(
            self.loaded,
            self.env,
            now=instants.start,
            examine_keys=count,
            moves=self.moves,
            writers=WRITERS,
            gone_is_meant=self.gone_is_meant,
        )
        if opened.value is None:
            if not patient or any(d.code is not DATABASE_IN_USE for d in opened.diagnostics):
                stop(opened.diagnostics, self.loaded)
            self._tell(opened.diagnostics)
            return
        if count:
            self.counted = instants.start
        with opened.value as runtime:
            try:
                for instant in _with_progress(instants, shown=progress):
                    self._tick(runtime, instant)
            finally:
                self._tell(runtime.problems)

    def _tick(self, runtime: Runtime, instant: datetime) -> None:
        from journeylang.engines.base import DatabaseUnavailableError, StatementError

        try:
            now = instant
            if self.moves:
                result = runtime.tick(instant)
                self._add(result)
                now = result.now
            if self.deliver:
                summary = runtime.deliver(now, running=self.real)
                self.delivered += summary.accepted
                self.failed += summary.failed
                self.put_off += summary.put_off
                self.unknown += summary.unknown
                for currency, amount in summary.costs.items():
                    self.costs[currency] = self.costs.get(currency, Decimal(0)) + amount
        except (StatementError, DatabaseUnavailableError) as error:
            stop([_refused_statement(error)], self.loaded)

    def _add(self, result: TickResult) -> None:
        self.now = result.now
        self.ticks += 1
        self.idle += result.idle
        self.entered += result.entered
        self.sent += result.sent
        self.skipped += result.skipped

    def _tell(self, problems: Iterable[Diagnostic]) -> None:
        """Each problem once, however many ticks it lasts."""
        new = [p for p in problems if (p.code.id, p.message) not in self.told]
        self.told.update((p.code.id, p.message) for p in new)
        self.failed_somewhere = self.failed_somewhere or any(p.is_error for p in new)
        print_diagnostics(new, self.loaded.sources, err=True)

    def line(self) -> str:
        """All of it in one line."""
        if not self.moves:
            return f"{', '.join(self._outcomes())}{self._paid()}"
        ticks = f"{self.ticks:,} tick{'' if self.ticks == 1 else 's'}"
        idle = f" ({self.idle:,} idle)" if self.idle else ""
        parts = [
            f"{self.entered:,} entered",
            f"{self.sent:,} messages decided",
            f"{self.skipped:,} not sent",
        ]
        if self.deliver:
            parts += self._outcomes()
        at = f"{self.now:%Y-%m-%d %H:%M} UTC: " if self.now is not None else ""
        return f"{at}{ticks}{idle}: {', '.join(parts)}{self._paid()}"

    def _outcomes(self) -> list[str]:
        rare = ((self.failed, "failed"), (self.put_off, "put off"), (self.unknown, "in doubt"))
        return [
            f"{self.delivered:,} delivered",
            *(f"{number:,} {words}" for number, words in rare if number),
        ]

    def _paid(self) -> str:
        return "".join(f", cost {amount:,f} {code}" for code, amount in self.costs.items())


def _refused_statement(error: StatementError | DatabaseUnavailableError) -> Diagnostic:
    from journeylang.api.applying import in_use
    from journeylang.diagnostics.codes.running import DATABASE_ERROR, DATABASE_UNAVAILABLE
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.engines.base import DatabaseUnavailableError
    from journeylang.runtime.lease import TakenOverError

    if isinstance(error, TakenOverError):
        return in_use(error.holder)
    if isinstance(error, DatabaseUnavailableError):
        return Diagnostic(
            code=DATABASE_UNAVAILABLE,
            message=f"the database is lost: {error}",
            help="nothing of this tick has happened; start the server and run again",
        )
    return Diagnostic(
        code=DATABASE_ERROR,
        message=f"the database refused a statement: {error}",
        help="nothing of this tick has happened; mend the database and run again",
    )


@click.command("run")
@click.argument("env", default="dev")
@click.option("--once", is_flag=True, help="One tick; the default.")
@click.option("--every", type=SpanOfTime(), help="Tick again and again: 1m.")
@click.option("--until", type=Instant(), help="With --every: stop at this instant.")
@click.option("--now", type=Instant(), help="Tick as if it were this instant.")
@click.option(
    "--from",
    "start",
    type=Instant(),
    envvar="JOURNEY_RUN_FROM",
    help="Virtual clock: the first tick.",
)
@click.option(
    "--to", "end", type=Instant(), envvar="JOURNEY_RUN_TO", help="Virtual clock: the last tick."
)
@click.option("--step", type=SpanOfTime(), help="Virtual clock: between ticks.  [default: 1h]")
@click.option(
    "--deliver/--no-deliver", default=True, show_default=True, help="Send what is decided."
)
@click.option(
    "--tick/--no-tick",
    "moves",
    default=True,
    show_default=True,
    help="Without: only send what was decided, beside the one that ticks.",
)
@click.option(
    "--accept-gone",
    is_flag=True,
    help="Whoever is missing from the customers has left, however many they are (JRN824).",
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
    moves: bool,
    accept_gone: bool,
) -> None:
    """Move people through the journeys of ENV, decide their messages and deliver them.

    A tick brings everybody to its instant. Ticks of a virtual clock (`--now`, or `--from …
    --to … --step 1h`) mean the same as those of the real one.
    """
    _consistent(once, every, until, now, start, end, step)
    if not moves and (not deliver or start is not None):
        raise click.UsageError("--no-tick delivers, and has no virtual clock; leave out the rest")
    if accept_gone and (every is not None or start is not None or not moves):
        raise click.UsageError(
            "--accept-gone is for one tick; leave out --every, --from and --no-tick"
        )
    loaded = remembered_project(env)
    if accept_gone:
        _let_leave(env)
    real = now is None and start is None
    run = _Run(
        loaded=loaded,
        env=env,
        deliver=deliver,
        moves=moves,
        gone_is_meant=accept_gone,
        real=real,
    )
    try:
        if every is not None:
            for instant in _beats(every, until):
                run.beat(instant)
                click.echo(run.line())
        else:
            run.at(_grid(start, end, step, now), progress=True)
            click.echo(run.line())
    except KeyboardInterrupt:
        if run.ticks and every is None:
            click.echo(run.line())
        raise
    if run.failed_somewhere:
        ctx.exit(1)


def _let_leave(env: str) -> None:
    """Also for the next tick of whoever else is at work on the environment."""
    from journeylang.cli.project import database
    from journeylang.runtime.gone import let_leave

    with database(env) as engine:
        let_leave(engine)


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
    if sum((once, every is not None, virtual)) > 1:
        raise click.UsageError("choose one of --once, --every and --from … --to")
    if now is not None and (virtual or every is not None):
        raise click.UsageError("--now is a single tick; leave out --every, --from and --to")
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to go together")
    if start is not None and end is not None and end < start:
        raise click.UsageError("--to lies before --from")
    if step is not None and not virtual:
        raise click.UsageError("--step goes with --from and --to")
    if until is not None and every is None:
        raise click.UsageError("--until goes with --every")
    if until is not None and until < utc_now():
        raise click.UsageError("--until lies in the past")


@dataclass(frozen=True, slots=True)
class _Grid:
    """The instants of a virtual clock, however many."""

    start: datetime
    step: timedelta
    count: int

    def __iter__(self) -> Iterator[datetime]:
        return (self.start + n * self.step for n in range(self.count))


def _grid(
    start: datetime | None, end: datetime | None, step: timedelta | None, now: datetime | None
) -> _Grid:
    if start is None or end is None:
        return _Grid(now if now is not None else utc_now(), timedelta(), 1)
    step = step or timedelta(hours=1)
    return _Grid(start, step, (end - start) // step + 1)


def _beats(every: timedelta, until: datetime | None) -> Iterator[datetime]:
    """Real instants, `every` apart as far as ticks are quick enough; an interrupt ends them."""
    while True:
        began = time.monotonic()
        yield utc_now()
        rest = max(0.0, every.total_seconds() - (time.monotonic() - began))
        if until is not None and utc_now() + timedelta(seconds=rest) > until:
            return
        time.sleep(rest)


def _with_progress(instants: _Grid, *, shown: bool) -> Iterator[datetime]:
    from journeylang.cli.terminal import console

    screen = console(err=True)
    if not shown or instants.count < 2 or not screen.is_terminal:
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
        task = bar.add_task("", total=instants.count)
        for instant in instants:
            bar.update(task, description=f"{instant:%Y-%m-%d %H:%M}")
            yield instant
            bar.advance(task)
