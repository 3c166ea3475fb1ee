"""``journey responses``: answers that came on paper, in a shop or on a hotline."""

from __future__ import annotations

from pathlib import Path

import click

from journeylang.cli.project import load_project, stop, utc_now

_MOST = 10
"""So many refused lines are told one by one."""


@click.command("responses")
@click.argument("action", type=click.Choice(["load"]), expose_value=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("env", default="dev")
@click.pass_context
def command(ctx: click.Context, file: Path, env: str) -> None:
    """Credit answers to the messages whose codes are in FILE (CSV).

    The column `response_code` has the codes; `question`, `value` and `at` say what was answered and
    when, if they are there. `answered` has then happened to each message. The same file again
    changes nothing. The exit code is 1 if lines were refused.
    """
    from journeylang.api import open_database
    from journeylang.serve.responses import NoResponsesError, load_responses

    loaded = load_project(env)
    opened = open_database(loaded, env)
    if opened.value is None:
        stop(opened.diagnostics, loaded)
    try:
        found = load_responses(opened.value, loaded.project, file, utc_now())
    except NoResponsesError as error:
        raise click.ClickException(f"{file}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    finally:
        opened.value.close()
    click.echo(f"{found.new:,} new, {found.known:,} known already, {len(found.refused):,} refused")
    for step, number in sorted(found.steps.items()):
        click.echo(f"  {step}: {number:,}")
    for line, why in found.refused[:_MOST]:
        click.echo(f"{file}:{line}: {why}", err=True)
    if len(found.refused) > _MOST:
        click.echo(f"and {len(found.refused) - _MOST:,} more lines", err=True)
    if found.refused:
        ctx.exit(1)
