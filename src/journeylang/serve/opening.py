"""From a project and an environment to what is served."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from journeylang.api.database import file_stamp, open_database
from journeylang.api.deploying import what_runs
from journeylang.api.runtime import link_key
from journeylang.classes import dataclass
from journeylang.delivery.channels import channel_limits, open_channels
from journeylang.delivery.feedback import Feed
from journeylang.delivery.feeds import open_feeds
from journeylang.delivery.links import Links
from journeylang.delivery.outbox import own_key
from journeylang.delivery.provider import Provider
from journeylang.diagnostics.codes.running import BAD_CONFIG, DATABASE_ERROR, DATABASE_NEWER
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.engines.base import Engine, StatementError
from journeylang.loading.config import ServeTable
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.loading.secrets import secret
from journeylang.loading.toml_places import place
from journeylang.model.binding import Event
from journeylang.model.project import Project
from journeylang.runtime.channel_pauses import Limits
from journeylang.runtime.setup import create_missing
from journeylang.serve.app import Serving
from journeylang.serve.attention import Attention
from journeylang.serve.board import Board
from journeylang.serve.current import Applied, Current, Follower, Tell, revision_number
from journeylang.serve.dashboard import Dashboard
from journeylang.serve.intake import NotWritable, Shape, shape
from journeylang.serve.keeper import ClosedError, Keeper, utc_now
from journeylang.serve.metrics import Metrics
from journeylang.serve.page_words import wordings
from journeylang.serve.spool import Spool
from journeylang.serve.taking import Taker
from journeylang.serve.teller import Teller
from journeylang.sql.relations import table_name
from journeylang.sql.schema import CALLS

WAIT = 5.0
"""Seconds for which a file that another process has is waited for; then it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment's settings say, whatever is applied; `tells`: whom to tell choices."""

    links: Links
    feeds: Mapping[str, Feed]
    limits: Mapping[str, Limits]
    tells: Provider | None = None


def opened(
    loaded: LoadedProject,
    env: str,
    *,
    environ: Mapping[str, str] | None = None,
    engine: Callable[[], Engine] | None = None,
    rate: float = 500.0,
    now: Callable[[], datetime] = utc_now,
    tell: Tell = lambda _: None,
) -> Outcome[Serving]:
    """Everything but the listening: the tables are there, the settings make sense.

    An environment that does not apply by itself is served as it was applied, whatever the files
    say by now; a warning tells of the difference. Later applies are followed; `tell` hears why one
    cannot be. `engine` yields another connection of a database that this process keeps open;
    without one it is opened when there is something to do. The spool is not open yet, nor does the
    keeper run.
    """
    variables = os.environ if environ is None else environ
    settings = loaded.config.env[env].serve
    tokens = _tokens(loaded, env, settings, variables)
    if tokens.value is None:
        return Outcome(value=None, diagnostics=tokens.diagnostics)
    looks = _looks(loaded, env, settings, variables)
    if looks.diagnostics:
        return Outcome(value=None, diagnostics=looks.diagnostics)
    spoken = wordings(loaded.root)
    if spoken.value is None:
        return Outcome(value=None, diagnostics=spoken.diagnostics)
    if engine is None:
        first = open_database(loaded, env, environ=variables)
        if first.value is None:
            return Outcome(value=None, diagnostics=first.diagnostics)
        connection = first.value
    else:
        connection = engine()
    told: tuple[Diagnostic, ...] = ()
    runs = Outcome(value=loaded)
    number: int | None = None
    try:
        if not loaded.config.applies_by_itself(env):
            # Read before the project: what is applied in between is followed.
            if connection.columns(("journey", "revision")) is not None:
                number = revision_number(connection)
            runs = what_runs(connection, loaded, env)
            told = runs.diagnostics
        if runs.value is None:
            return Outcome(value=None, diagnostics=runs.diagnostics)
        set_up = _settings(connection, loaded, runs.value.project, env, variables, now())
        if set_up.value is None:
            return Outcome(value=None, diagnostics=set_up.diagnostics)
        given = set_up.value

        def ready(engine: Engine, found: LoadedProject, revision: int) -> Outcome[Applied]:
            return _applied(engine, found, env, given, revision, now())

        if number is None:
            number = revision_number(connection)
        found = ready(connection, runs.value, number)
    except StatementError as error:
        words = f"the database refused a statement: {error}"
        return Outcome(value=None, diagnostics=(Diagnostic(code=DATABASE_ERROR, message=words),))
    finally:
        connection.close()
    if found.value is None:
        return Outcome(value=None, diagnostics=found.diagnostics)
    metrics = Metrics()
    spool = Spool(loaded.root / settings.spool)
    current = Current(found.value)
    follower = Follower(
        current=current, loaded=loaded, env=env, ready=ready, metrics=metrics, tell=tell
    )

    def open_engine() -> Engine:
        if engine is not None:
            return engine()
        again = open_database(loaded, env, environ=variables, wait=WAIT)
        if again.value is None:
            # Only a later release of this one helps; everything else may pass.
            problem = next((d for d in again.diagnostics if d.code is DATABASE_NEWER), None)
            raise ClosedError(problem)
        return again.value

    def open_board() -> Engine | None:
        if engine is not None:
            return engine()
        return open_database(loaded, env, environ=variables, wait=WAIT).value

    attention = Attention(loaded, tell)
    keeps = engine is not None or connection.dialect.shared
    keeper = Keeper(
        spool,
        open_engine,
        current,
        follower,
        metrics,
        attention,
        keeps=keeps,
        touched=None if keeps else lambda: file_stamp(loaded, env, variables),
        now=now,
    )
    serving = Serving(
        current=current,
        name=loaded.config.project.name,
        links=given.links,
        spool=spool,
        keeper=keeper,
        metrics=metrics,
        wordings=spoken.value,
        feeds=given.feeds,
        tokens=tokens.value,
        rate=rate,
    )
    if looks.value is not None:
        base = loaded.config.env[env].base_url or ""
        board = Board(current=current, env=env, open=open_board, now=now, attention=attention)
        dashboard = Dashboard(board, looks.value, metrics, secure=base.startswith("https:"))
        serving = replace(serving, dashboard=dashboard)
    if given.tells is not None and settings.preferences is not None:
        teller = Teller(settings.preferences, given.tells, keeper, metrics)
        serving = replace(serving, teller=teller)
    return Outcome(value=serving, diagnostics=told)


def _settings(
    engine: Engine,
    loaded: LoadedProject,
    project: Project,
    env: str,
    environ: Mapping[str, str],
    now: datetime,
) -> Outcome[Settings]:
    """What `journey.toml` says of links, webhooks and services; the runtime's tables are there."""
    environment = loaded.config.env[env]
    tells = _told(loaded, env, environ)
    named = link_key(loaded, env, environ)
    tables = environment.channels
    given = {name: table.given for name, table in tables.items()}
    feeds = open_feeds(given, root=loaded.root, environment=environ)
    problems = (*tells.diagnostics, *named.diagnostics, *feeds.diagnostics)
    if problems or feeds.value is None:
        return Outcome(value=None, diagnostics=problems)
    create_missing(engine, project, now)
    return Outcome(
        value=Settings(
            links=Links(key=named.value or own_key(engine), base_url=environment.base_url),
            feeds=feeds.value,
            limits=channel_limits(given),
            tells=tells.value or None,
        )
    )


def _applied(
    engine: Engine,
    loaded: LoadedProject,
    env: str,
    settings: Settings,
    revision: int,
    now: datetime,
) -> Outcome[Applied]:
    """What rests on the project itself: how its events look, and what takes records in."""
    project, serve = loaded.project, loaded.config.env[env].serve
    problems: list[Diagnostic] = []
    shapes: dict[str, Shape] = {}
    for name in serve.events:
        found = _shape(engine, loaded, project.binding.events, env, name)
        if isinstance(found, Shape):
            shapes[name] = found
        else:
            problems.append(found)
    consent = serve.tracking_consent
    if consent is not None and consent not in project.binding.consents:
        known = project.binding.consents
        problems.append(
            _wrong(
                loaded,
                env,
                "tracking_consent",
                f"unknown consent `{consent}`",
                did_you_mean(consent, known) or f"there are {', '.join(known) or 'none'}",
            )
        )
    if problems:
        return Outcome(value=None, diagnostics=tuple(problems))
    kind = create_missing(engine, project, now)

    def taker(connection: Engine, former: Mapping[str, Shape]) -> Taker:
        return Taker(
            connection,
            project,
            kind,
            links=settings.links,
            shapes=shapes,
            former=former,
            tracking_consent=consent,
            limits=settings.limits,
            tells=serve.preferences,
        )

    return Outcome(
        value=Applied(loaded=loaded, revision=revision, shapes=shapes, taker=taker, former={})
    )


def _told(loaded: LoadedProject, env: str, environ: Mapping[str, str]) -> Outcome[Provider | None]:
    """The provider of the service that is told what people choose, if one is."""
    environment = loaded.config.env[env]
    service = environment.serve.preferences
    if service is None:
        return Outcome(value=None)
    table = environment.invoke.get(service)
    if table is None:
        known = environment.invoke
        help_ = did_you_mean(service, known) or f"add a table `[env.{env}.invoke.{service}]`"
        words = f"unknown service `{service}`"
        return Outcome(value=None, diagnostics=(_wrong(loaded, env, "preferences", words, help_),))
    given = {service: table.given}
    opened = open_channels({}, root=loaded.root, environment=environ, invoke=given)
    made = (opened.value or {}).get(CALLS + service)
    provider = None if made is None else made.provider
    return Outcome(value=provider, diagnostics=opened.diagnostics)


def _shape(
    engine: Engine, loaded: LoadedProject, known: Mapping[str, Event], env: str, name: str
) -> Shape | Diagnostic:
    bound = known.get(name)
    if bound is None:
        help_ = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
        return _wrong(loaded, env, "events", f"unknown event `{name}`", help_)
    columns = engine.columns(bound.table.parts)
    if columns is None:
        words = f"`{name}` cannot be taken in: there is no table {bound.table}"
        return _wrong(loaded, env, "events", words, "make the table, or leave the event out")
    found = shape(bound, columns, table_name(bound.table))
    if isinstance(found, NotWritable):
        words = f"`{name}` cannot be taken in: {found.why}"
        help_ = "bind it to a table of plain columns, or write the rows with the shop's own means"
        return _wrong(loaded, env, "events", words, help_)
    return found


def _wrong(loaded: LoadedProject, env: str, key: str, message: str, help_: str) -> Diagnostic:
    source = loaded.sources.get(CONFIG)
    span = None if source is None else place(source, ("env", env, "serve", key))
    return Diagnostic(code=BAD_CONFIG, message=message, span=span, help=help_)


SHORTEST = 16
"""Characters of a token that cannot be guessed."""


def _looks(
    loaded: LoadedProject, env: str, settings: ServeTable, environ: Mapping[str, str]
) -> Outcome[str]:
    """The token of those who may see the dashboard; no value where there is none."""
    if settings.dashboard is None:
        return Outcome(value=None)
    source = loaded.sources.get(CONFIG)
    keys = ("env", env, "serve", "dashboard")
    found = secret(settings.dashboard, environ, source=source, keys=keys)
    if found.value is not None and len(found.value) < SHORTEST:
        words = f"the token of the dashboard has fewer than {SHORTEST} characters"
        help_ = "make one by chance: `python -c 'import secrets; print(secrets.token_urlsafe())'`"
        return Outcome(value=None, diagnostics=(_wrong(loaded, env, "dashboard", words, help_),))
    return found


def _tokens(
    loaded: LoadedProject, env: str, settings: ServeTable, environ: Mapping[str, str]
) -> Outcome[tuple[str, ...]]:
    found: list[str] = []
    for key, named in (("token", settings.token), ("former_token", settings.former_token)):
        if named is None:
            continue
        keys = ("env", env, "serve", key)
        value = secret(named, environ, source=loaded.sources.get(CONFIG), keys=keys)
        if value.value is None:
            return Outcome(value=None, diagnostics=value.diagnostics)
        found.append(value.value)
    return Outcome(value=tuple(found))
