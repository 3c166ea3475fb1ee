"""Databases in memory, made ready for a program once and played on by one test after another.

To make one ready costs as much as a test: tables, views, and every statement written. Tests that
see the same program differ by their rows alone, so those are taken away in between, and time
begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.model.project import Project
from journeylang.model.trials import Trial
from journeylang.runtime.memberships import begin_memberships
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.trial.draws import AssignedDialect
from journeylang.trial.fixtures import create, fill
from journeylang.trial.part import Part
from journeylang.trial.shifting import ShiftedZones
from journeylang.trial.stage import staged

BEFORE = timedelta(microseconds=1)
"""So long before a test begins its journeys are applied."""

# A test jumps from wake to wake: local time is worked out for a week at once.
_AHEAD = timedelta(days=8)

# What an apply has written, and no tick.
_KEPT = (
    *("meta", "migration", "revision", "source", "version", "step", "lock", "set_aside"),
    *("list", "list_entry", "prospect"),
)

Program = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]


def program_of(trial: Trial) -> Program:
    """What of a test its program depends on: tests that agree in it may share a database."""
    return trial.journey, tuple(sorted(trial.assigned)), tuple(sorted(trial.segments))


def opened(
    stage: Project, parts: Sequence[Part], began: datetime, *, shared: bool = False
) -> Session:
    """A new database with what the tests give, to which the staged project is applied at `began`.

    If it is `shared` by tests that have zones of their own, these can be moved in time.

    Raises:
        StatementError: the database refused a statement of the compiler's.
    """
    engine = DuckDbEngine.open(":memory:")
    if shared:
        engine.dialect = AssignedDialect()
    try:
        # The rows of a test are few: looking for the best way to them takes longer than any.
        engine.execute("SET threads = 1; PRAGMA disable_optimizer")
        create(engine, stage.binding, shared=shared)
        fill(engine, stage.binding, parts, shared=shared)
        # Among tests that have their turns now and then, nobody keeps book of what is new.
        session = prepare(engine, stage, now=began, incremental=not shared)
        assert isinstance(session, Session), "nobody is in a database that is new"
    except BaseException:
        engine.close()
        raise
    if any(part.zone is not None for part in parts):
        return replace(session, zones=ShiftedZones())
    session.zones.ahead = _AHEAD
    return session


@dataclass(slots=True)
class Theatre:
    """Plays tests of one project; only one of them at a time."""

    project: Project
    _program: Program | None = field(default=None, init=False)
    _stage: Project | None = field(default=None, init=False)
    _session: Session | None = field(default=None, init=False)
    _written: str = field(default="", init=False)

    def set_up(self, part: Part) -> tuple[Project, Session]:
        """A database in which nothing has happened but what the test gives."""
        trial = part.trial
        if self._program != program_of(trial):
            self.close()
            self._stage = staged(self.project, trial)
        assert self._stage is not None
        began = part.clock.start - BEFORE
        if self._session is None:
            self._session = self._ready(self._stage, part, began)
            self._program = program_of(trial)
        else:
            self._again(self._session, self._stage, part, began)
        return self._stage, self._session

    def _ready(self, stage: Project, part: Part, began: datetime) -> Session:
        session = opened(stage, [part], began)
        names = session.engine.query(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'journey' AND table_type = 'BASE TABLE'"
        )
        self._written = ";\n".join(
            f'DELETE FROM journey."{name}"' for (name,) in names if name not in _KEPT
        )
        return session

    def _again(self, session: Session, stage: Project, part: Part, began: datetime) -> None:
        engine = session.engine
        at = engine.dialect.instant(began)
        with engine.transaction():
            engine.execute(
                f"{self._written};\nUPDATE journey.version SET applied_at = {at};\n"
                f"UPDATE journey.lock SET token = 0, previous = {at}, now = {at}, next_batch = 1"
            )
            fill(engine, stage.binding, [part])
            begin_memberships(engine, session.ready, session.key_type, began)
        session.applied.update(dict.fromkeys(session.applied, began))
        session.memory.clear()

    def close(self) -> None:
        """Give the database back; the next test has a new one."""
        if self._session is not None:
            self._session.engine.close()
        self._session, self._program, self._stage = None, None, None
