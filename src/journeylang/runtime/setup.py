"""Applying a program to a database: tables, numbers, versions, and is the binding sound?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import md5
from typing import get_args

from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.build import build
from journeylang.plan.incremental import Kind
from journeylang.plan.numbering import Numbering, step_paths
from journeylang.plan.operations import Program
from journeylang.runtime.aside import Doubt, heeding, remember, remembered
from journeylang.runtime.gone import ask_again, known_keys
from journeylang.runtime.lease import Lease
from journeylang.runtime.lists import store_lists
from journeylang.runtime.looks import look_mark
from journeylang.runtime.memberships import begin_memberships
from journeylang.runtime.migrate import migrate
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.pinned import LackingError, PastOf, beside
from journeylang.runtime.program import Ready, make_ready
from journeylang.runtime.repeating import watch
from journeylang.runtime.session import Session
from journeylang.runtime.upgrade import (
    Refused,
    Upgrade,
    carry_over,
    gather,
    lacking,
    people,
    pin,
    still_on,
    stored_versions,
    upgrade,
)
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.migrations import MIGRATIONS, statements
from journeylang.sql.schema import views


def lay_foundation(engine: Engine) -> None:
    """See to it that the database has the functions that expressions rest on."""
    statements = engine.dialect.foundation()
    if not statements:
        return
    mark = "functions_" + md5("".join(statements).encode(), usedforsecurity=False).hexdigest()
    if engine.query(f"SELECT to_regproc('journey.{mark}') IS NOT NULL") == [(True,)]:
        return
    with engine.transaction():
        engine.execute("SELECT pg_advisory_xact_lock(hashtext('journey.functions'))")
        engine.execute(engine.dialect.own_schema())
        for statement in statements:
            engine.execute(statement)
        engine.execute(
            f"CREATE OR REPLACE FUNCTION journey.{mark}() RETURNS void LANGUAGE sql AS 'SELECT'"
        )


def prepare(
    engine: Engine,
    project: Project,
    *,
    now: datetime,
    template_entry_fields: Mapping[str, Sequence[str]] | None = None,
    templates: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    lease: Lease | None = None,
    incremental: bool = True,
    doubts: Sequence[Doubt] | None = None,
    record: Callable[[Mapping[str, int]], None] | None = None,
    apply: bool = True,
    moves: bool = True,
    past: PastOf | None = None,
) -> Session | list[Refused]:
    """Apply the project at `now` and make the connection ready for ticks.

    `templates` are the texts by path: another text is another version. `without` names
    journeys that stand still: what they rest on is missing. `lease` is held already, if any.
    Without `incremental` everybody is asked each time, also where a look at those with news tells
    the same. `doubts` are the rows to set aside; None is those that were found before.

    `record` is told the version of each journey, in the transaction of the apply. Without `apply`
    the project is what was applied before, and nothing is stored; who `moves` nobody leaves also
    what belongs to the one that does, who may be ahead by an apply. `past` has the projects of
    versions on which people finish.

    Journeys and steps keep the numbers they have; a changed journey gets a new version,
    which its runs follow by step path, or by what `moved` says. What would strand a run is
    refused, and then nothing has changed but the tables, which are those of today.

    Raises:
        NewerSchemaError: a later release has changed the tables.
    """
    lay_foundation(engine)
    kind = key_type(engine, project)
    migrate(engine, kind, now)
    aside = remembered(engine) if doubts is None else tuple(doubts)
    project = heeding(project, aside)
    with engine.transaction():
        _begin(engine, now)
        known = numbering(engine)
        running = replace(
            project,
            journeys={n: j for n, j in project.journeys.items() if n not in without},
        )
        stored = stored_versions(engine)
        if not apply:
            # One that stood still when the others were applied has no version.
            there = {n: j for n, j in running.journeys.items() if n in stored}
            running = replace(running, journeys=there)
        program = build(running, known, template_entry_fields)
        found = None
        if apply:
            found = upgrade(
                project,
                program,
                known,
                stored=stored,
                resting=people(engine),
                templates=templates or {},
            )
            if found.refused:
                return list(found.refused)
        holding = people(engine).count if found is None else found.holding
        pins = still_on(known, holding) - (found.released if found is not None else set())
        pins |= {(one.journey, one.version) for one in found.pinned} if found is not None else set()
        pins = {(name, version) for name, version in pins if name in running.journeys}
        try:
            beside(running, sorted(pins), known, past)
        except LackingError as error:
            return [lacking(error)]
        if moves:
            _forget_looks(engine, [known.journeys[n] for n in without if n in known.journeys])
        if doubts is not None and remember(engine, project, doubts):
            # What was not read may be read now, and the other way round, without any news.
            _forget_looks(engine, list(known.journeys.values()))
            ask_again(engine)
        versions = {
            plan.journey: stored[plan.name].version for plan in program.journeys if not apply
        }
        if found is not None:
            versions = _apply(engine, running, program, known, found, kind, now)
            if record is not None:
                record({plan.name: versions[plan.journey] for plan in program.journeys})
        known = numbering(engine)
        steps = dict(known.steps)
        applied = dict(
            engine.query(
                # By the order of versions: a clock may have gone back between two applies.
                "SELECT v.journey, v.applied_at FROM journey.version AS v WHERE v.version ="
                " (SELECT min(w.version) FROM journey.version AS w WHERE w.journey = v.journey)"
            )
        )
    if pins or known.aliases:
        running = beside(running, sorted(pins), known, past)
        program = build(running, known, template_entry_fields)
    ready = make_ready(
        running,
        program,
        steps,
        versions,
        engine.dialect,
        incremental=incremental,
        again=known.again,
        keys=known_keys(engine, running.binding),
    )
    if moves:
        with engine.transaction():
            begin_memberships(engine, ready, kind, now)
    return Session.begin(engine, ready, kind, applied, lease)


def _apply(
    engine: Engine,
    project: Project,
    program: Program,
    known: Numbering,
    found: Upgrade,
    kind: str,
    now: datetime,
) -> dict[int, int]:
    """Store what is new, and carry people over; the versions by journey."""
    store_lists(engine, project, now)
    versions = _store(engine, project, program, known, now, found)
    pin(engine, found, numbering(engine))
    if found.carried or found.left:
        # What has ended by the latest tick is over, whatever the clock shows.
        since = max(now, engine.query("SELECT now FROM journey.lock")[0][0])
        steps = dict(numbering(engine).steps)
        compiler = Compiler(project=project, dialect=engine.dialect, steps=steps)
        gather(engine, compiler, program, found, kind, since)
        carry_over(engine, found, since)
    watch(engine, found, numbering(engine), now)
    return versions


def create_missing(engine: Engine, project: Project, now: datetime) -> str:
    """The runtime's tables as they are today; returns the type of customer keys.

    Raises:
        NewerSchemaError: a later release has changed them.
    """
    lay_foundation(engine)
    kind = key_type(engine, project)
    migrate(engine, kind, now)
    with engine.transaction():
        _begin(engine, now)
    return kind


def pretend(engine: Engine, project: Project, kind: str, now: datetime) -> None:
    """Empty tables of the runtime where there are none, in a transaction that is to be undone.

    `kind` is the type of customer keys.
    """
    d = engine.dialect
    engine.execute(d.own_schema())
    for statement in d.foundation():
        engine.execute(statement)
    for migration in MIGRATIONS:
        for statement in statements(migration, kind, d):
            engine.execute(statement)
    for name, query in views().items():
        engine.execute(f"CREATE VIEW journey.{name} AS{query}")
    _begin(engine, now)
    store_lists(engine, project, now)


def _begin(engine: Engine, now: datetime) -> None:
    """The one row of the lock, from which the high-water mark of time counts."""
    if not engine.query("SELECT 1 FROM journey.lock WHERE name = 'tick'"):
        since = engine.dialect.instant(now)
        engine.execute(
            "INSERT INTO journey.lock (name, token, previous, now, next_batch)"
            f" VALUES ('tick', 0, {since}, {since}, 1)"
        )


def _store(
    engine: Engine,
    project: Project,
    program: Program,
    known: Numbering,
    now: datetime,
    found: Upgrade,
) -> dict[int, int]:
    import json

    d = engine.dialect
    changed = found.changed
    versions: dict[int, int] = {}
    for plan in program.journeys:
        before = found.stored.get(plan.name)
        version = 0 if before is None else before.version
        if plan.name in changed:
            version += 1
            stored = json.dumps(found.bodies[plan.name], sort_keys=True)
            engine.execute(
                "INSERT INTO journey.version VALUES"
                f" ({plan.journey}, {text(plan.name)}, {version}, {d.instant(now)},"
                f" '{found.marks[plan.name]}', {text(stored)})"
            )
            _forget_looks(engine, [plan.journey])
        versions[plan.journey] = version
    if changed:
        _store_steps(engine, project, program, known)
    return versions


def _forget_looks(engine: Engine, journeys: Sequence[int]) -> None:
    """Have the next tick of these journeys ask everybody, not only those with news."""
    if journeys:
        marks = (look_mark(kind, j) for j in journeys for kind in get_args(Kind))
        names = ", ".join(text(mark) for mark in marks)
        engine.execute(f"DELETE FROM journey.watermark WHERE name IN ({names})")


def _store_steps(engine: Engine, project: Project, program: Program, known: Numbering) -> None:
    from journeylang.plan.numbering import number

    numbers = number(project, known)
    rows = [
        f"({numbers.steps[plan.name, path]}, {plan.journey}, {text(path)}, '{kind}')"
        for plan in program.journeys
        for path, kind in step_paths(project.journeys[plan.name])
        if (plan.name, path) not in known.steps
    ]
    if rows:
        columns = "step, journey, path, kind"
        engine.execute(f"INSERT INTO journey.step ({columns}) VALUES {', '.join(rows)}")


__all__ = ["Ready", "Refused", "key_type", "lay_foundation", "prepare"]
