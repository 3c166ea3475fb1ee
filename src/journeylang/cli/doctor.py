"""``journey doctor``: is all there that this project needs here?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.cli.terminal import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.api.doctor import Finding

_MOST = 5
"""So many errors of the project are told one by one."""

_STYLES = {"fine": "green", "note": "", "hint": "yellow", "wrong": "red"}


@click.command("doctor")
@click.argument("env", required=False)
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def command(ctx: click.Context, env: str | None, output: str) -> None:
    """Look whether all is there that the project needs, in ENV or in every environment.

    Packages, settings, secrets, databases and what the binding says of them, indexes that a tick
    would like. Nothing is sent and nothing written. It exits with 1 if something is wrong.
    """
    found = list(_findings(env))
    if output == "json":
        shown = [
            {"health": one.health, "env": one.env, "text": one.text, "help": one.help}
            for one in found
        ]
        click.echo(json.dumps({"format_version": 1, "findings": shown}, indent=2))
    else:
        screen = console()
        for one in found:
            screen.print(f"{one.health:5}", style=_STYLES[one.health] or None, end="  ")
            screen.print(f"{one.env}: {one.text}" if one.env else one.text, soft_wrap=True)
            if one.help:
                screen.print(f"       {one.help}", soft_wrap=True)
    if any(one.health == "wrong" for one in found):
        ctx.exit(1)


def _findings(env: str | None) -> Iterator[Finding]:
    from journeylang.api.doctor import Finding, Health, environment, installation
    from journeylang.loading.find import find_project
    from journeylang.loading.project import load

    yield from installation()
    root = find_project(Path.cwd())
    if root is None:
        yield Finding(
            health=Health.WRONG,
            text="no journey.toml here or above",
            help="name the project: `journey -C DIR doctor`; `journey init` starts one",
        )
        return
    loading = load(root, env)
    loaded = loading.outcome.value
    errors = [one for one in loading.diagnostics if one.is_error]
    if errors or loaded is None:
        for one in errors[:_MOST]:
            yield Finding(health=Health.WRONG, text=one.message, help=one.help)
        if len(errors) > _MOST:
            more = f"and {len(errors) - _MOST:,} more errors"
            yield Finding(health=Health.WRONG, text=more, help="`journey check`")
        return
    number = len(loaded.project.journeys)
    named = loaded.config.project.name
    yield Finding(health=Health.FINE, text=f"project `{named}`, {number:,} journeys")
    for name in [env] if env is not None else loaded.config.env:
        yield from environment(loaded, name)
