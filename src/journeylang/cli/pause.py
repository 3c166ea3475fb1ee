"""``journey pause`` and ``journey resume``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import database, load_project, opened, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.engines.base import Engine


_CHANNEL = click.option(
    "--channel", is_flag=True, help="The name is that of a channel, not of a journey."
)


@click.command("pause")
@click.argument("journey")
@click.argument("env", default="dev")
@click.option("--because", default="", metavar="TEXT", help="Why; `journey status` shows it.")
@_CHANNEL
def pause_command(journey: str, env: str, because: str, channel: bool) -> None:
    """Let JOURNEY stand still in ENV from now on.

    Exits act. Nobody enters (who would have is counted), nobody moves on, and nothing of it is
    sent until `journey resume`. With --channel, messages of that channel wait, but for those that
    people have to be told.
    """
    from journeylang.runtime.pauses import pause

    if channel:
        _pause_channel(journey, env, because)
        return
    with _applied(journey, env) as engine:
        fresh = pause(engine, journey, cause="person", detail=because)
    click.echo(f"`{journey}` is paused" if fresh else f"`{journey}` was paused already")


@click.command("resume")
@click.argument("journey")
@click.argument("env", default="dev")
@_CHANNEL
def resume_command(journey: str, env: str, channel: bool) -> None:
    """Let JOURNEY go on in ENV with the next tick, as after a late one.

    Whoever would have entered meanwhile does not. With --channel, messages of that channel go out
    again, as far as they have not expired.
    """
    from journeylang.runtime.pauses import resume

    if channel:
        _resume_channel(journey, env)
        return
    with _applied(journey, env) as engine:
        fresh = resume(engine, journey)
    click.echo(f"`{journey}` goes on with the next tick" if fresh else f"`{journey}` is not paused")


def _pause_channel(channel: str, env: str, because: str) -> None:
    from journeylang.runtime.channel_pauses import pause_channel

    with _bound(channel, env) as engine:
        fresh = pause_channel(engine, channel, utc_now(), because)
    click.echo(f"`{channel}` is paused" if fresh else f"`{channel}` was paused already")


def _resume_channel(channel: str, env: str) -> None:
    from journeylang.runtime.channel_pauses import resume_channel

    with _bound(channel, env) as engine:
        fresh = resume_channel(engine, channel)
    click.echo(f"`{channel}` goes on" if fresh else f"`{channel}` is not paused")


@contextmanager
def _bound(channel: str, env: str) -> Iterator[Engine]:
    """The environment's database, if the project has the channel and something was applied."""
    from journeylang.diagnostics.suggest import did_you_mean

    loaded = load_project(env)
    known = loaded.project.binding.channels
    if channel not in known:
        help_ = did_you_mean(channel, known) or f"there are {', '.join(known)}"
        raise click.UsageError(f"no channel `{channel}`; {help_}")
    with opened(loaded, env) as engine:
        if engine.columns(("journey", "channel_pause")) is None:
            raise click.UsageError(f"nothing has run in `{env}` yet: `journey run {env}`")
        yield engine


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
