"""Would the next tick miss anybody, because it asks only those with news?

Each condition that is looked at by news is asked twice at the instant of the latest tick: of
everybody, and of those with news since its mark. Whom only the first way finds breaks the word
of the binding, or shows a mistake here. Nothing is kept: all of it is undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.build import build
from journeylang.plan.incremental import Kind
from journeylang.plan.operations import JourneyPlan
from journeylang.plan.serialise import fingerprint, plan_json
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.localtime import ZoneTables, needs_local_time, zones_in_use
from journeylang.runtime.looks import look_mark
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.program import Ready, make_ready
from journeylang.runtime.rankings import make_rankings
from journeylang.sql.moves import JourneySql
from journeylang.sql.schema import WHY
from journeylang.sql.session import INSIDE, plan_tables, temporary, working_tables

EXAMPLES = 5
"""So many customers are named of those who would be missed."""

_WHAT: dict[Kind, str] = {"when": "entry", "exits": "exits", "states": "waits until a state"}
_FOUND = {"customer_id": "{key}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One condition, or a journey's waits: `missed` customers, some of them by key."""

    journey: str
    asks: str
    missed: int
    customers: tuple[str, ...]


class _UndoneError(Exception):
    """Ends the transaction without keeping anything of it."""


def verify(
    engine: Engine,
    project: Project,
    *,
    template_entry_fields: Mapping[str, Sequence[str]] | None = None,
    templates: Mapping[str, str] | None = None,
) -> list[Verified]:
    """Compare both ways for all conditions of journeys that are as they were applied.

    Those that the next tick would ask of everybody are left out.
    """
    found: list[Verified] = []
    project = heeding(project, remembered(engine))
    with suppress(_UndoneError), engine.transaction():
        known = numbering(engine)
        program = build(project, known, template_entry_fields)
        latest = {
            journey: (version, mark)
            for journey, version, mark in engine.query(
                "SELECT journey, version, fingerprint FROM journey.version ORDER BY version"
            )
        }
        applied = [
            plan
            for plan in program.journeys
            if latest.get(plan.journey, (0, None))[1]
            == fingerprint(plan_json(project, program, plan, templates or {}))
        ]
        versions = {plan.journey: latest.get(plan.journey, (0, ""))[0] for plan in program.journeys}
        ready = make_ready(project, program, dict(known.steps), versions, engine.dialect)
        found += _Verifying(engine, ready, key_type(engine, project)).all(applied)
        raise _UndoneError
    return found


class _Verifying:
    def __init__(self, engine: Engine, ready: Ready, kind: str) -> None:
        self.engine = engine
        self.ready = ready
        self.key_type = kind
        rows = engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")
        self.now: datetime = rows[0][0]
        self.marks = dict(engine.query('SELECT name, "at" FROM journey.watermark'))
        # No event is new: races have no part in this.
        names = (*ready.events, "sent")
        self.parameters = {"now": self.now, **{f"since_{name}": self.now for name in names}}

    def all(self, plans: Sequence[JourneyPlan]) -> Iterator[Verified]:
        self._prepare({plan.journey for plan in plans})
        statements = {sql.journey: sql for sql in self.ready.journeys}
        for plan in plans:
            sql = statements[plan.journey]
            for kind in sql.news:
                mark = self.marks.get(look_mark(kind, plan.journey))
                if mark is None:
                    continue
                since = {"looked": mark, **self.ready.news_behind(mark)}
                missed = self._missed(sql, kind, {**self.parameters, **since})
                yield Verified(
                    journey=plan.name,
                    asks=_WHAT[kind],
                    missed=len(missed),
                    customers=tuple(str(key) for key in missed[:EXAMPLES]),
                )

    def _prepare(self, journeys: set[int]) -> None:
        d, key = self.engine.dialect, self.key_type
        program = self.ready.program
        for statement in (*working_tables(d, program, key), *plan_tables(d, program)):
            self.engine.execute(statement)
        self.engine.execute(temporary(d, "inside", INSIDE, key))
        binding = self.ready.project.binding
        if needs_local_time(program) or self.ready.dated:
            assert binding.customers is not None
            names = zones_in_use(self.engine, binding)
            zones, otherwise = ZoneTables(), binding.customers.zone_else
            zones.cover(self.engine, program, names, otherwise, low=self.now, now=self.now)
        make_rankings(self.engine, self.ready, self.key_type, journeys, self.now)

    def _missed(self, sql: JourneySql, kind: Kind, parameters: Mapping[str, Any]) -> list[Any]:
        everybody, changed, rows = self._ways(sql, kind)
        d = self.engine.dialect
        self.engine.execute(temporary(d, "everybody", _FOUND, self.key_type))
        self.engine.execute(everybody, parameters)
        self.engine.execute(f"INSERT INTO everybody SELECT DISTINCT f.customer_id FROM {rows} AS f")
        self.engine.execute("DELETE FROM trail")
        self.engine.execute("DELETE FROM inside")
        self.engine.execute(changed, parameters)
        found = self.engine.query(
            f"SELECT e.customer_id FROM everybody AS e WHERE NOT EXISTS (SELECT 1 FROM {rows} AS f"
            " WHERE f.customer_id = e.customer_id) ORDER BY 1"
        )
        self.engine.execute("DELETE FROM trail")
        self.engine.execute("DELETE FROM inside")
        return [key for (key,) in found]

    def _ways(self, sql: JourneySql, kind: Kind) -> tuple[str, str, str]:
        """Both statements, and where they leave whom they have found."""
        alone, nobody = frozenset([sql.journey]), frozenset[int]()
        if kind == "states":
            wake = self.ready.moves.wake
            rows = f"(SELECT customer_id FROM trail WHERE going = {WHY['state']})"
            return wake(alone, alone, nobody), wake(alone, nobody, alone), rows
        if kind == "exits":
            assert sql.exits is not None
            assert sql.exits_changed is not None
            return sql.exits, sql.exits_changed, "trail"
        if sql.membership is not None:
            assert sql.membership.inside_changed is not None
            # Passages, in and out.
            rows = f"""(SELECT i.customer_id FROM inside AS i LEFT JOIN journey.member AS m
    ON m.customer_id = i.customer_id AND m.journey = {sql.journey}
  WHERE i.inside <> (m.customer_id IS NOT NULL))"""
            return sql.membership.inside, sql.membership.inside_changed, rows
        assert sql.enter_changed is not None
        return sql.enter, sql.enter_changed, "trail"
