"""``journey pause`` and ``journey resume``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.engines.base import Engine


@click.command("pause")
@click.argument("journey")
@click.argument("env", default="dev")
@click.option("--because", default="", metavar="TEXT", help="Why; `journey status` shows it.")
def pause_command(journey: str, env: str, because: str) -> None:
    """Let JOURNEY stand still in ENV from now on.

    Exits act. Nobody enters (who would have is counted), nobody moves on, and nothing of it is
    sent until `journey resume`.
    """
    from journeylang.runtime.pauses import pause

    with _applied(journey, env) as engine:
        fresh = pause(engine, journey, cause="person", detail=because)
    click.echo(f"`{journey}` is paused" if fresh else f"`{journey}` was paused already")


@click.command("resume")
@click.argument("journey")
@click.argument("env", default="dev")
def resume_command(journey: str, env: str) -> None:
    """Let JOURNEY go on in ENV with the next tick, as after a late one.

    Whoever would have entered meanwhile does not.
    """
    from journeylang.runtime.pauses import resume

    with _applied(journey, env) as engine:
        fresh = resume(engine, journey)
    click.echo(f"`{journey}` goes on with the next tick" if fresh else f"`{journey}` is not paused")


@contextmanager
def _applied(journey: str, env: str) -> Iterator[Engine]:
    """The environment's database, if the journey has been applied to it."""
    from journeylang.diagnostics.suggest import did_you_mean
    from journeylang.runtime.pauses import journeys

    with database(env) as engine:
        known = journeys(engine)
        if journey not in known:
            meant = did_you_mean(journey, known)
            raise click.UsageError(
                f"no journey `{journey}` has run in `{env}`" + (f"; {meant}" if meant else "")
            )
        yield engine
