"""The oracle and the runtime side by side, on the same tables, tick after tick."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from journeylang.analysis.check import check_files
from journeylang.delivery.parts import charge
from journeylang.diagnostics.model import Diagnostic
from journeylang.engines.base import Engine
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.loading.lists import read_prospects
from journeylang.model.project import Project
from journeylang.runtime.aside import heeding
from journeylang.runtime.gone import ask_again
from journeylang.runtime.lease import Lease
from journeylang.runtime.pauses import pause, resume
from journeylang.runtime.pinned import Past
from journeylang.runtime.session import Session
from journeylang.runtime.setup import lay_foundation, prepare
from journeylang.runtime.soundness import examine
from journeylang.runtime.tick import tick
from journeylang.runtime.upgrade import Refused as Stranded
from journeylang.source import Source
from journeylang.sql.schema import STATUS_NAMES
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse
from tests.agreement.calls import Calls, remember, stored
from tests.agreement.calls import shown as called
from tests.agreement.prelude import BINDING, LISTS, TABLES, create
from tests.engines.databases import tell_counts
from tests.engines.server import new_database
from tests.oracle import interpreter
from tests.oracle.chance import instant_key
from tests.oracle.entering import begin
from tests.oracle.facts import Memory, Pause, Record, Tables
from tests.oracle.versions import Refused, apply

# What a tick leaves behind, by the runtime's own tables: the views over them are slower.
LOOKS = {
    "runs": (
        "SELECT customer_id, journey, run_id, entered_at, status, step, arrived_at, wake_at, reason"
        " FROM journey.run"
    ),
    "messages": (
        "SELECT customer_id, journey, run_id, step, channel, decided_at, expires_at,"
        " quiet_from, quiet_until, occurrence FROM journey.message WHERE action IS NULL"
    ),
    "calls": (
        "SELECT customer_id, journey, run_id, step, channel, action, decided_at, expires_at,"
        " occurrence, content FROM journey.message WHERE action IS NOT NULL"
    ),
    "decisions": ('SELECT customer_id, journey, run_id, step, "at", reason FROM journey.decision'),
    "exposures": (
        "SELECT x.customer_id, s.journey, x.run_id, x.experiment, x.arm, x.at"
        " FROM journey.exposure AS x JOIN journey.step AS s ON s.step = x.experiment"
    ),
    "codes": "SELECT customer_id, journey, run_id, step, promo, code FROM journey.promo_code",
    "profile": ("SELECT customer_id, journey, run_id, step, name, value FROM journey.profile"),
}
STAMPED = ("crm.customers", "shop.orders")
STATUS, STEP = 4, {name: 5 if name == "runs" else 3 for name in LOOKS}
Look = dict[str, list[tuple[Any, ...]]]


class InvalidProgramError(Exception):
    """The compiler refused the text."""


@cache
def _binding(text: str) -> File:
    return _parsed("binding.journey", text)


def _parsed(path: str, text: str) -> File:
    outcome = parse(Source(path=path, text=text))
    if outcome.value is None or not outcome.ok:
        raise InvalidProgramError(f"{_listed(outcome.diagnostics)}\n{text}")
    return outcome.value


def compiled(text: str, binding: str = BINDING) -> Project:
    """The project of the shared binding and a program's text."""
    outcome = check_files([_binding(binding), _parsed("program.journey", text)])
    if outcome.value is None or not outcome.ok:
        raise InvalidProgramError(f"{_listed(outcome.diagnostics)}\n{text}")
    project = outcome.value
    collected = {
        name: read_prospects(Path(__file__).parent, prospects, project.binding).value
        for name, prospects in project.prospects.items()
    }
    found = {name: listed for name, listed in collected.items() if listed is not None}
    return replace(project, lists=LISTS, collected=found)


def _listed(problems: Iterable[Diagnostic]) -> str:
    return "\n".join(f"{d.code.id} {d.message} {d.span}" for d in problems)


class Both:
    """One program in both forms. Change `tables` and call `tick`; it compares."""

    def __init__(
        self,
        engine: Engine,
        text: str,
        now: datetime,
        rows: Mapping[str, list[Record]],
        *,
        incremental: bool,
        binding: str,
        counted: bool,
    ) -> None:
        self.text = text
        self.project = compiled(text, binding)
        self.engine = engine
        self.now = now
        self.tables = Tables(rows={name: [] for name in TABLES})
        for table, there in rows.items():
            self.put(table, there)
        lay_foundation(engine)
        doubts = examine(engine, self.project).doubts if counted else ()
        lease = Lease(engine=engine)
        self._prepare = partial(
            prepare, engine, incremental=incremental, doubts=doubts, lease=lease
        )
        self._doubts, self._binding = doubts, binding
        self._versions: dict[tuple[str, int], Project] = {}
        self.calls: Calls = {}
        session = self._prepared(self.project, now)
        assert isinstance(session, Session)
        self.project = heeding(self.project, doubts)
        self.session = session
        self.memory = begin(self.project, self.tables, now)
        self._events = 0
        self._names()

    def _prepared(self, project: Project, now: datetime) -> Session | list[Stranded]:
        """As the runtime applies it; what was applied before is remembered by version."""

        def past(name: str, version: int) -> Past:
            return Past(project=self._versions[name, version], templates={})

        def record(versions: Mapping[str, int]) -> None:
            for one in versions.items():
                self._versions.setdefault(one, project)

        remember(self.calls, project)
        return self._prepare(project, now=now, past=past, record=record)

    def _names(self) -> None:
        query = self.engine.query
        self._journeys = dict(query("SELECT DISTINCT journey, name FROM journey.version"))
        self._steps = dict(query("SELECT step, path FROM journey.step"))

    def apply(self, text: str, now: datetime) -> bool:
        """Apply another program; whether it is taken, which both forms agree upon."""
        project = compiled(text, self._binding)
        there = self._prepared(project, now)
        project = heeding(project, self._doubts)
        refused = apply(self.project, project, self.tables, self.memory, now)
        told = (
            {Refused(kind=r.kind, journey=r.journey, path=r.path or "") for r in there}
            if isinstance(there, list)
            else set()
        )
        assert told == refused, f"refused at {now}: {told} {refused}\n{self.text}\n\n{text}"
        if isinstance(there, Session):
            self.session, self.project = there, project
            self.text = f"{self.text}\n\n-- at {now}\n{text}"
            self._names()
        return not refused

    # --- the world ------------------------------------------------------------

    def put(self, table: str, rows: Iterable[Record]) -> None:
        """Let a table hold exactly these rows.

        What is new or changed in a table of `STAMPED` is so since the latest tick.
        """
        stamped = table in STAMPED
        before = {row["id"]: row for row in self.tables.rows[table]} if stamped else {}
        self.tables.rows[table] = [dict(row) for row in rows]
        for row in self.tables.rows[table] if stamped else ():
            row["changed"] = before.get(row["id"], row)["changed"]
            if row != before.get(row["id"]):
                row["changed"] = self.now
        self.engine.execute(f"DELETE FROM {table}")
        values = {
            f"v{number}_{column}": value
            for number, row in enumerate(self.tables.rows[table])
            for column, value in row.items()
        }
        if values:
            marks = [f"${name}" for name in values]
            width = len(TABLES[table])
            lines = (", ".join(marks[at : at + width]) for at in range(0, len(marks), width))
            self.engine.execute(f"INSERT INTO {table} VALUES ({'), ('.join(lines)})", values)
        if table == "crm.customers":
            self._told()

    def _told(self) -> None:
        """As whoever writes to customers does it: in another process.

        On DuckDB ours is closed meanwhile, and looks at the keys when it is opened again.
        """
        tell_counts(self.engine)
        if self.engine.dialect.name == "duckdb" and hasattr(self, "session"):
            ask_again(self.engine)
            self.session.memory.clear()

    def add(self, table: str, *rows: Record) -> None:
        self.put(table, [*self.tables.rows[table], *rows])

    def say(self, index: int, name: str, at: datetime, **data: str) -> None:
        """Feedback on the message decided `index`-th; never before the decision."""
        message = self.memory.messages[index]
        self._events += 1
        said = {
            "run_id": message.run_id,
            "step": message.step,
            "decided_at": message.decided_at,
            "name": name,
            "event_id": f"e{self._events:06}",
            "at": max(at, message.decided_at),
            "data": data,
        }
        self.tables.feedback.append(said)
        self.engine.execute(
            "INSERT INTO journey.message_event (customer_id, message_id, provider, event_id, name,"
            ' "at", data, received_at)'
            " SELECT m.customer_id, m.message_id, 'test', $event_id, $name, $at, $said, $received"
            " FROM journey.messages AS m"
            " WHERE m.run_id = $run_id AND m.step = $step AND m.decided_at = $decided_at",
            {**said, "said": json.dumps(data), "received": self.now},
        )

    def give_back(self, index: int) -> None:
        """No provider ever took the message decided `index`-th."""
        message = self.memory.messages[index]
        self.tables.given_back.add((message.run_id, message.step, message.decided_at))
        self.engine.execute(
            "INSERT INTO journey.receipt"
            " SELECT m.customer_id, m.message_id, 1, 'failed', m.decided_at, NULL, NULL, NULL, TRUE"
            " FROM journey.messages AS m WHERE m.run_id = $run_id AND m.step = $step"
            " AND m.decided_at = $decided_at",
            {
                "run_id": message.run_id,
                "step": message.step,
                "decided_at": message.decided_at,
            },
        )

    def goes_in(self, index: int, parts: int) -> None:
        """The message decided `index`-th goes out in so many parts."""
        message = self.memory.messages[index]
        said = {"run_id": message.run_id, "step": message.step, "at": message.decided_at}
        self.tables.parts[message.run_id, message.step, message.decided_at] = parts
        [(number,)] = self.engine.query(
            "SELECT m.message_id FROM journey.messages AS m WHERE m.run_id = $run_id"
            " AND m.step = $step AND m.decided_at = $at",
            said,
        )
        charge(self.engine, {number: parts})

    def suppress(
        self, customer: int, channel: str, at: datetime, reason: str = "hard_bounce"
    ) -> None:
        self.tables.suppressed.add((customer, channel, reason))
        self.engine.execute(
            "INSERT INTO journey.suppression VALUES ($who, $channel, NULL, $moment, $reason)",
            {"who": customer, "channel": channel, "moment": at, "reason": reason},
        )

    def pause(self, journey: str) -> None:
        """Somebody pauses a journey between two ticks."""
        if pause(self.engine, journey, cause="person", detail=""):
            at = self.memory.now
            self.memory.pauses.append(Pause(journey=journey, since=at, after=at, cause="person"))

    def resume(self, journey: str) -> None:
        if resume(self.engine, journey):
            for one in self.memory.pauses:
                if one.journey == journey and one.until is None:
                    one.until = self.memory.now

    def prefer(self, customer: int, consent: str, at: datetime, granted: bool) -> None:
        """Somebody tells the runtime itself yes or no."""
        row = {"customer_id": customer, "consent": consent, "at": at, "granted": granted}
        self.tables.consent_changes.append(row)
        self.engine.execute(
            "INSERT INTO journey.consent_change"
            " VALUES ($customer_id, $consent, $at, $granted, NULL)",
            row,
        )

    # --- ticking --------------------------------------------------------------

    def tick(self, now: datetime) -> Look:
        """Tick both and compare; what the runtime shows."""
        before = _counts(self.memory)
        interpreter.tick(self.project, self.tables, self.memory, now)
        result = tick(self.session, now)
        self.now = self.memory.now
        told = (result.entered, result.sent, result.skipped)
        new = tuple(b - a for a, b in zip(before, _counts(self.memory), strict=True))
        shown = {name: self._shown(name) for name in LOOKS}
        meant = remembered(self.memory, self.calls)
        for name in LOOKS:
            runtime, oracle = set(shown[name]), set(meant[name])
            assert len(shown[name]) == len(runtime), f"{name} twice at {now}\n{self.text}"
            if runtime != oracle:
                raise AssertionError(self._difference(name, now, runtime, oracle))
        assert told == new, f"entered, sent, skipped at {now}\n{self.text}"
        assert self._pauses() == self._meant_pauses(), f"pauses at {now}\n{self.text}"
        return shown

    def _pauses(self) -> set[tuple[Any, ...]]:
        rows = self.engine.query("SELECT journey, since, after, cause, until FROM journey.pause")
        return {(self._journeys[row[0]], *row[1:]) for row in rows}

    def _meant_pauses(self) -> set[tuple[Any, ...]]:
        return {(p.journey, p.since, p.after, p.cause, p.until) for p in self.memory.pauses}

    def _shown(self, name: str) -> list[tuple[Any, ...]]:
        """Rows with names instead of numbers."""
        found = []
        for row in self.engine.query(LOOKS[name]):
            named = list(row)
            named[1] = self._journeys[row[1]]
            named[STEP[name]] = self._steps.get(row[STEP[name]])
            if name == "runs":
                named[STATUS] = STATUS_NAMES[row[STATUS]]
            if name == "calls":
                named[-1] = stored(row[-1], self.calls[named[1], named[STEP[name]]])
            found.append(tuple(named))
        return found

    def _difference(self, name: str, now: datetime, runtime: set[Any], oracle: set[Any]) -> str:
        lines = [f"{name} differ at {now}"]
        lines += [f"  runtime only: {_readable(row)}" for row in sorted(runtime - oracle, key=str)]
        lines += [f"  oracle only:  {_readable(row)}" for row in sorted(oracle - runtime, key=str)]
        return "\n".join([*lines, self.text])


def _counts(memory: Memory) -> tuple[int, int, int]:
    """Runs, messages and non-sends so far."""
    skipped = sum(1 for d in memory.decisions if d.step is not None)
    return len(memory.runs), len(memory.messages), skipped


def remembered(memory: Memory, calls: Calls) -> Look:
    """The oracle's memory in the shape of the views."""
    return {
        "runs": [
            (
                r.customer,
                r.journey,
                r.run_id,
                r.entered_at,
                r.status,
                r.step,
                r.arrived_at,
                r.wake_at,
                r.reason,
            )
            for r in memory.runs
        ],
        "messages": [
            (
                m.customer,
                m.journey,
                m.run_id,
                m.step,
                m.channel,
                m.decided_at,
                m.expires_at,
                *(m.quiet or (None, None)),
                m.occurrence,
            )
            for m in memory.messages
        ],
        "calls": [
            (
                c.customer,
                c.journey,
                c.run_id,
                c.step,
                f"invoke {c.service}",
                c.action,
                c.decided_at,
                c.expires_at,
                c.occurrence,
                called(c.data, calls[c.journey, c.step]),
            )
            for c in memory.calls
        ],
        "decisions": [
            (d.customer, d.journey, d.run_id, d.step, d.at, d.reason) for d in memory.decisions
        ],
        "profile": [
            (customer, w.run.journey, w.run.run_id, w.step, name, _as_text(w.value))
            for (customer, name), w in memory.profile.items()
        ],
        "codes": [(c.customer, c.journey, c.run_id, c.step, c.promo, c.code) for c in memory.codes],
        "exposures": [
            (x.customer, x.journey, x.run_id, x.experiment, x.arm, x.at) for x in memory.exposures
        ],
    }


def _as_text(value: Any) -> str | None:
    """As the runtime keeps a value of the profile."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return instant_key(value)
        case _:
            return str(value)


def _readable(row: tuple[Any, ...]) -> str:
    return ", ".join(str(value) for value in row)


# Which engine the tests of a module run on; their `conftest` sets it.
ENGINES = ("duckdb", "postgres")
engine_under_test = "duckdb"


PROGRAMS_OF_A_DATABASE = 200
"""After so many a new DuckDB: one in memory keeps what was deleted, and a soak has thousands."""
_kept: dict[str, tuple[Engine, int]] = {}


def _database(kind: str) -> Engine:
    """A database for many programs of an engine, one after the other."""
    engine, programs = _kept.get(kind, (None, 0))
    if engine is not None and kind == "duckdb" and programs >= PROGRAMS_OF_A_DATABASE:
        engine.close()
        engine, programs = None, 0
    if engine is None:
        engine = _new_database(kind)
    _kept[kind] = engine, programs + 1
    return engine


def _new_database(kind: str) -> Engine:
    engine: Engine
    if kind == "postgres":
        from journeylang.engines.postgres import PostgresEngine

        engine = PostgresEngine.open(new_database())
        atexit.register(engine.close)
    else:
        engine = DuckDbEngine.open(":memory:")
        # Small programs are quickest on one thread.
        engine.execute("SET threads = 1")
    for statement in create(engine.dialect):
        engine.execute(statement)
    return engine


@contextmanager
def both(
    text: str,
    now: datetime,
    rows: Mapping[str, list[Record]] | None = None,
    *,
    incremental: bool = True,
    binding: str = BINDING,
    counted: bool = False,
) -> Iterator[Both]:
    """Both forms of a program, applied at `now` over empty tables, or over these rows.

    `counted`: keys are counted first, and rows whose keys are wrong set aside.
    """
    engine = _database(engine_under_test)
    tables = "SELECT table_schema, table_name FROM information_schema.tables"
    # What says how the tables are stays as they do.
    wanted = (
        "table_type = 'BASE TABLE' AND table_schema IN ('crm', 'shop', 'journey')"
        " AND table_name NOT IN ('migration', 'meta')"
    )
    cleared = [f'DELETE FROM "{s}"."{t}"' for s, t in engine.query(f"{tables} WHERE {wanted}")]
    if cleared:
        engine.execute("; ".join(cleared))
    given = rows or {}
    yield Both(engine, text, now, given, incremental=incremental, binding=binding, counted=counted)
