"""``journey serve``: take in what people and providers answer."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from journeylang.cli.extras import needs
from journeylang.cli.project import WRITERS, SpanOfTime, load_project, stop, utc_now
from journeylang.cli.terminal import print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.api import Runtime
    from journeylang.loading.project import LoadedProject
    from journeylang.serve.app import Serving


@click.command("serve")
@click.argument("env", default="dev")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes any that is free.",
)
@click.option("--run", "runs", is_flag=True, help="Tick and deliver too, in the same process.")
@click.option("--every", type=SpanOfTime(), default="1m", show_default=True, help="With --run.")
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=500.0,
    show_default=True,
    help="Requests a second of one client.",
)
@click.option("--check", is_flag=True, help="Look whether all is there, and listen to nobody.")
def command(
    env: str, host: str, port: int, runs: bool, every: timedelta, rate: float, check: bool
) -> None:
    """Take in what people and providers answer to messages of ENV, and what sites post.

    Opens, clicks, unsubscribing, preferences, answers, feedback of providers, `POST /events`. What
    is answered with success is on the disk, and comes into the database as soon as that can be had.
    """
    loaded = load_project(env)
    needs("server", "starlette", "uvicorn")
    with ExitStack() as stack:
        runtime = _runtime(loaded, env) if runs and not check else None
        serving = _serving(loaded, env, runtime, rate, tells=check or not runs)
        if check:
            _tell(serving, loaded, env)
            return
        if runs:
            stack.enter_context(_beating(serving, runtime, loaded, env, every))
        _serve(serving, host, port, stack)


def _runtime(loaded: LoadedProject, env: str) -> Runtime | None:
    """A file is this process's from now on. Elsewhere the thread that ticks opens the database:
    what comes in need not wait until another runtime's lease is over."""
    from journeylang.api import Runtime
    from journeylang.api.database import dialect_of

    if dialect_of(loaded, env).shared:
        return None
    opened = Runtime.open(loaded, env, now=utc_now(), writers=WRITERS)
    if opened.value is None:
        stop(opened.diagnostics, loaded)
    return opened.value


def _serving(
    loaded: LoadedProject, env: str, runtime: Runtime | None, rate: float, *, tells: bool
) -> Serving:
    """`tells`: what was found on the way; else the runtime beside it says the same."""
    from journeylang.serve.opening import opened

    found = opened(
        loaded,
        env,
        engine=runtime.engine.beside if runtime is not None else None,
        rate=rate,
        tell=lambda told: print_diagnostics(told, loaded.sources, err=True),
    )
    if found.value is None:
        stop(found.diagnostics, loaded)
    if tells:
        print_diagnostics(found.diagnostics, loaded.sources, err=True)
    return found.value


def _tell(serving: Serving, loaded: LoadedProject, env: str) -> None:
    settings, links = loaded.config.env[env].serve, serving.links
    events = ", ".join(serving.intake.shapes) or "none"
    click.echo(f"links     signed by key {links.key_id}, to {links.base_url or 'nowhere'}")
    click.echo(f"events    {events}; {'with a token' if serving.tokens else 'no token: refused'}")
    click.echo(f"webhooks  {', '.join(f'/hooks/{name}' for name in serving.feeds) or 'none'}")
    click.echo(f"tracking  {settings.tracking_consent or 'of everybody'}")
    click.echo(f"spool     {settings.spool}")
    if serving.dashboard is not None:
        click.echo("dashboard /dashboard, with a token")
    if settings.preferences is not None:
        click.echo(f"choices   told to {settings.preferences}")


@contextmanager
def _beating(
    serving: Serving,
    runtime: Runtime | None,
    loaded: LoadedProject,
    env: str,
    every: timedelta,
) -> Iterator[None]:
    from journeylang.api import Runtime
    from journeylang.serve.beats import Beats

    beats = Beats(
        runtime,
        lambda apply: Runtime.open(loaded, env, now=utc_now(), writers=WRITERS, apply=apply),
        serving.metrics,
        every=every.total_seconds(),
        tell=lambda found: print_diagnostics(found, loaded.sources, err=True),
    )
    beats.start()
    try:
        yield
    finally:
        beats.stop()


def _serve(serving: Serving, host: str, port: int, stack: ExitStack) -> None:
    import logging

    from journeylang.serve.app import application
    from journeylang.serve.listening import listen, serve

    # The server's own words quote addresses of requests; what goes wrong is counted.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    try:
        serving.spool.open()
    except OSError as error:
        raise click.ClickException(f"{serving.spool.folder}: {error.strerror}") from None
    stack.callback(serving.spool.close)
    serving.keeper.start()
    stack.callback(serving.keeper.stop)
    if serving.teller is not None:
        serving.teller.start()
        stack.callback(serving.teller.stop)
    try:
        listening = listen(host, port)
    except OSError as error:
        words = f"cannot listen at {host}, port {port}: {error.strerror}"
        raise click.ClickException(words) from None
    stack.enter_context(listening)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"listening at http://{shown}:{listening.getsockname()[1]}")
    serve(application(serving), serving.metrics, listening)
