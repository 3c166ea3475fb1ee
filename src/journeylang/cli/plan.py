"""``journey plan`` and ``journey apply``: what would be done, and doing it."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import Instant, remembered_project, stop, utc_now
from journeylang.cli.terminal import print_diagnostics, wants_colour

if TYPE_CHECKING:
    from journeylang.api.deploying import Planned
    from journeylang.deploy.plan import Plan
    from journeylang.deploy.saved import SavedPlan
    from journeylang.loading.project import LoadedProject

CHANGES, MOVES_PEOPLE = 3, 4
"""Exit codes of `--detailed-exitcode`."""

_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


@click.command("plan")
@click.argument("env", default="dev")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the plan to a file, for `journey apply`.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option("--revision", type=int, help="Of what was applied then, rather than of the files.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 3 if there are changes, and with 4 if people move or leave by them.",
)
@click.option(
    "--simulate",
    "simulated",
    type=click.IntRange(1, 400),
    metavar="DAYS",
    help="Volume and cost of so many days to come, by dry runs; else as in the last ones.",
)
@click.option("--now", type=Instant(), help="As if it were this instant.")
@click.pass_context
def command(
    ctx: click.Context,
    env: str,
    out: Path | None,
    output: str,
    revision: int | None,
    detailed_exitcode: bool,
    simulated: int | None,
    now: datetime | None,
) -> None:
    """Show what an apply to ENV would do, to definitions and to people in flight, with counts.

    Nothing is changed. It exits with 1 if the apply would be refused.
    """
    from journeylang.api.deploying import save_plan

    loaded = _project(env, revision)
    at = now or utc_now()
    planned = _plan(loaded, env, at, simulated)
    plan = planned.plan
    show(plan, env, output)
    print_diagnostics(planned.diagnostics, loaded.sources, err=True)
    if plan.refused:
        ctx.exit(1)
    if out is not None:
        try:
            out.write_text(save_plan(loaded, env, planned, at), encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"`{out}` can't be written: {error.strerror}") from None
        click.echo(f"`journey apply {env} {out}` does exactly this", err=True)
    if detailed_exitcode and plan.journeys:
        ctx.exit(MOVES_PEOPLE if plan.affected else CHANGES)


@click.command("apply")
@click.argument("env", required=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--revision", type=int, help="Apply what was applied then: back to it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--now", type=Instant(), help="As if it were this instant.")
@click.pass_context
def apply_command(
    ctx: click.Context,
    env: str | None,
    file: Path | None,
    revision: int | None,
    yes: bool,
    now: datetime | None,
) -> None:
    """Apply the project to ENV, or exactly what the plan in FILE says.

    The plan is shown first, and asked for on a terminal. What would strand people or spoil an
    experiment is refused, and so is a plan that the database has moved on from. It exits with 1
    if the answer is no.
    """
    from journeylang.api.deploying import apply_project, planned_project, still_holds

    if file is None and env is not None and Path(env).is_file():
        file, env = Path(env), None
    if file is not None and revision is not None:
        raise click.UsageError("a plan file says what is applied; leave out --revision")
    saved = _saved(file) if file is not None else None
    env = env or (saved.env if saved is not None else "dev")
    at = now or utc_now()
    loaded = _project(env, revision)
    if saved is not None:
        found = planned_project(loaded, saved)
        if found.value is None:
            stop(found.diagnostics, code=1)
        loaded = found.value
    planned = _plan(loaded, env, at, saved=saved)
    if saved is not None:
        moved_on = still_holds(saved, planned)
        if moved_on:
            stop(moved_on, code=1)
    show(planned.plan, env, "text")
    print_diagnostics(planned.diagnostics, loaded.sources, err=True)
    if planned.plan.refused:
        ctx.exit(1)
    if planned.plan.journeys and saved is None and not yes and sys.stdin.isatty():
        click.confirm(f"\nApply this to {env}?", abort=True, err=True)
    if revision is not None and loaded.config.applies_by_itself(env):
        click.echo(f"`{env}` applies by itself: the next run applies the files again", err=True)
    done = apply_project(loaded, env, now=at, planned=planned)
    if done.value is None:
        stop(done.diagnostics, loaded, code=1)
    click.echo(f"\nApplied: `{env}` runs revision {done.value}.")


def _project(env: str, revision: int | None) -> LoadedProject:
    from journeylang.api.deploying import at_revision

    loaded = remembered_project(env)
    if revision is None:
        return loaded
    found = at_revision(loaded, env, revision)
    if found.value is None:
        stop(found.diagnostics, loaded)
    return found.value


def _plan(
    loaded: LoadedProject,
    env: str,
    now: datetime,
    simulated: int | None = None,
    saved: SavedPlan | None = None,
) -> Planned:
    from journeylang.api.deploying import plan_project
    from journeylang.diagnostics.codes.versions import PLAN_ELSEWHERE

    planned = plan_project(loaded, env, now=now, simulated=simulated, saved=saved)
    if planned.value is None:
        # A plan that is refused is an answer; a database that cannot be asked is none.
        elsewhere = any(one.code is PLAN_ELSEWHERE for one in planned.diagnostics)
        stop(planned.diagnostics, loaded, code=1 if elsewhere else 2)
    return planned.value


def _saved(file: Path) -> SavedPlan:
    from journeylang.deploy.saved import read_plan

    read = read_plan(file)
    if read.value is None:
        stop(read.diagnostics, code=1)
    return read.value


def show(plan: Plan, about: str, output: str) -> None:
    """The plan on standard output: as text in the width and colours of the terminal."""
    from journeylang.deploy.show import as_json, markdown, text

    match output:
        case "json":
            click.echo(json.dumps(as_json(plan), indent=2))
        case "markdown":
            click.echo(markdown(plan, about))
        case _:
            colour = wants_colour(sys.stdout)
            width = min(100, max(60, shutil.get_terminal_size().columns))
            click.echo(text(plan, width, _coloured if colour else _bare), color=colour)


def _coloured(words: str, kind: str) -> str:
    if kind == "breaking":
        return click.style(words, fg="red", bold=True)
    if kind == "dim":
        return click.style(words, dim=True)
    return click.style(words, fg=_COLOURS[kind]) if kind in _COLOURS else words


def _bare(words: str, _: str) -> str:
    return words
