"""``journey versions``: what was applied, and when."""

from __future__ import annotations

import json
from itertools import zip_longest

import click

from journeylang.cli.project import load_project, stop


@click.command("versions")
@click.argument("env", default="dev")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(env: str, output: str) -> None:
    """List what was applied to ENV, the latest first, with the journeys that each changed.

    `journey apply ENV --revision NUMBER` goes back to one.
    """
    from journeylang.api.deploying import applied_revisions
    from journeylang.cli.terminal import console

    loaded = load_project(env)
    found = applied_revisions(loaded, env)
    if found.value is None:
        stop(found.diagnostics, loaded)
    rows = []
    for one, before in zip_longest(found.value, found.value[1:]):
        known = {} if before is None else before.versions
        changed = {n: v for n, v in sorted(one.versions.items()) if known.get(n) != v}
        gone = sorted(known.keys() - one.versions.keys())
        rows.append((one, changed, gone))
    if output == "json":
        shown = [
            {
                "revision": one.number,
                "applied_at": one.applied_at.isoformat(),
                "digest": one.digest,
                "versions": dict(one.versions),
                "changed": sorted(changed),
                "deleted": gone,
            }
            for one, changed, gone in rows
        ]
        click.echo(json.dumps({"format_version": 1, "revisions": shown}, indent=2))
        return
    if not rows:
        click.echo(f"nothing was applied to `{env}` yet: `journey plan {env}`")
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("revision", "applied (UTC)", "journeys"):
        table.add_column(name, justify="right" if name == "revision" else "left")
    for one, changed, gone in rows:
        words = [f"{name} v{version}" for name, version in changed.items()]
        words += [f"{name} deleted" for name in gone]
        at = f"{one.applied_at:%Y-%m-%d %H:%M}"
        table.add_row(str(one.number), at, ", ".join(words) or "nothing in meaning")
    console().print(table)
