"""Plans and applies of a project, on the database of one of its environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from journeylang.api.applying import not_applied, past_of, unusable
from journeylang.api.database import open_database
from journeylang.api.program import template_entry_fields
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.versions import (
    NOTHING_APPLIED,
    PLAN_ELSEWHERE,
    PLAN_STALE,
    REVISION_UNKNOWN,
    UNAPPLIED,
)
from journeylang.diagnostics.model import Code, Diagnostic, Outcome
from journeylang.loading.project import LoadedProject

if TYPE_CHECKING:
    from journeylang.deploy.plan import Plan
    from journeylang.deploy.revisions import Revision
    from journeylang.deploy.saved import SavedPlan
    from journeylang.engines.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What an apply would do, and what was found on the way.

    `base` is what runs, `database` tells the database from any other.
    """

    plan: Plan
    base: Revision | None
    database: str
    diagnostics: tuple[Diagnostic, ...]


def plan_project(
    loaded: LoadedProject,
    env: str,
    *,
    now: datetime,
    environ: Mapping[str, str] | None = None,
    simulated: int | None = None,
    saved: SavedPlan | None = None,
) -> Outcome[Planned]:
    """What applying the project to the environment would do.

    Nothing is written but the functions that expressions rest on, in a server that has not
    had them yet.

    `simulated`: volume and cost of so many days to come are those of dry runs.

    Where the plan is refused it is there all the same, and its diagnostics say why. A database that
    a `saved` plan was not made for is not looked at any further.
    """
    from journeylang.engines.base import StatementError
    from journeylang.plan.ways import TooManyWaysError

    opened = open_database(loaded, env, environ=environ)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    engine = opened.value
    try:
        elsewhere = None if saved is None else _made_elsewhere(saved, engine, loaded, env)
        if elsewhere is not None:
            return Outcome(value=None, diagnostics=(elsewhere,))
        return _planned(engine, loaded, env, now, simulated)
    except (StatementError, TooManyWaysError) as error:
        return Outcome(value=None, diagnostics=unusable(error))
    finally:
        engine.close()


def _planned(
    engine: Engine, loaded: LoadedProject, env: str, now: datetime, simulated: int | None
) -> Outcome[Planned]:
    from journeylang.api.forecasting import forecaster
    from journeylang.deploy.plan import make_plan
    from journeylang.deploy.revisions import latest
    from journeylang.runtime.setup import lay_foundation
    from journeylang.runtime.soundness import examine

    # Nothing else is written, where this is the first that the database sees of the runtime.
    lay_foundation(engine)
    unsound = examine(engine, loaded.project, keys=False)
    if loaded.project.journeys and unsound.journeys >= set(loaded.project.journeys):
        return Outcome(value=None, diagnostics=unsound.diagnostics)
    base = latest(engine)
    with applied_project(engine, base, env, loaded.root) as old:
        plan = make_plan(
            engine,
            loaded,
            old,
            now=now,
            template_fields=template_entry_fields(loaded),
            without=unsound.journeys,
            forecast=None if simulated is None else forecaster(engine, env, now, simulated),
            past=past_of(engine, loaded, env),
        )
    database = _database(engine, loaded, env)
    refused = tuple(not_applied(loaded, one) for one in plan.refused)
    return Outcome(
        value=Planned(
            plan=plan, base=base, database=database, diagnostics=(*unsound.diagnostics, *refused)
        ),
        diagnostics=(*unsound.diagnostics, *refused),
    )


def _database(engine: Engine, loaded: LoadedProject, env: str) -> str:
    """What tells a database from others.

    Of one without an identity, a digest of where it is: the setting, not its value.
    """
    from journeylang.deploy.revisions import identity
    from journeylang.deploy.snapshot import digest

    return identity(engine) or f"new {digest(loaded.config.env[env].database)}"


def _made_elsewhere(
    saved: SavedPlan, engine: Engine, loaded: LoadedProject, env: str
) -> Diagnostic | None:
    """What refuses a saved plan that was made for another database."""
    if saved.env == env and saved.database == _database(engine, loaded, env):
        return None
    made = f" (`{saved.env}`)" if saved.env != env else ""
    return Diagnostic(
        code=PLAN_ELSEWHERE,
        message=f"the plan was made for another database{made} than that of `{env}`",
        help=f"make one for this: `journey plan {env} --out FILE`",
    )


@contextmanager
def applied_project(
    engine: Engine, base: Revision | None, env: str, root: Path
) -> Iterator[LoadedProject | None]:
    """The project as it was applied, for as long as it is needed; None where it is not known."""
    from journeylang.deploy.revisions import texts
    from journeylang.deploy.snapshot import laid_out
    from journeylang.loading.project import load

    if base is None:
        yield None
        return
    with laid_out(texts(engine, base), lists=root) as place:
        loading = load(place, env)
        yield loading.outcome.value if loading.outcome.ok else None


def what_runs(engine: Engine, loaded: LoadedProject, env: str) -> Outcome[LoadedProject]:
    """The project as it was applied to the environment, with the settings of today.

    If the files say something else by now, a warning tells so.
    """
    from journeylang.deploy.revisions import latest
    from journeylang.deploy.snapshot import snapshot

    base = latest(engine)
    if base is None:
        return _refused(
            NOTHING_APPLIED,
            f"nothing was applied to `{env}` yet",
            f"`journey plan {env}` shows what an apply would do, `journey apply {env}` does it",
        )
    if base.digest == snapshot(loaded, env).digest:
        return Outcome(value=loaded)
    with applied_project(engine, base, env, loaded.root) as old:
        if old is None:
            return _refused(
                REVISION_UNKNOWN,
                f"revision {base.number}, which `{env}` runs, can't be read by this release",
                f"apply the project anew: `journey plan {env}`, `journey apply {env}`",
            )
    told = Diagnostic(
        code=UNAPPLIED,
        message=f"`{env}` runs revision {base.number}; the files say something else by now",
        help=f"`journey plan {env}` shows what, `journey apply {env}` applies it",
    )
    project = replace(old, config=loaded.config, root=loaded.root)
    return Outcome(value=project, diagnostics=(told,))


def at_revision(loaded: LoadedProject, env: str, number: int) -> Outcome[LoadedProject]:
    """The project as it was at an earlier apply, with the settings and lists of today."""
    from journeylang.deploy.revisions import numbered

    opened = open_database(loaded, env)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    try:
        found = numbered(opened.value, number)
        if found is None:
            return _refused(
                REVISION_UNKNOWN,
                f"`{env}` has no revision {number}",
                f"`journey versions {env}` lists them",
            )
        with applied_project(opened.value, found, env, loaded.root) as old:
            if old is None:
                return _refused(
                    REVISION_UNKNOWN,
                    f"revision {number} can't be read by this release, or a list that it names is"
                    " gone",
                    "take the files of then from the version control, and apply those",
                )
    finally:
        opened.value.close()
    return Outcome(value=replace(old, config=loaded.config, root=loaded.root))


def changes_since(loaded: LoadedProject, env: str, ref: str | None) -> Outcome[Plan]:
    """What has changed in meaning since a revision of the version control, or since what is
    applied to the environment; no database is asked about people."""
    from journeylang.deploy.git import RefError, checked_out
    from journeylang.deploy.plan import compare
    from journeylang.deploy.revisions import latest
    from journeylang.loading.project import load

    def compared(old: LoadedProject | None, what: str) -> Outcome[Plan]:
        if old is None:
            message = f"{what} can't be read by this release"
            refused = _refused(REVISION_UNKNOWN, message, "compare with a later one")
            return Outcome(value=None, diagnostics=refused.diagnostics)
        return Outcome(value=compare(old, loaded, fields=template_entry_fields))

    if ref is not None:
        try:
            with checked_out(loaded.root, ref) as place:
                loading = load(place, env)
                old = loading.outcome.value if loading.outcome.ok else None
                return compared(old, f"the project at `{ref}`")
        except RefError as error:
            told = _refused(REVISION_UNKNOWN, f"`{ref}` can't be compared with: {error}", "")
            return Outcome(value=None, diagnostics=told.diagnostics)
    opened = open_database(loaded, env)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    try:
        base = latest(opened.value)
        if base is None:
            message = f"nothing was applied to `{env}` yet"
            told = _refused(NOTHING_APPLIED, message, "name a revision: `journey diff main`")
            return Outcome(value=None, diagnostics=told.diagnostics)
        with applied_project(opened.value, base, env, loaded.root) as old:
            return compared(old, f"revision {base.number} of `{env}`")
    finally:
        opened.value.close()


def save_plan(loaded: LoadedProject, env: str, planned: Planned, now: datetime) -> str:
    """The text of a file by which `apply_saved` does what was planned, and nothing else."""
    from journeylang.deploy.saved import lists_of, save
    from journeylang.deploy.snapshot import snapshot

    base = planned.base
    return save(
        planned.plan,
        env=env,
        database=planned.database,
        revision=0 if base is None else base.number,
        base=None if base is None else base.digest,
        snapshot=snapshot(loaded, env),
        lists=lists_of(loaded),
        now=now,
    )


def planned_project(loaded: LoadedProject, saved: SavedPlan) -> Outcome[LoadedProject]:
    """The project that a saved plan is about, with the settings and lists of today."""
    from journeylang.deploy.saved import lists_of
    from journeylang.deploy.snapshot import read_again

    loading = read_again(saved.snapshot, saved.env, lists=loaded.root)
    found = loading.outcome.value
    if not loading.outcome.ok or found is None:
        return _stale("this release reads its texts otherwise, or a list that it names is gone")
    if lists_of(found) != dict(saved.lists):
        return _stale("a list of people is another one by now")
    return Outcome(value=replace(found, config=loaded.config, root=loaded.root))


def still_holds(saved: SavedPlan, planned: Planned) -> tuple[Diagnostic, ...]:
    """Why a saved plan is not to be applied any more to its database; nothing if it is."""
    from journeylang.deploy.saved import what_changes
    from journeylang.deploy.show import as_json

    if (saved.revision, saved.digest) != _named(planned.base):
        return _stale(f"it starts from revision {saved.revision}").diagnostics
    if what_changes(saved.plan) != what_changes(as_json(planned.plan)):
        return _stale("people have come to where it saw nobody, or left").diagnostics
    return ()


def _named(base: Revision | None) -> tuple[int, str | None]:
    return (0, None) if base is None else (base.number, base.digest)


def _stale(
    why: str, help_: str = "plan again, and look at it again: `journey plan ENV --out FILE`"
) -> Outcome[LoadedProject]:
    message = f"the database has moved on since the plan was made: {why}"
    return _refused(PLAN_STALE, message, help_)


def _refused(code: Code, message: str, help_: str) -> Outcome[LoadedProject]:
    return Outcome(value=None, diagnostics=(Diagnostic(code=code, message=message, help=help_),))


def apply_project(
    loaded: LoadedProject,
    env: str,
    *,
    now: datetime,
    planned: Planned | None = None,
    environ: Mapping[str, str] | None = None,
) -> Outcome[int]:
    """Apply the project, and nothing else; the number of the revision that runs then.

    Where it was `planned`, it is refused if something else was applied since.
    """
    from journeylang.api.runtime import Runtime
    from journeylang.deploy.revisions import latest

    def moved_on(engine: Engine) -> tuple[Diagnostic, ...]:
        there = latest(engine)
        if planned is None or _named(there) == _named(planned.base):
            return ()
        assert there is not None, "revisions stay"
        why = f"revision {there.number} was applied meanwhile"
        return _stale(why, f"`journey apply {env}` plans and shows it anew").diagnostics

    opened = Runtime.open(loaded, env, now=now, environ=environ, apply=True, refused_if=moved_on)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    with opened.value as runtime:
        base = latest(runtime.engine)
    return Outcome(value=0 if base is None else base.number, diagnostics=opened.diagnostics)


def applied_revisions(loaded: LoadedProject, env: str) -> Outcome[list[Revision]]:
    """What was applied to the environment, the latest first."""
    from journeylang.deploy.revisions import revisions

    opened = open_database(loaded, env)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    try:
        return Outcome(value=revisions(opened.value))
    finally:
        opened.value.close()
