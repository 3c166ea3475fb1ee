"""What an apply does to people in flight: who is carried on to where, and what is refused.

Runs follow the new version by step path. It is worked out from the plans that versions have stored,
before anything is written, so that `plan` tells what `apply` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.journey import Journey, Repeat
from journeylang.model.project import Move, Project
from journeylang.model.steps import steps
from journeylang.plan.numbering import Numbering
from journeylang.plan.operations import ActionPark, JourneyPlan, Park, Program, SendPark
from journeylang.plan.passes import BASE, STRAIGHT, Passes, weight
from journeylang.plan.serialise import fingerprint, plan_json
from journeylang.runtime.localtime import ZoneTables, zones_in_use
from journeylang.runtime.pinned import LackingError
from journeylang.sql import upgrade as sql
from journeylang.sql.compiler import Compiler
from journeylang.sql.schema import ACTIVE
from journeylang.sql.session import temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An apply that would strand people or spoil an experiment; `path` is the step's."""

    kind: Literal["stranded", "spoiled", "lacking"]
    journey: str
    path: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A journey as it was applied last."""

    journey: int
    version: int
    fingerprint: str
    plan: str

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.plan)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """People at the step `source` who rest at `park` from now on; `again`: by another length.

    `passes` is what becomes of the loops that they are in.
    """

    journey: str
    path: str
    source: int
    park: Park
    again: bool
    passes: Passes = STRAIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """People whose step is gone, and who leave."""

    journey: str
    path: str
    source: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """People who finish on the version that they are on; `paths` are its steps, with numbers."""

    journey: str
    number: int
    version: int
    paths: tuple[tuple[str, int], ...]
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """All that an apply would do. `holding` is how many people rest at each step now, and `since`
    when the first of them came there.

    `bodies` are the plans of the new versions, by journey, and `marks` their fingerprints.
    `released` are versions whose people come over to the new one.
    """

    stored: Mapping[str, Stored]
    bodies: Mapping[str, dict[str, Any]]
    marks: Mapping[str, str]
    holding: Mapping[int, int]
    since: Mapping[int, datetime]
    carried: tuple[Carried, ...]
    left: tuple[Left, ...]
    pinned: tuple[Pinned, ...]
    released: frozenset[tuple[str, int]]
    refused: tuple[Refused, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """Journeys that are new or mean something else than before."""
        return tuple(
            name
            for name, mark in self.marks.items()
            if name not in self.stored or self.stored[name].fingerprint != mark
        )


def stored_versions(engine: Engine) -> dict[str, Stored]:
    """The latest version of every journey that was ever applied, by name."""
    rows = engine.query(
        "SELECT name, journey, version, fingerprint, plan FROM journey.version AS v"
        " WHERE version = (SELECT max(version) FROM journey.version AS w"
        " WHERE w.journey = v.journey)"
    )
    return {
        name: Stored(journey=journey, version=version, fingerprint=mark, plan=plan)
        for name, journey, version, mark, plan in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """How many rest at each step, and since when the first of them."""

    count: Mapping[int, int]
    since: Mapping[int, datetime]


NOBODY = Resting(count={}, since={})


def people(engine: Engine) -> Resting:
    """Who is on the way now: one look at all runs."""
    rows = engine.query(
        f"SELECT step, count(*), min(arrived_at) FROM journey.run WHERE status = {ACTIVE}"
        " AND step IS NOT NULL GROUP BY step"
    )
    return Resting(
        count={step: count for step, count, _ in rows},
        since={step: since for step, _, since in rows},
    )


def upgrade(
    project: Project,
    program: Program,
    known: Numbering,
    *,
    stored: Mapping[str, Stored],
    resting: Resting,
    templates: Mapping[str, str],
) -> Upgrade:
    """What becomes of people if `program` is applied; `project` may have journeys besides that
    stand still for now."""
    holding = resting.count
    bodies = {p.name: plan_json(project, program, p, templates) for p in program.journeys}
    marks = {name: fingerprint(body) for name, body in bodies.items()}
    moves = {(m.journey, m.source): m for m in project.moves}
    plans = {p.name: p for p in program.journeys}
    carried: list[Carried] = []
    left: list[Left] = []
    refused: list[Refused] = []
    here = {
        name: {p.path: p for p in plan.parks if not isinstance(p, ActionPark)}
        for name, plan in plans.items()
    }
    # Journeys that stand still keep their people where they are.
    still = project.journeys.keys() - plans.keys()
    pinned: dict[str, Pinned] = {}
    released: set[tuple[str, int]] = set()
    for name in plans:
        before = stored.get(name)
        if before is None or before.fingerprint == marks[name]:
            continue
        if project.journeys[name].upgrade == "migrate":
            released |= {(of, version) for of, _, version in known.aliases if of == name}
        elif _steps_differ(before.body, bodies[name]):
            found = _pinned(name, before, known, holding)
            if found.people:
                pinned[name] = found
    for (name, path), step in sorted(known.steps.items(), key=lambda item: item[1]):
        if not holding.get(step) or name in still or name in pinned:
            continue
        if path in here.get(name, {}):
            continue
        move = moves.get((name, path))
        if move is None:
            refused.append(_stranded(name, path, holding[step]))
        elif move.target is None:
            left.append(Left(journey=name, path=path, source=step))
        else:
            carried.append(_moved(move, step, stored.get(name), bodies[name], here[name], project))
    for (name, path, version), step in sorted(known.aliases.items(), key=lambda item: item[1]):
        # Whoever was to finish on an earlier version stays there, or comes over to the newest.
        gone = name not in project.journeys
        if not holding.get(step) or not (gone or (name, version) in released):
            continue
        move = moves.get((name, path))
        if path in here.get(name, {}):
            park = here[name][path]
            carried.append(
                Carried(
                    journey=name,
                    path=path,
                    source=step,
                    park=park,
                    again=not isinstance(park, SendPark),
                )
            )
        elif move is None:
            refused.append(_stranded(name, path, holding[step]))
        elif move.target is None:
            left.append(Left(journey=name, path=path, source=step))
        else:
            carried.append(_moved(move, step, None, bodies[name], here[name], project))
    for name, plan in plans.items():
        before = stored.get(name)
        if before is None or before.fingerprint == marks[name]:
            continue
        old = before.body
        if name not in pinned:
            carried += _retimed(plan, old, bodies[name], holding)
        refused += _spoiled(name, old, bodies[name])
    return Upgrade(
        stored=stored,
        bodies=bodies,
        marks=marks,
        holding=holding,
        since=resting.since,
        carried=tuple(carried),
        left=tuple(left),
        pinned=tuple(pinned.values()),
        released=frozenset(released),
        refused=tuple(refused),
    )


_STEPS = ("parks", "edges", "leaves", "experiments", "segments", "metrics", "templates", "lists")


def _steps_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether it matters on which of two versions somebody goes on."""
    return any(old.get(part) != new.get(part) for part in _STEPS)


def _pinned(name: str, before: Stored, known: Numbering, holding: Mapping[int, int]) -> Pinned:
    """The steps of the version that is left behind."""
    body = before.body
    paths = [p["path"] for p in body["parks"]] + list(body.get("experiments", {}))
    numbered = tuple((path, known.steps[name, path]) for path in dict.fromkeys(paths))
    return Pinned(
        journey=name,
        number=before.journey,
        version=before.version,
        paths=numbered,
        people=sum(holding.get(step, 0) for _, step in numbered),
    )


def still_on(known: Numbering, holding: Mapping[int, int]) -> set[tuple[str, int]]:
    """Earlier versions of journeys that people are on."""
    return {(name, of) for (name, _, of), step in known.aliases.items() if holding.get(step)}


def lacking(error: LackingError) -> Refused:
    """A version that cannot go on beside the new one."""
    reason = f"people finish on version {error.version}, and {error}"
    return Refused(kind="lacking", journey=error.journey, path=None, reason=reason)


def _stranded(name: str, path: str, count: int) -> Refused:
    waits = "person waits" if count == 1 else "people wait"
    return Refused(
        kind="stranded",
        journey=name,
        path=path,
        reason=f"{count:,} {waits} at a step that is no longer there",
    )


def _moved(
    move: Move,
    step: int,
    before: Stored | None,
    body: Mapping[str, Any],
    here: Mapping[str, Park],
    project: Project,
) -> Carried:
    """Under another name a wait of the same length goes on as it was."""
    assert move.target is not None
    was = None if before is None else _lengths(before.body).get(move.source)
    same = was is not None and was == _lengths(body).get(move.target)
    return Carried(
        journey=move.journey,
        path=move.source,
        source=step,
        park=here[move.target],
        again=not same,
        passes=_passes(project.journeys[move.journey], move.source, move.target),
    )


def _passes(journey: Journey, source: str, target: str) -> Passes:
    """Who comes into a loop is in its first pass; those that they stay in go on counting."""
    around = [s.path for s in steps(journey.body) if isinstance(s, Repeat)]
    inside = [path for path in around if target.startswith(f"{path}/")]
    stays = sum(source.startswith(f"{path}/") for path in inside)
    kept = weight(stays) if stays else BASE * weight(1)
    return Passes(kept, sum(weight(depth) for depth in range(stays + 1, len(inside) + 1)))


def _retimed(
    plan: JourneyPlan,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    holding: Mapping[int, int],
) -> Iterable[Carried]:
    """Waits that have another length, where somebody waits."""
    was, is_ = _lengths(old), _lengths(new)
    for park in plan.parks:
        length = is_.get(park.path)
        if length is None or park.path not in was or not holding.get(park.step):
            continue
        if was[park.path] != length:
            yield Carried(
                journey=plan.name, path=park.path, source=park.step, park=park, again=True
            )


def _lengths(body: Mapping[str, Any]) -> dict[str, object]:
    """By path, what the end of a wait is worked out from; of a held send nothing."""
    found: dict[str, object] = {}
    for park in body["parks"]:
        match park["kind"]:
            case "WaitPark" | "RacePark" | "StatePark":
                found[park["path"]] = (park.get("seconds"), park.get("rule"))
            case "MomentPark":
                found[park["path"]] = park["moment"]
            case "SendPark":
                found[park["path"]] = None
            case _:
                pass
    return found


def _spoiled(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Refused]:
    """Experiments whose arms changed under the same salt."""
    for path, now in new["experiments"].items():
        before = old.get("experiments", {}).get(path)
        if before is None or before["salt"] != now["salt"] or before["arms"] == now["arms"]:
            continue
        reason = "arms of a running experiment changed without a new salt"
        yield Refused(kind="spoiled", journey=name, path=path, reason=reason)


# --- doing it -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What becomes of the waits of those who rest at one step."""

    later: int
    earlier: int
    at_once: int
    unchanged: int


def gather(
    engine: Engine, compiler: Compiler, program: Program, found: Upgrade, key: str, now: datetime
) -> None:
    """Puts everybody who is carried on into `carried`."""
    engine.execute(temporary(engine.dialect, "carried", sql.CARRIED, key))
    _cover(engine, compiler, program, found, now)
    for one in found.carried:
        engine.execute(sql.carry(compiler, _carry(one)), {"now": now})


def foresee(
    engine: Engine, compiler: Compiler, program: Program, found: Upgrade, now: datetime
) -> dict[int, Waits]:
    """How the waits of those who are carried on end from now on, by step; they stay as they are."""
    if not found.carried:
        return {}
    _cover(engine, compiler, program, found, now)
    rows = engine.query(sql.counted(compiler, [_carry(one) for one in found.carried]), {"now": now})
    return {
        step: Waits(later=later, earlier=earlier, at_once=at_once, unchanged=unchanged)
        for step, later, earlier, at_once, unchanged in rows
        if later or earlier or at_once or unchanged
    }


def _carry(one: Carried) -> sql.Carry:
    return sql.Carry(
        source=one.source,
        park=one.park,
        again=one.again,
        same=one.path == one.park.path,
        passes=one.passes,
    )


def _cover(
    engine: Engine, compiler: Compiler, program: Program, found: Upgrade, now: datetime
) -> None:
    """Have the zone tables ready for the arrivals of those who are carried on."""
    if not program.rules or not found.carried:
        return
    binding = compiler.project.binding
    assert binding.customers is not None
    since = [found.since[one.source] for one in found.carried if one.source in found.since]
    low = min(since, default=now)
    names, otherwise = zones_in_use(engine, binding), binding.customers.zone_else
    ZoneTables().cover(engine, program, names, otherwise, low=low, now=now)


def pin(engine: Engine, found: Upgrade, known: Numbering) -> None:
    """Give those numbers of their own who finish on the version that they are on."""
    if not found.pinned:
        return
    free = max((*known.steps.values(), *known.aliases.values()), default=0)
    for one in found.pinned:
        rows, whens = [], []
        for _, step in one.paths:
            free += 1
            rows.append(
                f"SELECT {free}, journey, path, kind, {one.version} FROM journey.step"
                f" WHERE step = {step}"
            )
            whens.append(f"WHEN {step} THEN {free}")
        engine.execute(
            "INSERT INTO journey.step (step, journey, path, kind, version) "
            + " UNION ALL ".join(rows)
        )
        listed = ", ".join(str(step) for _, step in one.paths)
        case = f"CASE step {' '.join(whens)} END"
        engine.execute(
            f"UPDATE journey.run SET step = {case} WHERE status = {ACTIVE} AND step IN ({listed})"
        )
        # What is decided and has not gone out yet is theirs as well.
        engine.execute(
            f"UPDATE journey.message SET step = {case} WHERE journey = {one.number}"
            f" AND step IN ({listed})"
            " AND batch_id IN (SELECT batch_id FROM journey.batch WHERE NOT done)"
        )


def carry_over(engine: Engine, found: Upgrade, now: datetime) -> None:
    """Write what `gather` has found, and let those leave who have nowhere to go on to."""
    if not found.carried and not found.left:
        return
    d = engine.dialect
    tick = engine.query("SELECT token FROM journey.lock WHERE name = 'tick'")[0][0]
    statements = sql.carried(tick, d) if found.carried else ()
    for one in found.left:
        statements += sql.leave(one.source, tick, d)
    for statement in statements:
        engine.execute(statement, {"now": now})
