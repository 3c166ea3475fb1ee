"""``journey diff``: what changed in meaning."""

from __future__ import annotations

import click

from journeylang.cli.plan import show
from journeylang.cli.project import load_project, stop
from journeylang.cli.terminal import print_diagnostics


@click.command("diff")
@click.argument("ref", required=False)
@click.option("--env", default="dev", show_default=True, help="The environment that is meant.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything has changed.")
@click.pass_context
def command(ctx: click.Context, ref: str | None, env: str, output: str, exit_code: bool) -> None:
    """Show what changed in meaning since REF, a revision of git; without it, since the last apply.

    What is merely written otherwise is no change. People are not counted: that is `journey plan`.
    """
    from journeylang.api.applying import not_applied
    from journeylang.api.deploying import changes_since

    loaded = load_project(env)
    found = changes_since(loaded, env, ref)
    if found.value is None:
        stop(found.diagnostics, loaded)
    show(found.value, ref or env, output)
    told = tuple(not_applied(loaded, one) for one in found.value.refused)
    print_diagnostics(told, loaded.sources, err=True)
    if exit_code and found.value.journeys:
        ctx.exit(1)
