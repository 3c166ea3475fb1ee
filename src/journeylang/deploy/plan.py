"""What an apply would do: to definitions, and to people in flight, with counts. Nothing is written.

    planned = make_plan(engine, loaded, old, now=now)

`old` is the project as it was applied last. Where that is not known (nothing was applied, or by a
version that kept no texts) journeys are compared as wholes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.deploy.gains import Gains, gains
from journeylang.deploy.snapshot import digest
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from journeylang.plan.aspects import Category
from journeylang.plan.build import build
from journeylang.plan.diff import (
    Change,
    Side,
    Sign,
    changes,
    entry_words,
    gravest,
    labelled,
)
from journeylang.plan.numbering import Numbering, number
from journeylang.plan.serialise import fingerprint, plan_json
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.pinned import LackingError, PastOf, beside
from journeylang.runtime.upgrade import (
    NOBODY,
    Refused,
    Stored,
    Upgrade,
    Waits,
    foresee,
    lacking,
    people,
    still_on,
    stored_versions,
    upgrade,
)
from journeylang.source import Span
from journeylang.sql.compiler import Compiler

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One change with what becomes of people: `waiting` of them rest there now.

    `fate` says where they go; `waits` how their waits end from now on.
    """

    change: Change
    waiting: int = 0
    fate: str | None = None
    waits: Waits | None = None
    gains: Gains | None = None

    @property
    def affected(self) -> int:
        """How many people do something else by it."""
        return self.waiting if self.fate is not None or self.waits is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What a journey sends in `days`, before and after; costs in `currency` where they are known.

    `basis` says what it rests on.
    """

    days: int
    before: int
    after: int
    cost_before: Decimal | None
    cost_after: Decimal | None
    currency: str | None
    basis: str


Forecast = Callable[[LoadedProject | None, LoadedProject], Mapping[str, Volume]]
"""Of journeys by name, what the old project and the new one would send: a simulation's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPlan:
    """What happens to one journey. `before` and `after` are versions; None: there is none."""

    sign: Sign
    name: str
    before: int | None
    after: int | None
    upgrade: str
    category: Category
    lines: tuple[Line, ...]
    volume: Volume | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an apply would do; what is `refused` has to be answered first.

    `counted`: people were counted; else two texts were compared.
    """

    journeys: tuple[JourneyPlan, ...]
    refused: tuple[Refused, ...]
    counted: bool = True

    @property
    def lines(self) -> Iterator[Line]:
        return (line for journey in self.journeys for line in journey.lines)

    @property
    def affected(self) -> int:
        """People who move, leave, or wait for something else."""
        return sum(line.affected for line in self.lines)

    def count(self, sign: Sign) -> int:
        """Journeys that come or go, and changes within those that stay."""
        whole = sum(j.sign == sign for j in self.journeys if j.sign != "~")
        return whole + sum(
            line.change.sign == sign
            for j in self.journeys
            if j.sign == "~"
            for line in j.lines
            if line.gains is None
        )


class _UndoneError(Exception):
    """Ends the transaction without keeping anything of it."""


def make_plan(
    engine: Engine,
    loaded: LoadedProject,
    old: LoadedProject | None,
    *,
    now: datetime,
    template_fields: Mapping[str, tuple[str, ...]],
    without: Iterable[str] = (),
    forecast: Forecast | None = None,
    past: PastOf | None = None,
) -> Plan:
    """What applying `loaded` would do at `now`; `without` are journeys that stand still."""
    project = heeding(loaded.project, remembered(engine))
    still = set(without)
    running = replace(
        project, journeys={n: j for n, j in project.journeys.items() if n not in still}
    )
    applied = engine.columns(("journey", "lock")) is not None
    known = numbering(engine) if applied else Numbering()
    program = build(running, known, template_fields)
    found = upgrade(
        project,
        program,
        known,
        stored=stored_versions(engine) if applied else {},
        resting=people(engine) if applied else NOBODY,
        templates=loaded.template_texts(),
    )
    waits: dict[int, Waits] = {}
    gained: dict[str, Gains] = {}
    with suppress(_UndoneError), engine.transaction():
        if found.carried:
            compiler = Compiler(project=running, dialect=engine.dialect, steps=dict(known.steps))
            since = max(now, engine.query("SELECT now FROM journey.lock")[0][0])
            waits = foresee(engine, compiler, program, found, since)
        if old is not None:
            gained = gains(
                engine,
                old.project,
                project,
                _segments(found),
                now,
                program=program,
                steps=known.steps,
                key_type=key_type(engine, project),
            )
        raise _UndoneError
    planner = _Planner(
        loaded=loaded, old=old, found=found, known=known, waits=waits, gains=gained, still=still
    )
    volumes = {} if forecast is None else forecast(old, loaded)
    if forecast is None and applied and old is not None:
        from journeylang.deploy.volume import as_lately

        volumes = as_lately(engine, old.project, project, found, known, now)
    journeys = tuple(
        replace(one, volume=volumes.get(one.name)) if one.sign == "~" else one
        for one in planner.journeys()
    )
    pins = {(name, of) for name, of in still_on(known, found.holding) if name in running.journeys}
    pins = (pins - found.released) | {(one.journey, one.version) for one in found.pinned}
    refused = found.refused
    try:
        beside(running, sorted(pins), known, past)
    except LackingError as error:
        refused = (*refused, lacking(error))
    return Plan(journeys=journeys, refused=refused)


def compare(
    old: LoadedProject,
    new: LoadedProject,
    *,
    fields: Callable[[LoadedProject], Mapping[str, tuple[str, ...]]],
) -> Plan:
    """What has changed in meaning from one project to another, without any database."""
    was = build(old.project, None, fields(old))
    bodies = {p.name: plan_json(old.project, was, p, old.template_texts()) for p in was.journeys}
    stored = {
        plan.name: Stored(
            journey=plan.journey,
            version=0,
            fingerprint=fingerprint(bodies[plan.name]),
            plan=json.dumps(bodies[plan.name]),
        )
        for plan in was.journeys
    }
    found = upgrade(
        new.project,
        build(new.project, number(old.project), fields(new)),
        Numbering(),
        stored=stored,
        resting=NOBODY,
        templates=new.template_texts(),
    )
    planner = _Planner(
        loaded=new, old=old, found=found, known=Numbering(), waits={}, gains={}, still=set()
    )
    spoiled = tuple(one for one in found.refused if one.kind == "spoiled")
    journeys = tuple(replace(one, before=None, after=None) for one in planner.journeys())
    return Plan(journeys=journeys, refused=spoiled, counted=False)


def _at_most_review(category: Category) -> Category:
    """Of a change that nobody who is on the way meets."""
    return "review" if category in ("retime", "breaking") else category


def _segments(found: Upgrade) -> set[str]:
    """Segments that are asked for by journeys that changed."""
    return {
        name
        for journey in found.changed
        if journey in found.stored
        for name in found.bodies[journey]["segments"]
    }


def side(loaded: LoadedProject) -> Side:
    """A project as it is compared; texts are told by their digests."""
    texts: dict[str, list[str]] = {}
    for path, text in sorted(loaded.template_texts().items()):
        texts.setdefault(path.rpartition(".")[0], []).append(digest(text))

    def excerpt(span: Span) -> str:
        source = loaded.sources.get(span.path)
        words = "" if source is None else " ".join(source.excerpt(span).split())
        return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"

    return Side(
        project=loaded.project,
        excerpt=excerpt,
        templates={name: " ".join(found) for name, found in texts.items()},
    )


@dataclass(slots=True, kw_only=True)
class _Planner:
    loaded: LoadedProject
    old: LoadedProject | None
    found: Upgrade
    known: Numbering
    waits: Mapping[int, Waits]
    gains: Mapping[str, Gains]
    still: set[str]

    def journeys(self) -> Iterator[JourneyPlan]:
        project, stored = self.loaded.project, self.found.stored
        runs = set(stored) if self.old is None else set(self.old.project.journeys)
        for name in (n for n in self.found.changed if n not in stored):
            entry = entry_words(project.journeys[name], side(self.loaded))
            come = Change(sign="+", category="compatible", kind="enter", name="enter", after=entry)
            yield self._journey("+", name, None, 1, [Line(change=come)])
        for name in (n for n in self.found.changed if n in stored):
            before = stored[name].version
            yield self._journey("~", name, before, before + 1, self._lines(name))
        for name, before_ in stored.items():
            gone = name not in project.journeys and name in runs
            if gone:
                lines = list(self._gone(name, set()))
                yield self._journey("-", name, before_.version, None, lines)

    def _journey(
        self, sign: Sign, name: str, before: int | None, after: int | None, lines: list[Line]
    ) -> JourneyPlan:
        journey = self.loaded.project.journeys.get(name)
        return JourneyPlan(
            sign=sign,
            name=name,
            before=before,
            after=after,
            upgrade="migrate" if journey is None else journey.upgrade,
            category=gravest(line.change.category for line in lines),
            lines=tuple(lines),
        )

    def _lines(self, name: str) -> list[Line]:
        new = side(self.loaded)
        if self.old is None or name not in self.old.project.journeys:
            whole = Change(sign="~", category="review", kind="journey", name="all of it")
            return [Line(change=whole), *self._gone(name, set())]
        found = changes(side(self.old), new, name)
        lines = [self._line(name, change) for change in found]
        lines += self._pinned(name)
        told = {c.path for c in found if c.path is not None}
        lines += self._gone(name, told)
        lines += self._definitions(name)
        if not lines:
            whole = Change(sign="~", category="review", kind="journey", name="what it rests on")
            lines.append(Line(change=whole))
        return lines

    def _line(self, name: str, change: Change) -> Line:
        step = self.known.steps.get((name, change.path)) if change.path is not None else None
        waiting = self.found.holding.get(step, 0) if step is not None else 0
        waits = self.waits.get(step) if step is not None and change.category == "retime" else None
        if change.kind != "step" or not waiting:
            # A step that nobody waits at may go.
            grave = change.category == "breaking"
            return Line(change=replace(change, category="review") if grave else change)
        stay = any(one.journey == name for one in self.found.pinned)
        if stay:
            return Line(change=replace(change, category=_at_most_review(change.category)))
        gone = change.sign == "-" or change.category == "breaking"
        fate = self._fate(name, change.path or "") if gone else None
        # Where everybody has somewhere to go, nothing breaks.
        if gone and fate is not None and not fate.startswith("no target"):
            change = replace(change, category="review")
        return Line(change=change, waiting=waiting, fate=fate, waits=waits)

    def _pinned(self, name: str) -> Iterator[Line]:
        for one in self.found.pinned:
            if one.journey == name:
                mode = self.loaded.project.journeys[name].upgrade
                change = Change(sign="~", category="compatible", kind="upgrade", name="upgrade")
                change = replace(change, after=mode)
                fate = f"finish on v{one.version}"
                yield Line(change=change, waiting=one.people, fate=fate)
        for journey, version in sorted(self.found.released):
            steps = [s for (n, _, v), s in self.known.aliases.items() if (n, v) == (name, version)]
            waiting = sum(self.found.holding.get(step, 0) for step in steps)
            if journey == name and waiting:
                change = Change(sign="~", category="review", kind="version", name=f"{version}")
                yield Line(change=change, waiting=waiting, fate="come over")

    def _fate(self, name: str, path: str) -> str | None:
        for carried in self.found.carried:
            if (carried.journey, carried.path) == (name, path):
                return f"go to {carried.park.path}"
        if any((left.journey, left.path) == (name, path) for left in self.found.left):
            return "leave"
        return "no target (JRN501)"

    def _gone(self, name: str, told: set[str]) -> Iterator[Line]:
        """Steps of still earlier versions at which people are found, and of deleted journeys."""
        there = self.loaded.project.journeys.get(name)
        paths = set() if there is None else set(labelled(there))
        for (journey, path), step in self.known.steps.items():
            waiting = self.found.holding.get(step, 0)
            if journey != name or not waiting or path in paths or path in told:
                continue
            change = Change(
                sign="-", category="breaking", kind="step", name=path, path=path, resting=True
            )
            yield self._line(name, change)

    def _definitions(self, name: str) -> Iterator[Line]:
        """Segments, metrics and lists that the journey asks for, and that are others now."""
        old = self.found.stored[name].body
        new = self.found.bodies[name]
        for kind in ("segment", "metric", "list"):
            was: Mapping[str, Any] = old.get(f"{kind}s", {})
            is_: Mapping[str, Any] = new.get(f"{kind}s", {})
            for one in sorted(is_):
                gained = self.gains.get(one) if kind == "segment" else None
                changed = one in was and was[one] != is_[one]
                if not changed and (gained is None or not gained.differs or one not in was):
                    continue
                change = Change(sign="~", category="review", kind=kind, name=one)
                yield Line(change=change, gains=gained)
