"""From a project and an environment to what is served."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from journeylang.api.database import open_database
from journeylang.api.deploying import what_runs
from journeylang.api.runtime import link_key
from journeylang.delivery.channels import channel_limits, open_channels
from journeylang.delivery.feedback import Feed
from journeylang.delivery.feeds import open_feeds
from journeylang.delivery.links import Links
from journeylang.delivery.outbox import own_key
from journeylang.delivery.provider import Provider
from journeylang.diagnostics.codes.running import BAD_CONFIG, DATABASE_ERROR
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.engines.base import Engine, StatementError
from journeylang.loading.config import ServeTable, secret
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.loading.toml_places import place
from journeylang.model.binding import Event
from journeylang.model.project import Project
from journeylang.runtime.setup import create_missing
from journeylang.serve.app import Serving
from journeylang.serve.board import Board
from journeylang.serve.dashboard import Dashboard
from journeylang.serve.intake import Intake, NotWritable, Shape, shape
from journeylang.serve.keeper import ClosedError, Keeper, utc_now
from journeylang.serve.metrics import Metrics
from journeylang.serve.spool import Spool
from journeylang.serve.taking import Taker
from journeylang.serve.teller import Teller
from journeylang.sql.relations import table_name
from journeylang.sql.schema import CALLS

WAIT = 5.0
"""Seconds for which a file that another process has is waited for; then it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What opening has found; `taker` makes one over an open database."""

    links: Links
    shapes: Mapping[str, Shape]
    taker: Callable[[Engine], Taker]
    feeds: Mapping[str, Feed]
    tells: Provider | None = None


def opened(
    loaded: LoadedProject,
    env: str,
    *,
    environ: Mapping[str, str] | None = None,
    engine: Callable[[], Engine] | None = None,
    rate: float = 500.0,
    now: Callable[[], datetime] = utc_now,
) -> Outcome[Serving]:
    """Everything but the listening: the tables are there, the settings make sense.

    An environment that does not apply by itself is served as it was applied, whatever the files
    say by now; a warning tells of the difference. `engine` yields another connection of a database
    that this process keeps open; without one it is opened when there is something to do. The spool
    is not open yet, nor does the keeper run.
    """
    variables = os.environ if environ is None else environ
    settings = loaded.config.env[env].serve
    tokens = _tokens(loaded, env, settings, variables)
    if tokens.value is None:
        return Outcome(value=None, diagnostics=tokens.diagnostics)
    looks = _looks(loaded, env, settings, variables)
    if looks.diagnostics:
        return Outcome(value=None, diagnostics=looks.diagnostics)
    if engine is None:
        first = open_database(loaded, env, environ=variables)
        if first.value is None:
            return Outcome(value=None, diagnostics=first.diagnostics)
        connection = first.value
    else:
        connection = engine()
    told: tuple[Diagnostic, ...] = ()
    project = loaded.project
    try:
        if not loaded.config.applies_by_itself(env):
            runs = what_runs(connection, loaded, env)
            if runs.value is None:
                return Outcome(value=None, diagnostics=runs.diagnostics)
            project, told = runs.value.project, runs.diagnostics
        found = _ready(connection, loaded, project, env, variables, now())
    except StatementError as error:
        words = f"the database refused a statement: {error}"
        return Outcome(value=None, diagnostics=(Diagnostic(code=DATABASE_ERROR, message=words),))
    finally:
        connection.close()
    if found.value is None:
        return Outcome(value=None, diagnostics=found.diagnostics)
    ready = found.value
    metrics = Metrics()
    spool = Spool(loaded.root / settings.spool)

    def open_taker() -> Taker:
        if engine is not None:
            return ready.taker(engine())
        again = open_database(loaded, env, environ=variables, wait=WAIT)
        if again.value is None:
            raise ClosedError
        return ready.taker(again.value)

    def open_board() -> Engine | None:
        if engine is not None:
            return engine()
        return open_database(loaded, env, environ=variables, wait=WAIT).value

    keeps = engine is not None or connection.dialect.shared
    keeper = Keeper(spool, open_taker, metrics, keeps=keeps, now=now)
    serving = Serving(
        project=project,
        name=loaded.config.project.name,
        links=ready.links,
        intake=Intake(shapes=ready.shapes),
        spool=spool,
        keeper=keeper,
        metrics=metrics,
        feeds=ready.feeds,
        tokens=tokens.value,
        rate=rate,
    )
    if looks.value is not None:
        base = loaded.config.env[env].base_url or ""
        board = Board(loaded=loaded, project=project, env=env, open=open_board, now=now)
        dashboard = Dashboard(board, looks.value, metrics, secure=base.startswith("https:"))
        serving = replace(serving, dashboard=dashboard)
    if ready.tells is not None and settings.preferences is not None:
        teller = Teller(settings.preferences, ready.tells, keeper, metrics)
        serving = replace(serving, teller=teller)
    return Outcome(value=serving, diagnostics=told)


def _ready(
    engine: Engine,
    loaded: LoadedProject,
    project: Project,
    env: str,
    environ: Mapping[str, str],
    now: datetime,
) -> Outcome[Ready]:
    environment = loaded.config.env[env]
    problems: list[Diagnostic] = []
    shapes: dict[str, Shape] = {}
    for name in environment.serve.events:
        found = _shape(engine, loaded, project.binding.events, env, name)
        if isinstance(found, Shape):
            shapes[name] = found
        else:
            problems.append(found)
    consent = environment.serve.tracking_consent
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
    tells = _told(loaded, env, environ)
    problems += tells.diagnostics
    named = link_key(loaded, env, environ)
    problems += named.diagnostics
    tables = environment.channels
    given = {name: {"provider": c.provider, **c.settings} for name, c in tables.items()}
    feeds = open_feeds(given, root=loaded.root, environment=environ)
    problems += feeds.diagnostics
    if problems or feeds.value is None:
        return Outcome(value=None, diagnostics=tuple(problems))
    kind = create_missing(engine, project, now)
    limits = channel_limits(given)
    links = Links(key=named.value or own_key(engine), base_url=environment.base_url)

    def taker(connection: Engine) -> Taker:
        return Taker(
            connection,
            project,
            kind,
            links=links,
            shapes=shapes,
            tracking_consent=consent,
            limits=limits,
            tells=environment.serve.preferences,
        )

    ready = Ready(
        links=links, shapes=shapes, taker=taker, feeds=feeds.value, tells=tells.value or None
    )
    return Outcome(value=ready)


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
    given = {service: {"provider": table.provider, **table.settings}}
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
