"""``journey provider``: who can carry messages and calls, and whether a manifest is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import stop
from journeylang.cli.terminal import print_diagnostics

if TYPE_CHECKING:
    from journeylang.loading.providers import Found


@click.group("provider")
def command() -> None:
    """Look at providers: those built in, and the project's own in `providers/`.

    A provider is a folder with `provider.toml`, which says how a message becomes a request and
    what an answer means, and `example.json`, which says what has to come out.
    """


@command.command("list")
def list_command() -> None:
    """Every provider: what it carries, and what it is."""
    from journeylang.loading.providers import providers, read

    rows = []
    for found in providers(_root()):
        provider = read(found)[0].value
        if provider is None:
            rows.append((found.name, "", "is wrong: `journey provider check " + found.name + "`"))
            continue
        manifest = provider.manifest
        carries = [*manifest.channels, *(["invoke"] if manifest.calls else [])]
        own = "" if found.built_in else " (of the project)"
        rows.append((found.name, ", ".join(carries), f"{manifest.title}{own}"))
    widths = [max(len(row[n]) for row in rows) for n in (0, 1)]
    for name, carries_, title in rows:
        click.echo(f"{name:<{widths[0]}}  {carries_:<{widths[1]}}  {title}")


@command.command("check")
@click.argument("names", nargs=-1)
def check_command(names: tuple[str, ...]) -> None:
    """Find what is wrong with the providers NAMES, or with all of the project; offline.

    The manifest is read, its texts are compiled, and its example is made and compared. Exits with
    1 where something is wrong.
    """
    from journeylang.loading.providers import providers, read

    root = _root()
    wanted = [_found(name) for name in names] or [
        one for one in providers(root) if not one.built_in
    ]
    if not wanted:
        click.echo(
            "the project has no providers of its own; name one: `journey provider check smtp`"
        )
        return
    wrong = False
    for found in wanted:
        outcome, sources = read(found)
        print_diagnostics(outcome.diagnostics, sources)
        wrong = wrong or not outcome.ok
        if outcome.ok and outcome.value is not None:
            example = "" if outcome.value.example is not None else "; it has no example.json"
            click.echo(f"`{found.name}` is right{example}")
    if wrong:
        raise click.exceptions.Exit(1)


@command.command("render")
@click.argument("name")
def render_command(name: str) -> None:
    """Show the request that NAME makes of its example, as JSON.

    Secrets are shown as the names of their variables. Nothing is sent.
    """
    from journeylang.delivery.examples import outgoing, requests_of, shown
    from journeylang.delivery.manifest import SettingError
    from journeylang.delivery.shaping import ShapeFailedError
    from journeylang.loading.providers import read

    found = _found(name)
    outcome, sources = read(found)
    provider = outcome.value
    if provider is None or provider.manifest.request is None:
        print_diagnostics(outcome.diagnostics, sources, err=True)
        raise click.UsageError(f"`{name}` has no request to show")
    example = provider.example
    if example is None or not outgoing(example):
        raise click.UsageError(f"`{name}` has no example.json with a message or a call in it")
    try:
        made = requests_of(provider.manifest, example).one(outgoing(example)[0])
    except (SettingError, ShapeFailedError) as error:
        raise click.ClickException(str(error)) from None
    request = shown(made, provider.manifest.request.encoding)
    click.echo(json.dumps(request, ensure_ascii=False, indent=2))


def _root() -> Path | None:
    """The project's folder; without a project the built-in providers are there all the same."""
    from journeylang.loading.find import find_project

    return find_project(Path.cwd())


def _found(name: str) -> Found:
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.providers import find

    found = find(_root(), name)
    if isinstance(found, Diagnostic):
        stop([found])
    return found
