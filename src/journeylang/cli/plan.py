"""``journey plan``: what an apply would do."""

from __future__ import annotations

import json

import click

from journeylang.cli.project import Instant, load_project, stop, utc_now
from journeylang.cli.terminal import print_diagnostics, wants_colour

CHANGES, MOVES_PEOPLE = 3, 4
"""Exit codes of `--detailed-exitcode`."""


@click.command("plan")
@click.argument("env", default="dev")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 3 if there are changes, and with 4 if people move or leave by them.",
)
@click.option("--now", type=Instant(), help="As if it were this instant.")
@click.pass_context
def command(
    ctx: click.Context, env: str, output: str, detailed_exitcode: bool, now: object
) -> None:
    """Show what an apply to ENV would do, to definitions and to people in flight, with counts.

    Nothing is changed. It exits with 1 if the apply would be refused.
    """
    import shutil
    import sys
    from datetime import datetime

    from journeylang.api.deploying import plan_project
    from journeylang.deploy.show import as_json, markdown, text

    loaded = load_project(env)
    at = now if isinstance(now, datetime) else utc_now()
    planned = plan_project(loaded, env, now=at)
    if planned.value is None:
        stop(planned.diagnostics, loaded)
    plan = planned.value.plan
    match output:
        case "json":
            click.echo(json.dumps(as_json(plan), indent=2))
        case "markdown":
            click.echo(markdown(plan, env))
        case _:
            colour = wants_colour(sys.stdout)
            width = min(100, max(60, shutil.get_terminal_size().columns))
            click.echo(text(plan, width, _coloured if colour else _bare), color=colour)
    print_diagnostics(planned.value.diagnostics, loaded.sources, err=True)
    if plan.refused:
        ctx.exit(1)
    if detailed_exitcode and plan.journeys:
        ctx.exit(MOVES_PEOPLE if plan.affected else CHANGES)


_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def _coloured(words: str, kind: str) -> str:
    if kind == "breaking":
        return click.style(words, fg="red", bold=True)
    if kind == "dim":
        return click.style(words, dim=True)
    return click.style(words, fg=_COLOURS[kind]) if kind in _COLOURS else words


def _bare(words: str, _: str) -> str:
    return words
