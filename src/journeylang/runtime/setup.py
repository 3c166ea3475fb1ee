"""Applying a program to a database: tables, numbers, versions, and is the binding sound?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import md5
from typing import Literal, get_args

from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.build import build
from journeylang.plan.incremental import Kind
from journeylang.plan.numbering import Numbering, step_paths
from journeylang.plan.operations import Program
from journeylang.plan.serialise import fingerprint, plan_json
from journeylang.runtime.aside import Doubt, heeding, remember, remembered
from journeylang.runtime.lease import Lease
from journeylang.runtime.lists import store_lists
from journeylang.runtime.looks import look_mark
from journeylang.runtime.memberships import begin_memberships
from journeylang.runtime.migrate import migrate
from journeylang.runtime.program import Ready, make_ready
from journeylang.runtime.session import Session
from journeylang.sql.dialects import text
from journeylang.sql.schema import ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An apply that would strand people or spoil an experiment; `path` is the step's."""

    kind: Literal["stranded", "spoiled"]
    journey: str
    path: str | None
    reason: str


def key_type(engine: Engine, project: Project) -> str:
    """The type in which the runtime keeps customer keys: the bound column's own."""
    from journeylang.sql.relations import customers

    base = customers(project.binding, engine.dialect, ())
    found = engine.shape(f"SELECT customer_id FROM {base} AS c")
    return engine.dialect.key_type(found["customer_id"])


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
) -> Session | list[Refused]:
    """Apply the project at `now` and make the connection ready for ticks.

    `templates` are the texts by path: another text is another version. `without` names
    journeys that stand still: what they rest on is missing. `lease` is held already, if any.
    Without `incremental` everybody is asked each time, also where a look at those with news tells
    the same. `doubts` are the rows to set aside; None is those that were found before.

    Journeys and steps keep the numbers they have; a changed journey gets a new version,
    which its runs follow by step path. What would strand a run is refused, and then nothing
    has changed but the tables, which are those of today.

    Raises:
        NewerSchemaError: a later release has changed the tables.
    """
    lay_foundation(engine)
    kind = key_type(engine, project)
    migrate(engine, kind, now)
    found = remembered(engine) if doubts is None else tuple(doubts)
    project = heeding(project, found)
    with engine.transaction():
        _begin(engine, now)
        known = numbering(engine)
        running = replace(
            project,
            journeys={n: j for n, j in project.journeys.items() if n not in without},
        )
        program = build(running, known, template_entry_fields)
        refused = _stranded(engine, project, known) + _spoiled(engine, project, program)
        if refused:
            return refused
        _forget_looks(engine, [known.journeys[n] for n in without if n in known.journeys])
        if doubts is not None and remember(engine, project, doubts):
            # What was not read may be read now, and the other way round, without any news.
            _forget_looks(engine, list(known.journeys.values()))
        store_lists(engine, project, now)
        versions, applied = _store(engine, running, program, known, now, templates or {})
    steps = dict(numbering(engine).steps)
    ready = make_ready(running, program, steps, versions, engine.dialect, incremental=incremental)
    with engine.transaction():
        begin_memberships(engine, ready, kind, now)
    return Session.begin(engine, ready, kind, applied, lease)


def _begin(engine: Engine, now: datetime) -> None:
    """The one row of the lock, from which the high-water mark of time counts."""
    if not engine.query("SELECT 1 FROM journey.lock WHERE name = 'tick'"):
        since = engine.dialect.instant(now)
        engine.execute(
            "INSERT INTO journey.lock (name, token, previous, now, next_batch)"
            f" VALUES ('tick', 0, {since}, {since}, 1)"
        )


def numbering(engine: Engine) -> Numbering:
    """The numbers that journeys and steps have in this database."""
    names = dict(engine.query("SELECT DISTINCT journey, name FROM journey.version"))
    steps = engine.query("SELECT journey, path, step FROM journey.step")
    return Numbering(
        journeys={name: number for number, name in names.items()},
        steps={(names[journey], path): step for journey, path, step in steps},
    )


def _stranded(engine: Engine, project: Project, known: Numbering) -> list[Refused]:
    """Steps that are gone from the project but hold people."""
    holding = engine.query(
        f"SELECT step, count(*) FROM journey.run WHERE status = {ACTIVE} GROUP BY step"
    )
    if not holding:
        return []
    # Nobody can wait at an experiment or the hold-out, even if its name is that of a step gone.
    present = {
        (name, path)
        for name, journey in project.journeys.items()
        for path, kind in step_paths(journey)
        if kind not in ("experiment", "holdout")
    }
    counts = dict(holding)
    return [
        Refused(
            kind="stranded",
            journey=name,
            path=path,
            reason=f"{counts[step]:,} people wait at a step that is no longer there",
        )
        for (name, path), step in known.steps.items()
        if counts.get(step) and (name, path) not in present
    ]


def _spoiled(engine: Engine, project: Project, program: Program) -> list[Refused]:
    """Experiments whose arms changed under the same salt."""
    import json

    stored = {
        name: json.loads(plan)
        for name, plan in engine.query(
            "SELECT name, plan FROM journey.version AS v WHERE version ="
            " (SELECT max(version) FROM journey.version AS w WHERE w.name = v.name)"
        )
    }
    refused = []
    for plan in program.journeys:
        before = stored.get(plan.name, {}).get("experiments", {})
        for path, now in plan_json(project, program, plan)["experiments"].items():
            old = before.get(path)
            if old is not None and old["salt"] == now["salt"] and old["arms"] != now["arms"]:
                reason = "arms of a running experiment changed without a new salt"
                refused.append(Refused(kind="spoiled", journey=plan.name, path=path, reason=reason))
    return refused


def _store(
    engine: Engine,
    project: Project,
    program: Program,
    known: Numbering,
    now: datetime,
    templates: Mapping[str, str],
) -> tuple[dict[int, int], dict[int, datetime]]:
    import json

    d = engine.dialect
    latest = {
        journey: (version, mark)
        for journey, version, mark in engine.query(
            "SELECT journey, version, fingerprint FROM journey.version ORDER BY version"
        )
    }
    versions: dict[int, int] = {}
    changed = False
    for plan in program.journeys:
        body = plan_json(project, program, plan, templates)
        mark = fingerprint(body)
        version, before = latest.get(plan.journey, (0, None))
        if before != mark:
            version += 1
            changed = True
            stored = json.dumps(body, sort_keys=True)
            engine.execute(
                "INSERT INTO journey.version VALUES"
                f" ({plan.journey}, {text(plan.name)}, {version}, {d.instant(now)}, '{mark}',"
                f" {text(stored)})"
            )
            _forget_looks(engine, [plan.journey])
        versions[plan.journey] = version
    if changed:
        _store_steps(engine, project, program, known)
    applied = dict(
        engine.query("SELECT journey, min(applied_at) FROM journey.version GROUP BY journey")
    )
    return versions, applied


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
        engine.execute(f"INSERT INTO journey.step VALUES {', '.join(rows)}")


__all__ = ["Ready", "Refused", "key_type", "lay_foundation", "prepare"]
