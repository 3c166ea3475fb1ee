"""``journey demo``: a small shop, its journeys, and thirty virtual days of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.classes import dataclass
from journeylang.cli.project import SpanOfTime, stop
from journeylang.cli.terminal import console, print_diagnostics

if TYPE_CHECKING:
    from rich.progress import Progress

    from journeylang.demo.days import Days
    from journeylang.demo.shop import Shop
    from journeylang.engines.base import Engine
    from journeylang.loading.project import LoadedProject

ENV = "dev"

_OTHERS = (
    ("failed", "failed"),
    ("cancelled", "called back"),
    ("expired", "too late"),
    ("queued", "queued"),
)

NOTICED = 3
"""So many warnings are shown; each journey that has met a bad address has its own."""


@click.command("demo")
@click.argument(
    "directory",
    metavar="[DIR]",
    default="journey-demo",
    type=click.Path(file_okay=False, path_type=Path),
)
@click.option(
    "--customers",
    type=click.IntRange(1, 5_000_000),
    default=50_000,
    show_default=True,
    help="How many customers the shop has.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    help="How many virtual days to run.",
)
@click.option(
    "--step", type=SpanOfTime(), default="1d", show_default=True, help="Time between ticks."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other people.")
@click.option(
    "--deliver/--no-deliver",
    default=True,
    show_default=True,
    help="Write the messages as files into DIR/outbox.",
)
@click.option(
    "--database",
    metavar="ADDRESS",
    help="An empty PostgreSQL database: `postgresql://…`, or `env:NAME`.  [default: a DuckDB file]",
)
@click.option("--force", is_flag=True, help="Make a demo that is there anew.")
def command(
    directory: Path,
    customers: int,
    days: int,
    step: timedelta,
    seed: int,
    deliver: bool,
    database: str | None,
    force: bool,
) -> None:
    """Make a small shop in DIR and run thirty virtual days of its five journeys.

    Everything stays on this machine: the shop is a DuckDB file, and each message becomes a file.
    With `--database` the shop is in that database instead, in schemas of its own.
    """
    from journeylang.demo.place import PlaceTakenError, prepare
    from journeylang.demo.shop import Shop

    began = time.monotonic()
    shop = Shop(customers=customers, days=days, seed=seed)
    try:
        with _server(database, anew=force) as engine:
            prepare(directory, anew=force)
            _make(directory, shop, engine)
        loaded = _project(directory, database)
    except PlaceTakenError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot write {directory}: {error.strerror}") from None
    result = _run(loaded, shop, step, deliver=deliver)
    _show(result, directory, time.monotonic() - began, database)
    if any(problem.is_error for problem in result.problems):
        raise click.exceptions.Exit(1)


@contextmanager
def _server(database: str | None, *, anew: bool) -> Iterator[Engine | None]:
    """The PostgreSQL database that is asked for, if it is free for a demo."""
    if database is None:
        yield None
        return
    from journeylang.api.database import PASSWORD, POSTGRES_SCHEMES
    from journeylang.demo.server import DatabaseTakenError, refuse_taken
    from journeylang.engines.base import DatabaseUnavailableError, StatementError
    from journeylang.engines.postgres import PostgresEngine
    from journeylang.loading.secrets import secret

    if PASSWORD.search(database):
        raise click.UsageError(
            "`--database` has a password in it, and `journey.toml` would: put the address into a"
            " variable, and name that: `--database env:DATABASE_URL`"
        )
    found = secret(database, os.environ)
    if found.value is None:
        stop(found.diagnostics)
    if found.value.partition("://")[0] not in POSTGRES_SCHEMES:
        raise click.UsageError(
            "`--database` is no address of PostgreSQL: `postgresql://user@host/database`; without"
            " it the shop is a DuckDB file"
        )
    try:
        engine = PostgresEngine.open(found.value)
        try:
            refuse_taken(engine, anew=anew)
            yield engine
        finally:
            engine.close()
    except DatabaseTakenError as error:
        raise click.ClickException(str(error)) from None
    except DatabaseUnavailableError as error:
        raise click.ClickException(f"the PostgreSQL database can't be opened: {error}") from None
    except StatementError as error:
        raise click.ClickException(f"the database does not take the shop: {error}") from None


def _make(directory: Path, shop: Shop, engine: Engine | None) -> None:
    from journeylang.demo.place import DATABASE
    from journeylang.demo.server import make_there
    from journeylang.demo.shop import make

    with _bar(f"A shop of {shop.customers:,} customers") as bar:

        def tell(name: str, done: int, parts: int) -> None:
            bar.at(done, parts, f"the {name}")

        if engine is None:
            rows = make(directory / DATABASE, shop, tell)
        else:
            rows = make_there(engine, shop, tell)
    click.echo(
        f"Made a shop of {rows['crm.customers']:,} customers, {rows['shop.orders']:,} orders"
        f" and {rows['shop.visits']:,} visits."
    )


def _project(directory: Path, database: str | None) -> LoadedProject:
    from journeylang.api import load
    from journeylang.demo.place import write_project

    files = write_project(directory, database)
    loading = load(directory, ENV)
    loaded = loading.outcome.value
    if loaded is None or not loading.outcome.ok:
        # Only what was added by hand to a demo that was there can be wrong.
        stop(loading.diagnostics, loading, code=1)
    click.echo(
        f"Wrote and checked the project: {files} files, {len(loaded.project.journeys)} journeys,"
        " nothing found."
    )
    return loaded


def _run(loaded: LoadedProject, shop: Shop, step: timedelta, *, deliver: bool) -> Days:
    from journeylang.demo.days import grid, run_days

    # With a tick a day at midnight, quiet hours would let nothing through; at one in the
    # afternoon, UTC, it is day for nearly all of the shop's customers.
    first = timedelta(hours=13) if step >= timedelta(days=1) else timedelta()
    instants = grid(shop.opening + first, shop.last, step)
    done = 0
    with _bar(f"{shop.days} virtual days") as bar:

        def tell(now: datetime) -> None:
            nonlocal done
            bar.at(done, len(instants), f"{now:%a %d %b %Y, %H:%M}")
            done += 1

        outcome = run_days(loaded, ENV, instants, deliver=deliver, progress=tell)
    if outcome.value is None:
        stop(outcome.diagnostics, loaded)
    days = outcome.value
    click.echo(
        f"Ran {shop.days} virtual days in {days.ticks:,} ticks: {days.entered:,} entries,"
        f" {days.sent:,} messages decided, {days.skipped:,} not sent."
    )
    if deliver:
        others = [
            f"{days.states[state]:,} {what}" for state, what in _OTHERS if days.states.get(state)
        ]
        rest = f" ({', '.join(others)})" if others else " into files"
        click.echo(f"Delivered {days.states.get('accepted', 0):,} messages{rest}.")
    print_diagnostics((p for p in days.problems if p.is_error), loaded.sources, err=True)
    return days


def _show(days: Days, directory: Path, seconds: float, database: str | None) -> None:
    from rich.padding import Padding

    from journeylang.cli import funnel
    from journeylang.demo.place import DATABASE, OUTBOX

    screen = console()
    for figures in days.funnels:
        screen.print()
        screen.print(funnel.heading(figures.journey, figures.title))
        screen.print(Padding(funnel.overview(figures), (0, 0, 0, 2)), style="dim")
        screen.print(Padding(funnel.sends(figures), (0, 0, 0, 2)))
        for line in funnel.outcome(figures):
            screen.print(Padding(line, (0, 0, 0, 2)))
    if days.trials:
        screen.print()
        screen.print(
            funnel.heading(
                "experiments", "who has reached the journey's goal so far, in plain counts"
            )
        )
        screen.print(Padding(funnel.trials(days.trials), (0, 0, 0, 2)))
    for sample in days.samples:
        screen.print()
        screen.print(funnel.heading(sample.channel, f"{sample.journey}/{sample.step}"))
        if sample.subject:
            screen.print(Padding(sample.subject, (0, 0, 0, 2)), style="bold")
        for line in sample.lines:
            screen.print(Padding(line, (0, 0, 0, 2)), style="dim")
    noticed = [problem for problem in days.problems if not problem.is_error]
    if noticed:
        screen.print()
        screen.print(funnel.heading("noticed", "and the rest went on"))
        for problem in noticed[:NOTICED]:
            screen.print(Padding(f"{problem.code.id} {problem.message}", (0, 0, 0, 2)))
        if len(noticed) > NOTICED:
            screen.print(f"  and {len(noticed) - NOTICED} more of the kind")
    places: list[tuple[str, object]] = [("database", database or directory / DATABASE)]
    places.append(("journeys", directory / "journeys"))
    if days.samples:
        places.append(("messages", directory / OUTBOX))
    screen.print()
    for what, path in places:
        screen.print(f"{what:<9} {path}", soft_wrap=True)
    screen.print(f"\nAll of it took {seconds:.0f} s. What to try next:")
    for line in _next(directory):
        screen.print(f"  {line}", soft_wrap=True)


def _next(directory: Path) -> tuple[str, ...]:
    return (
        f"journey -C {directory} test --coverage",
        f"journey -C {directory} status",
        f"journey -C {directory} graph welcome",
        f"journey -C {directory} report --open",
        f"journey -C {directory} compile --emit sql",
        "SQL on the views journey.runs, journey.messages, journey.non_sends,",
        "journey.exposures and journey.history of the database",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """A progress bar; without `progress` (no terminal) nothing is shown."""

    progress: Progress | None = None

    def at(self, done: int, of: int, what: str) -> None:
        """How far it has come, and what is done now."""
        if self.progress is not None:
            for task in self.progress.task_ids:
                self.progress.update(task, completed=done, total=of, description=what)


@contextmanager
def _bar(title: str) -> Iterator[_Bar]:
    """A bar that goes away when it is done."""
    screen = console(err=True)
    if not screen.is_terminal:
        yield _Bar()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        progress.add_task("")
        yield _Bar(progress=progress)
