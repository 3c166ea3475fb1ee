"""A dry run of a project over an environment's database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.api.applying import past_of
from journeylang.api.database import busy, newer, open_database, unavailable
from journeylang.api.program import template_entry_fields, too_many_ways
from journeylang.diagnostics.codes.names import UNKNOWN_NAME
from journeylang.diagnostics.codes.running import DATABASE_ERROR
from journeylang.diagnostics.codes.simulating import NOT_CLOSED, TOO_EARLY
from journeylang.diagnostics.codes.versions import RENAMED_WITHOUT_MOVED
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.loading.secrets import secret
from journeylang.plan.ways import TooManyWaysError

if TYPE_CHECKING:
    from journeylang.simulate.forecast import Forecast
    from journeylang.simulate.run import Asked, Progress


def simulate(
    loaded: LoadedProject,
    env: str,
    asked: Asked,
    *,
    assume: str | None = None,
    environ: Mapping[str, str] | None = None,
    wait: float = 10.0,
    progress: Progress = lambda _now, _done, _of: None,
) -> Outcome[Forecast]:
    """Play the project; nothing of the environment's database is written.

    `assume` names one of the project's sets of assumptions; it may be left out where there is one.
    """
    from journeylang.engines.base import (
        DatabaseBusyError,
        DatabaseUnavailableError,
        StatementError,
    )
    from journeylang.runtime.migrate import NewerSchemaError
    from journeylang.runtime.session import JourneyFailedError
    from journeylang.simulate.run import NotAppliedError, NotClosedError, TooEarlyError, play
    from journeylang.simulate.scratch import beside, beside_a_file

    named = _unknown(loaded, asked) or _assumed(loaded, asked, assume)
    if isinstance(named, Diagnostic):
        return _refused(named)
    place = secret(
        loaded.config.env[env].database,
        os.environ if environ is None else environ,
        source=loaded.sources.get(CONFIG),
        keys=("env", env, "database"),
    )
    if place.value is None:
        return Outcome(value=None, diagnostics=place.diagnostics)
    try:
        with ExitStack() as stack:
            if "://" in place.value:
                opened = open_database(loaded, env, environ=environ)
                if opened.value is None:
                    return Outcome(value=None, diagnostics=opened.diagnostics)
                stack.callback(opened.value.close)
                engine, source = stack.enter_context(beside(opened.value))
            else:
                path = str(loaded.root / place.value)
                engine, source = stack.enter_context(beside_a_file(path, wait=wait))
            found = play(
                engine,
                source,
                loaded.project,
                named,
                template_entry_fields=template_entry_fields(loaded),
                templates=loaded.template_texts(),
                providers=providers(loaded, env),
                rates=rates(loaded, env),
                past=lambda scratch: past_of(scratch, loaded, env),
                progress=progress,
            )
    except DatabaseBusyError as error:
        return busy(place.value, error)
    except DatabaseUnavailableError as error:
        return unavailable(place.value, error)
    except TooEarlyError as error:
        return _refused(
            Diagnostic(
                code=TOO_EARLY,
                message=f"the journeys have come to {error.latest:%Y-%m-%d %H:%M} UTC already",
                help="leave out `--from` to go on from there, or name a later instant",
            )
        )
    except NotClosedError as error:
        return _refused(
            Diagnostic(
                code=NOT_CLOSED,
                message=f"lives can't be worked out at once, because {error.reason}",
                help="leave out `--mode`: then it goes tick by tick, and comes to the same",
            )
        )
    except NewerSchemaError as error:
        return newer(error)
    except TooManyWaysError as error:
        return _refused(too_many_ways(error))
    except NotAppliedError as error:
        return Outcome(
            value=None,
            diagnostics=tuple(
                Diagnostic(
                    code=RENAMED_WITHOUT_MOVED,
                    message=f"`{r.journey}/{r.path}`: {r.reason}",
                    help="what can't be applied can't be simulated: see `journey plan`",
                )
                for r in error.refused
            ),
        )
    except (StatementError, JourneyFailedError) as error:
        return _refused(
            Diagnostic(code=DATABASE_ERROR, message=f"the database refused a statement: {error}")
        )
    return Outcome(value=found)


def providers(loaded: LoadedProject, env: str) -> dict[str, str]:
    """Who would be given the messages of each channel, and the calls of each service."""
    from journeylang.sql.schema import CALLS

    environment = loaded.config.env[env]
    channels = {name: table.provider for name, table in environment.channels.items()}
    services = {f"{CALLS}{name}": table.provider for name, table in environment.invoke.items()}
    return channels | services


def rates(loaded: LoadedProject, env: str) -> dict[str, float]:
    """How many messages a second leave by a channel at most, of those that say so."""
    from journeylang.delivery.manifest import per_second

    tables = loaded.config.env[env].channels
    found = {name: per_second(str(t.settings.get("rate", ""))) for name, t in tables.items()}
    return {name: rate for name, rate in found.items() if rate}


def _unknown(loaded: LoadedProject, asked: Asked) -> Diagnostic | None:
    known = loaded.project.journeys
    for name in asked.journeys:
        if name not in known:
            return Diagnostic(
                code=UNKNOWN_NAME,
                message=f"unknown journey `{name}`",
                help=did_you_mean(name, known) or f"there are: {', '.join(sorted(known))}",
            )
    return None


def _assumed(loaded: LoadedProject, asked: Asked, name: str | None) -> Asked | Diagnostic:
    """With the assumptions that are named, or the only ones there are."""
    there = loaded.project.assumptions
    if asked.fit is not None:
        return asked
    if name is None and len(there) > 1:
        return Diagnostic(
            code=UNKNOWN_NAME,
            message="which assumptions? there are several",
            help=f"name one: `--assume {'|'.join(sorted(there))}`",
        )
    if name is None:
        name = next(iter(there), None)
    if name is None:
        return replace(asked, assumed_by="nothing")
    if name not in there:
        advice = did_you_mean(name, there) or f"there are: {', '.join(sorted(there)) or 'none'}"
        return Diagnostic(code=UNKNOWN_NAME, message=f"unknown assumptions `{name}`", help=advice)
    return replace(asked, lines=there[name].lines, assumed_by=f"assume {name}")


def _refused(diagnostic: Diagnostic) -> Outcome[Forecast]:
    return Outcome(value=None, diagnostics=(diagnostic,))
