"""Whether all that a project needs is there: packages, settings, secrets, databases, rights."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from journeylang import __version__
from journeylang.api.database import open_database
from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic
from journeylang.loading.project import LoadedProject

if TYPE_CHECKING:
    from journeylang.engines.base import Engine

OLDEST_POSTGRES = 14
_APART = 5
"""Seconds between the database's clock and this machine's that nobody minds."""

_EXTRA = re.compile(r"^([A-Za-z0-9._-]+).*; .*extra == '([a-z]+)'")


class Health(StrEnum):
    """How it stands: `note` is neither right nor wrong, with a `hint` it would go better."""

    FINE = "fine"
    NOTE = "note"
    HINT = "hint"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, with what to do about it; `env` if it is one's."""

    health: Health
    text: str
    help: str | None = None
    env: str | None = None


def installation() -> Iterator[Finding]:
    """This package, Python, and the extras that are not there."""
    yield Finding(
        health=Health.FINE,
        text=f"journeylang {__version__}, Python {platform.python_version()},"
        f" DuckDB {version('duckdb')}",
    )
    lacking: dict[str, list[str]] = {}
    for line in _required():
        found = _EXTRA.match(line)
        if found is None or ("sys_platform" in line and os.name == "nt"):
            continue
        try:
            version(found[1])
        except PackageNotFoundError:
            lacking.setdefault(found[2], []).append(found[1])
    if lacking:
        yield Finding(
            health=Health.NOTE,
            text="extras that are not installed: " + ", ".join(sorted(lacking)),
            help=f"where they are wanted: `pip install 'journeylang[{','.join(sorted(lacking))}]'`",
        )


def _required() -> list[str]:
    """Nothing where the package is on the path without being installed."""
    try:
        return requires("journeylang") or []
    except PackageNotFoundError:
        return []


def environment(
    loaded: LoadedProject, env: str, environ: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """The database, the channels and the secrets of an environment; nothing is written."""
    yield from _channels(loaded, env, environ)
    opened = open_database(loaded, env, environ=environ, wait=2.0)
    if opened.value is None:
        yield from (_told(found, env) for found in opened.diagnostics)
        return
    try:
        yield from (replace(found, env=env) for found in _database(opened.value, loaded))
    finally:
        opened.value.close()


def _told(found: Diagnostic, env: str | None = None) -> Finding:
    health = Health.WRONG if found.is_error else Health.HINT
    return Finding(health=health, text=found.message, help=found.help, env=env)


def _channels(
    loaded: LoadedProject, env: str, environ: Mapping[str, str] | None
) -> Iterator[Finding]:
    from journeylang.delivery.channels import open_channels

    settings = loaded.config.env[env]
    given = {name: table.given for name, table in settings.channels.items()}
    invoke = {name: table.given for name, table in settings.invoke.items()}
    found = open_channels(given, root=loaded.root, environment=environ, invoke=invoke)
    yield from (_told(problem, env) for problem in found.diagnostics)
    made = found.value or {}
    if made:
        listed = ", ".join(f"{name} by {channel.provider.name}" for name, channel in made.items())
        yield Finding(health=Health.FINE, text=f"channels: {listed}", env=env)
    lacking = sorted(loaded.project.binding.channels.keys() - settings.channels.keys())
    if lacking:
        yield Finding(
            health=Health.NOTE,
            text=f"channels without a provider here: {', '.join(lacking)}",
            help=f"their messages wait: `channels` of `[env.{env}]` names one for each",
            env=env,
        )
    outside = any(channel.provider.name != "file" for channel in made.values())
    if outside and settings.base_url is None:
        yield Finding(
            health=Health.HINT,
            text="no `base_url`: links of messages lead to this machine",
            help="it is where `journey serve` can be reached from outside",
            env=env,
        )


def _database(engine: Engine, loaded: LoadedProject) -> Iterator[Finding]:
    from journeylang.engines.base import StatementError
    from journeylang.runtime.indexes import missing_indexes
    from journeylang.runtime.migrate import reached
    from journeylang.sql.migrations import LATEST

    yield from _server(engine)
    there = reached(engine)
    if there == 0:
        yield Finding(
            health=Health.NOTE,
            text="nothing was applied yet",
            help="`journey plan` shows what an apply would do, and what the tables lack for it",
        )
    elif there < LATEST:
        yield Finding(
            health=Health.NOTE,
            text=f"its tables are those of an earlier release (migration {there} of {LATEST})",
            help="the next apply, or run, brings them up",
        )
    try:
        # What it asks with is there since the first plan: nothing is written here.
        if there or not engine.dialect.foundation():
            yield from _sound(engine, loaded)
        for one in missing_indexes(engine, loaded.project.binding):
            yield Finding(
                health=Health.HINT,
                text=f"`{one.table}` has no index that begins with {one.column}",
                help=one.statement,
            )
    except StatementError as error:
        yield Finding(health=Health.WRONG, text=f"the database refused a statement: {error}")


def _sound(engine: Engine, loaded: LoadedProject) -> Iterator[Finding]:
    from journeylang.runtime.soundness import examine

    found = examine(engine, loaded.project, keys=False).diagnostics
    yield from map(_told, found)
    if not found:
        yield Finding(health=Health.FINE, text="the binding is true of its tables")


def _server(engine: Engine) -> Iterator[Finding]:
    if not engine.dialect.shared:
        yield Finding(health=Health.FINE, text="the database file can be opened")
        return
    # Naive UTC of both; on the way back half a second may be lost.
    ((number, name, clock),) = engine.query(
        "SELECT current_setting('server_version_num')::INTEGER, current_setting('server_version'),"
        " clock_timestamp() AT TIME ZONE 'UTC'"
    )
    apart = abs((datetime.now(UTC).replace(tzinfo=None) - clock).total_seconds())
    if number // 10_000 < OLDEST_POSTGRES:
        yield Finding(
            health=Health.WRONG,
            text=f"PostgreSQL {name}",
            help=f"it has to be {OLDEST_POSTGRES} or later",
        )
    else:
        yield Finding(health=Health.FINE, text=f"PostgreSQL {name} answers")
    if apart > _APART:
        yield Finding(
            health=Health.HINT,
            text=f"the database's clock and this machine's are {apart:.0f} seconds apart",
            help="set both by NTP: ticks go by this machine's, leases by the database's",
        )
