"""Bringing a database up to what the project says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from journeylang.api.database import newer
from journeylang.api.program import template_entry_fields, too_many_ways
from journeylang.diagnostics.codes.experiments import EXPERIMENT_CHANGED_LIVE
from journeylang.diagnostics.codes.lists import LIST_INCOMPLETE
from journeylang.diagnostics.codes.running import DATABASE_ERROR, DATABASE_IN_USE
from journeylang.diagnostics.codes.versions import RENAMED_WITHOUT_MOVED, VERSION_LACKING
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.project import LoadedProject
from journeylang.model.journey import Experiment, Factors
from journeylang.model.steps import steps
from journeylang.plan.ways import TooManyWaysError

if TYPE_CHECKING:
    from journeylang.engines.base import Engine, StatementError
    from journeylang.runtime.lease import Lease
    from journeylang.runtime.pinned import PastOf
    from journeylang.runtime.session import Session
    from journeylang.runtime.upgrade import Refused


def applied(
    engine: Engine,
    loaded: LoadedProject,
    env: str,
    now: datetime,
    *,
    keys: bool,
    apply: bool = True,
    moves: bool = True,
    wait: float = 0,
    refused_if: Callable[[Engine], tuple[Diagnostic, ...]] | None = None,
) -> Outcome[tuple[Session, frozenset[str]]]:
    """A session of the project as it is now, and the journeys that stand still.

    What is applied is kept as a revision; without `apply` it is what was applied. `keys` asks
    whether the bound keys are unique, which reads whole tables. Another runtime that moves people
    is waited for, `wait` seconds; who `moves` nobody need not wait. Then `refused_if` says why
    nothing is to be applied, if so.
    """
    from journeylang.engines.base import DatabaseBusyError, StatementError
    from journeylang.runtime.lease import Lease
    from journeylang.runtime.migrate import NewerSchemaError
    from journeylang.runtime.setup import lay_foundation, prepare
    from journeylang.runtime.soundness import examine

    project = loaded.project
    try:
        lay_foundation(engine)
        lease = _lease(engine, wait) if moves else Lease(engine=engine)
        refused = refused_if(engine) if refused_if is not None else ()
        if refused:
            lease.give_back()
            return Outcome(value=None, diagnostics=refused)
        unsound = examine(engine, project, keys=keys)
        if project.journeys and unsound.journeys >= set(project.journeys):
            return Outcome(value=None, diagnostics=unsound.diagnostics)
        session = prepare(
            engine,
            project,
            now=now,
            template_entry_fields=template_entry_fields(loaded),
            templates=loaded.template_texts(),
            without=unsound.journeys,
            doubts=unsound.doubts if keys else None,
            lease=lease,
            record=lambda versions: _record(engine, loaded, env, versions, now),
            apply=apply,
            moves=moves,
            past=past_of(engine, loaded, env),
        )
    except DatabaseBusyError as error:
        return Outcome(value=None, diagnostics=(in_use(error.holder),))
    except NewerSchemaError as error:
        return newer(error)
    except (StatementError, TooManyWaysError) as error:
        return Outcome(value=None, diagnostics=unusable(error))
    if isinstance(session, list):
        refused = tuple(not_applied(loaded, r) for r in session)
        return Outcome(value=None, diagnostics=(*unsound.diagnostics, *refused))
    told = unsound.diagnostics
    if keys:
        told += tuple(_strangers(engine, loaded))
    return Outcome(value=(session, unsound.journeys), diagnostics=told)


def _lease(engine: Engine, wait: float) -> Lease:
    """Nobody is to move people by one program while another one is applied."""
    from journeylang.runtime.lease import Lease

    lease = Lease(engine=engine)
    if "holder" in (engine.columns(("journey", "lock")) or ()):
        lease.hold_within(wait)
    return lease


def in_use(holder: str) -> Diagnostic:
    """Another runtime has the database's lease."""
    return Diagnostic(
        code=DATABASE_IN_USE,
        message=f"another runtime moves the people of this database: {holder}",
        help="one is enough: end the other, or leave the work to it; a runtime that is gone is"
        " waited for a minute",
    )


def _strangers(engine: Engine, loaded: LoadedProject) -> Iterator[Diagnostic]:
    """People on lists who are no customers: nothing can be said to them."""
    from journeylang.runtime.lists import unknown_people, unknown_prospects

    for rows, people, unknown in unknown_people(engine, loaded.project):
        if unknown:
            yield Diagnostic(
                code=LIST_INCOMPLETE,
                message=f"not customers: {unknown:,} of {people:,} people in `{rows.path}`",
                help="messages go to customers alone; those people get none",
            )
    for listed, sources in unknown_prospects(engine, loaded.project):
        unknown = sum(count for _, _, count in sources)
        if unknown:
            named = [f"{n:,} from `{source}`" for source, _, n in sources[:5] if source and n]
            more = f": {', '.join(named)}" if named else ""
            yield Diagnostic(
                code=LIST_INCOMPLETE,
                message=f"not customers: {unknown:,} of prospects `{listed.prospects.name}`{more}",
                span=listed.prospects.span,
                help="messages go to customers alone; those people get none",
            )


def _record(
    engine: Engine, loaded: LoadedProject, env: str, versions: Mapping[str, int], now: datetime
) -> None:
    from journeylang.deploy.revisions import identify, record
    from journeylang.deploy.snapshot import snapshot

    identify(engine)
    record(engine, snapshot(loaded, env), versions, now)


def past_of(engine: Engine, loaded: LoadedProject, env: str) -> PastOf:
    """The projects with which versions of journeys were applied, each read when it is asked for."""
    from journeylang.deploy.revisions import revisions, texts
    from journeylang.deploy.snapshot import read_again
    from journeylang.runtime.pinned import Past

    known: dict[int, Past | None] = {}

    def past(journey: str, version: int) -> Past | None:
        found = next((r for r in revisions(engine) if r.versions.get(journey) == version), None)
        if found is None:
            return None
        if found.number not in known:
            loading = read_again(texts(engine, found), env, lists=loaded.root)
            was = loading.outcome.value if loading.outcome.ok else None
            known[found.number] = (
                None if was is None else Past(project=was.project, templates=was.template_texts())
            )
        return known[found.number]

    return past


def unusable(error: StatementError | TooManyWaysError) -> tuple[Diagnostic, ...]:
    """Why a project can't be applied to its database."""
    if isinstance(error, TooManyWaysError):
        return (too_many_ways(error),)
    message = f"the database refused a statement: {error}"
    return (Diagnostic(code=DATABASE_ERROR, message=message),)


def not_applied(loaded: LoadedProject, refused: Refused) -> Diagnostic:
    """Why an apply is refused, and what to do."""
    journey = loaded.project.journeys.get(refused.journey)
    spoiled = refused.kind == "spoiled"
    if refused.kind == "lacking":
        return Diagnostic(
            code=VERSION_LACKING,
            message=f"`{refused.journey}`: {refused.reason}",
            span=journey.span if journey is not None else None,
            help="bind it again until they have finished, or take them over: `upgrade migrate`",
        )
    span = journey.span if journey is not None else None
    if journey is not None and spoiled:
        found = {s.path: s.span for s in steps(journey.body) if isinstance(s, Experiment)} | {
            factor.path: factor.span
            for s in steps(journey.body)
            if isinstance(s, Factors)
            for factor in s.factors
        }
        span = found.get(refused.path or "", span)
    return Diagnostic(
        code=EXPERIMENT_CHANGED_LIVE if spoiled else RENAMED_WITHOUT_MOVED,
        message=f"`{refused.journey}/{refused.path}`: {refused.reason}",
        span=span,
        help=(
            "give the experiment a new salt, or its former shares"
            if spoiled
            else f"say where they go: `moved in {refused.journey}: {refused.path} -> STEP`, or"
            " `-> exit`; or put the step back"
            if journey is not None
            else "put the journey back until nobody is in it"
        ),
    )
