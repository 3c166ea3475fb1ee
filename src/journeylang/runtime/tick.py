"""One tick: everything that is due at `now`, in one transaction.

The phases are those of the semantics: exits, wakes, entries, then advance and arbitrate
until nobody moves, then write. A tick with nothing to do is one probe. Time is the
caller's; a tick repeated at the same `now` changes nothing, for entries and wakes already
taken are not taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from journeylang.engines.base import Engine, StatementError
from journeylang.model.entry import EnterWhen
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.arbitrate import Arbiter, project_day
from journeylang.runtime.codes import draw
from journeylang.runtime.entries import Entries, Opening, mark
from journeylang.runtime.learning import due, learn
from journeylang.runtime.localtime import (
    ZoneTables,
    needs_local_time,
    zones_in_use,
)
from journeylang.runtime.pauses import Pauses, by_guard, too_many
from journeylang.runtime.program import Ready
from journeylang.runtime.rankings import make_rankings
from journeylang.sql.arbitration import BATCH
from journeylang.sql.moves import JourneySql
from journeylang.sql.pauses import caught_up, forget, keep_out, leave_asleep
from journeylang.sql.reach import Situation
from journeylang.sql.session import (
    ACT,
    DUE,
    GO,
    INSIDE,
    SEND,
    temporary,
    working_tables,
    written_table,
)


class JourneyFailedError(Exception):
    """A journey's own statement was refused; the tick is undone, the others can go on."""

    def __init__(self, journey: str, error: StatementError) -> None:
        super().__init__(str(error))
        self.journey = journey
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class TickResult:
    """What a tick did. `now` is the instant it counted as; `idle` if nothing was due.

    `paused`: journeys that a guard has paused, and its figures.
    """

    now: datetime
    idle: bool
    entered: int = 0
    moved: int = 0
    sent: int = 0
    skipped: int = 0
    invalid_zones: tuple[str, ...] = ()
    paused: tuple[tuple[str, str], ...] = ()


Marks = dict[str, datetime]


@dataclass(slots=True)
class _News:
    """What the probe found."""

    active: dict[int, int] = field(default_factory=dict)
    due: dict[int, int] = field(default_factory=dict)
    states: set[int] = field(default_factory=set)
    earliest: datetime | None = None
    events: set[str] = field(default_factory=set)
    pauses: Pauses = field(default_factory=Pauses)
    zones: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Done:
    """What a tick has done so far, in people and messages."""

    left: int = 0
    woken: int = 0
    candidates: int = 0
    refused: int = 0
    moved: int = 0
    sent: int = 0
    skipped: int = 0
    arbitrated: bool = False
    acted: set[int] = field(default_factory=set)
    leaves: set[tuple[int, int | None]] = field(default_factory=set)

    @property
    def anybody(self) -> bool:
        return bool(self.left or self.woken or self.candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A connection made ready for a program: its plan tables are in place."""

    engine: Engine
    ready: Ready
    key_type: str
    applied: dict[int, datetime]
    # Watermarks after the tick of that number, if this session made it.
    memory: dict[int, Marks] = field(default_factory=dict)
    zones: ZoneTables = field(default_factory=ZoneTables)

    @classmethod
    def begin(
        cls, engine: Engine, ready: Ready, key_type: str, applied: dict[int, datetime]
    ) -> Session:
        """Create the plan's temporary tables."""
        for statement in (*ready.session, written_table(key_type)):
            engine.execute(statement)
        return cls(engine=engine, ready=ready, key_type=key_type, applied=applied)


def tick(session: Session, now: datetime, *, skip: Iterable[str] = ()) -> TickResult:
    """Step everybody to `now` (naive UTC), or to the high-water mark if that is later.

    `skip` names journeys that stand still.

    Raises:
        JourneyFailedError: the database refused a statement of one journey; nothing changed.
        StatementError: it refused another statement; nothing changed.
    """
    try:
        try:
            return _Tick(session, frozenset(skip)).run(now)
        except StatementError:
            # All journeys move in one statement. Taken apart, it tells whose fault it is.
            session.zones.forget()
            return _Tick(session, frozenset(skip), apart=True).run(now)
    except BaseException:
        session.zones.forget()
        raise


class _Tick:
    def __init__(self, session: Session, skip: frozenset[str], *, apart: bool = False) -> None:
        self.engine = session.engine
        self.ready = session.ready
        self.session = session
        self.apart = apart
        self.journeys = [
            (plan, sql)
            for plan, sql in zip(
                session.ready.program.journeys, session.ready.journeys, strict=True
            )
            if plan.name not in skip
        ]
        self.parameters: dict[str, Any] = {}
        self.paused: dict[str, str] = {}

    def run(self, now: datetime) -> TickResult:
        with self.engine.transaction():
            self._lock(now)
            entries = Entries(
                ready=self.ready,
                now=self.now,
                previous=self.previous,
                applied=self.session.applied,
                marks=self.marks,
            )
            plans = [plan for plan, _ in self.journeys]
            news = self._probe(zones=entries.asks_for_zones(plans))
            self._guard(news)
            self._learn(news)
            # Who fulfils a condition is not kept out for good: a pause just does not ask.
            asked = [
                plan
                for plan in plans
                if not (plan.journey in news.pauses.paused and isinstance(plan.entry, EnterWhen))
            ]
            openings = entries.openings(
                asked, events=news.events, zones=news.zones, started=news.started
            )
            if openings or self._work(news):
                result = self._move(news, openings)
            else:
                result = TickResult(now=self.now, idle=True)
        self.session.memory[self.number] = self.marks
        return replace(result, paused=tuple(self.paused.items())) if self.paused else result

    def _guard(self, news: _News) -> None:
        """Guards of the last state: what no longer holds pauses its journey."""
        for plan, _ in self.journeys:
            why = news.pauses.broken(plan)
            if why is not None:
                self._pause(plan, why, news)

    def _pause(self, plan: JourneyPlan, why: str, news: _News) -> None:
        self.paused[plan.name] = why
        news.pauses.paused.add(plan.journey)
        statement = by_guard(self.engine.dialect, plan.journey, why, self.now, self.previous)
        self.engine.execute(statement)

    # --- what is there to do --------------------------------------------------

    def _lock(self, now: datetime) -> None:
        given = self._p("now")
        rows = self.engine.query(
            f"""UPDATE journey.lock
SET token = token + 1, previous = now, now = greatest(now, {given})
WHERE name = 'tick' RETURNING token, previous, now, next_batch""",
            {"now": now},
        )
        self.number, self.previous, self.now, self.next_batch = rows[0]
        self.parameters = {"now": self.now, "tick": self.number}
        # Nobody else has ticked since: what this session wrote last still stands.
        known = self.session.memory.get(self.number - 1)
        self.session.memory.clear()
        if known is not None:
            self.marks = known
            return
        self.marks = dict(self.engine.query('SELECT name, "at" FROM journey.watermark'))

    def _learn(self, news: _News) -> None:
        plans = {plan.name: plan for plan, _ in self.journeys}
        lessons = list(due(self.ready.lessons, plans.values(), self.marks, self.now))
        asking = {plans[journey].journey for journey, _ in lessons}
        if asking & self.ready.dated:
            self._local_time(news, among=None)
        make_rankings(self.engine, self.ready, self.session.key_type, asking, self.now)
        for journey, lesson in lessons:
            with _Blamed(journey):
                learn(self.engine, lesson, self.now)
            self._mark([lesson.mark])

    def _p(self, name: str) -> str:
        return self.engine.dialect.parameter(name)

    def _probe(self, *, zones: bool) -> _News:
        for name in (*self.ready.events, "sent"):
            late = timedelta(seconds=self.ready.late(name))
            self.parameters[f"since_{name}"] = self.previous - late
        news = _News()
        for kind, name, count, first, second in self._query(
            self.ready.probe_with_zones if zones else self.ready.probe
        ):
            if kind == "run":
                news.active[int(name)] = count
                news.due[int(name)] = int(first)
                if second is not None:
                    wake = datetime.fromisoformat(second)
                    news.earliest = min(wake, news.earliest or wake)
                continue
            if kind in ("pause", "guard"):
                news.pauses.read(kind, name, count, first, second)
            elif kind == "zone":
                news.zones.add(name)
            elif kind == "state":
                news.states.add(int(name))
            elif kind == "start":
                news.started.add(name)
            elif count:
                news.events.add(name)
        return news

    def _exits_statement(self, sql: JourneySql, news: _News) -> str | None:
        if not news.active.get(sql.journey):
            return None
        first = f"exits {sql.journey}" not in self.marks
        if sql.exits_new is None or first:
            return sql.exits
        return sql.exits_new if news.events & set(sql.exit_events) else None

    def _wakes(self, sql: JourneySql, news: _News) -> bool:
        if sql.journey in news.pauses.paused:
            return False
        if sql.journey in news.pauses.resumed:
            return True
        if news.due.get(sql.journey) or sql.journey in news.states:
            return True
        waits_for = set(sql.race_events)
        return bool(news.active.get(sql.journey)) and (
            "sent" in waits_for or bool(waits_for & news.events)
        )

    def _work(self, news: _News) -> bool:
        return any(self._acts(sql, news) for _, sql in self.journeys)

    def _acts(self, sql: JourneySql, news: _News) -> bool:
        return self._exits_statement(sql, news) is not None or self._wakes(sql, news)

    # --- moving ---------------------------------------------------------------

    def _move(self, news: _News, openings: Mapping[int, Opening]) -> TickResult:
        for statement in working_tables(self.session.key_type):
            self.engine.execute(statement)
        if any(sql.membership for _, sql in self.journeys if sql.journey in openings):
            self.engine.execute(temporary("inside", INSIDE, self.session.key_type))
        due = [row for opening in openings.values() for row in opening.due]
        if due:
            self.engine.execute(temporary("due", DUE))
            self.engine.insert("due", DUE, due)
        if self.ready.profile:
            self.engine.execute(written_table(self.session.key_type))
        invalid: tuple[str, ...] = ()
        acting = {sql.journey for _, sql in self.journeys if self._acts(sql, news)} | set(openings)
        # Rules for re-entry and ages ask for local time before it is known who moves.
        early = any(p.reenter_rule is not None for p, _ in self.journeys if p.journey in openings)
        early = early or bool(acting & self.ready.dated)
        if early:
            invalid = self._local_time(news, among=None)
        make_rankings(self.engine, self.ready, self.session.key_type, acting, self.now)
        done = _Done()
        for plan, sql in self.journeys:
            exits = self._exits_statement(sql, news)
            if exits is not None:
                with _Blamed(plan.name):
                    done.left += self._execute(exits)
        waking = [sql for _, sql in self.journeys if self._wakes(sql, news)]
        self._wake([sql for sql in waking if sql.journey not in news.pauses.resumed], done)
        self._wake_resumed(waking, news, done)
        for plan, sql in self.journeys:
            opening = openings.get(plan.journey)
            if opening is not None:
                with _Blamed(plan.name):
                    count = self._enter(sql, opening)
                    done.candidates += self._let_in(plan, count, news)
        behind = news.pauses.resumed.keys() - news.pauses.paused
        if behind:
            self.engine.execute(caught_up(sorted(behind)))
        if done.anybody:
            if not early:
                invalid = self._local_time(news, among="trail")
            self._settle(done)
            self._write(done)
        self._remember(openings)
        return TickResult(
            now=self.now,
            idle=False,
            entered=done.candidates - done.refused,
            moved=done.moved,
            sent=done.sent,
            skipped=done.skipped,
            invalid_zones=invalid,
        )

    def _let_in(self, plan: JourneyPlan, candidates: int, news: _News) -> int:
        """Nobody enters a paused journey, or one that too many would enter; who is left."""
        if not candidates:
            return 0
        if plan.journey in news.pauses.paused:
            self.engine.execute(keep_out(plan.journey, "paused"))
            return candidates
        applied = self.session.applied[plan.journey]
        why = too_many(plan, applied, self.now, self.engine.dialect, self._query)
        if why is None:
            return candidates
        self._pause(plan, why, news)
        self.engine.execute(leave_asleep(plan.journey))
        if isinstance(plan.entry, EnterWhen):
            return candidates - self.engine.execute(forget(plan.journey))
        self.engine.execute(keep_out(plan.journey, "guard"))
        return candidates

    def _wake_resumed(self, waking: list[JourneySql], news: _News, done: _Done) -> None:
        """Journeys that were paused, as after a late tick: what came meanwhile is new to them."""
        resumed = news.pauses.resumed
        for sql in waking:
            if sql.journey not in resumed:
                continue
            since = {
                f"since_{name}": resumed[sql.journey] - timedelta(seconds=self.ready.late(name))
                for name in (*self.ready.events, "sent")
            }
            with _Blamed(sql.name):
                wake = self.ready.moves.wake(frozenset([sql.journey]))
                done.woken += self._execute(wake, **since)
            earliest = min(since.values())
            news.earliest = min(news.earliest or earliest, earliest)

    def _local_time(self, news: _News, among: str | None) -> tuple[str, ...]:
        if not (self.ready.dated or needs_local_time(self.ready.program)):
            return ()
        customers = self.ready.project.binding.customers
        assert customers is not None
        longest = max(self.ready.late(name) for name in (*self.ready.events, "sent"))
        low = self.previous - timedelta(seconds=longest)
        if news.earliest is not None:
            low = min(low, news.earliest)
        return self.session.zones.cover(
            self.engine,
            self.ready.program,
            zones_in_use(self.engine, self.ready.project.binding, among),
            customers.zone_else,
            low=low,
            now=self.now,
        )

    def _enter(self, sql: JourneySql, opening: Opening) -> int:
        members = sql.membership
        if members is not None:
            self._execute(members.inside)
        candidates = self._execute(sql.enter, **opening.parameters)
        for statement in members.keep if members is not None else ():
            self.engine.execute(statement)
        if sql.taken is not None:
            self._execute(sql.taken)
        return candidates

    def _settle(self, done: _Done) -> None:
        """Advance and arbitrate until nobody moves."""
        arbitrated = -1
        standing: set[int] = set()
        limit = 4 + sum(plan.max_rounds for plan, _ in self.journeys)
        for current in range(limit):
            going: set[tuple[int, int]] = set()
            acting: set[int] = set()
            for journey, fate, edge, step, leaf in self._fates(current):
                if fate in (GO, ACT):
                    going.add((journey, edge))
                if fate == ACT:
                    acting.add(step)
                elif fate == SEND:
                    standing.add(step)
                done.leaves.add((journey, leaf))
            self._act(done, acting, current)
            self._advance(going, current)
            if not going:
                if not standing:
                    return
                self._arbitrate(done, standing, after=arbitrated, current=current)
                arbitrated = current
                standing = set()
        raise AssertionError("a journey passes each of its parks once per tick")

    def _wake(self, waking: list[JourneySql], done: _Done) -> None:
        if not waking:
            return
        moves = self.ready.moves
        if not self.apart:
            done.woken += self._execute(moves.wake(frozenset(sql.journey for sql in waking)))
            return
        for sql in waking:
            with _Blamed(sql.name):
                done.woken += self._execute(moves.wake(frozenset([sql.journey])))

    def _act(self, done: _Done, acting: set[int], current: int) -> None:
        """Let those at steps that leave something behind do so, before they go on."""
        done.acted |= acting
        if not acting:
            return
        for plan, sql in self.journeys if self.apart else [(None, None)]:
            steps = acting if plan is None else acting & {p.step for p in plan.parks}
            for statement in self.ready.moves.act(frozenset(steps)):
                with _Blamed(sql.name) if sql is not None else nullcontext():
                    self._execute(statement, round=current)

    def _advance(self, going: set[tuple[int, int]], current: int) -> None:
        if not going:
            return
        moves = self.ready.moves
        if not self.apart:
            self._execute(moves.advance(frozenset(going)), round=current)
            return
        for plan, sql in self.journeys:
            mine = frozenset(way for way in going if way[0] == plan.journey)
            if mine:
                with _Blamed(sql.name):
                    self._execute(moves.advance(mine), round=current)

    def _fates(self, current: int) -> list[tuple[Any, ...]]:
        """What the rows of a round are, each combination once."""
        return self._query(
            "SELECT DISTINCT journey, fate, edge, step, leaf FROM trail"
            f" WHERE round = {self._p('round')}",
            round=current,
        )

    def _arbitrate(self, done: _Done, standing: set[int], *, after: int, current: int) -> None:
        arbitration = self.ready.arbitration
        assert arbitration is not None
        if after >= 0:
            self.engine.execute("DELETE FROM intent")
        self._execute(arbitration.intents, after=after)
        ranks, *there = self._query(arbitration.situation)[0]
        decide = arbitration.decide(frozenset(standing), Situation(*there))
        if decide.rations is not None:
            self.parameters |= project_day(self.ready.project, self.now)
        arbiter = Arbiter(self._execute, decide, self.session.key_type)
        for rank in range(1, ranks + 1):
            arbiter.decide(round=current, rank=rank)
            if self.ready.codes is not None:
                at = frozenset(standing)
                draw(self._execute, self._query, self.ready.codes, at, round=current, rank=rank)
            base = self.next_batch * BATCH
            count = self._execute(arbitration.messages, round=current, rank=rank, base=base)
            done.sent += count
            self._batches(count)
            arbiter.charge(base, count)
        self._execute(arbitration.proceed, round=current)
        done.arbitrated = True

    def _batches(self, messages: int) -> None:
        """Cut the messages just written into batches, and begin the next ones behind them."""
        if not messages:
            return
        full, rest = divmod(messages, BATCH)
        sizes = [BATCH] * full + ([rest] if rest else [])
        now = self.engine.dialect.instant(self.now)
        rows = ", ".join(
            f"({self.next_batch + n}, {now}, {size}, FALSE, 0)" for n, size in enumerate(sizes)
        )
        self.engine.execute(
            f"INSERT INTO journey.batch (batch_id, decided_at, messages, done, token) VALUES {rows}"
        )
        self.next_batch += len(sizes)

    # --- writing --------------------------------------------------------------

    def _write(self, done: _Done) -> None:
        """Leave behind what the trail says; statements that would write nothing are left out."""
        exposing = {(p.journey, x.leaf) for p, _ in self.journeys for x in p.leaves if x.exposures}
        wanted = {
            "clear runs": bool(done.woken or done.left),
            "exposures": bool(done.leaves & exposing),
            "drawn": done.candidates > 0,
            "non-sends": done.arbitrated,
            "non-entries": done.candidates > 0,
        }
        counts = {
            name: self._execute(sql) if wanted.get(name, True) else 0
            for name, sql in self.ready.writes.items()
        }
        if done.acted:
            for sql in self.ready.profile.values():
                self._execute(sql)
        done.refused = counts["non-entries"]
        done.moved, done.skipped = counts["transitions"], counts["non-sends"]
        now = self.engine.dialect.instant(self.now)
        entered = done.candidates - done.refused
        self.engine.execute(
            "INSERT INTO journey.tick (tick, now, entered, moved, sent, skipped) VALUES"
            f" ({self.number}, {now}, {entered}, {done.moved}, {done.sent}, {done.skipped})"
        )

    def _remember(self, openings: Mapping[int, Opening]) -> None:
        names = [mark(journey) for journey, opening in openings.items() if opening.looked]
        names += [f"exits {plan.journey}" for plan, sql in self.journeys if sql.exits]
        self._mark(names)
        self._execute(f"UPDATE journey.lock SET next_batch = {self.next_batch} WHERE name = 'tick'")

    def _mark(self, names: list[str]) -> None:
        """Set these watermarks to now."""
        if not names:
            return
        self.marks = {**self.marks, **dict.fromkeys(names, self.now)}
        listed = ", ".join(f"'{name}'" for name in names)
        now = self.engine.dialect.instant(self.now)
        rows = ", ".join(f"('{name}', {now})" for name in names)
        self.engine.execute(f"DELETE FROM journey.watermark WHERE name IN ({listed})")
        self.engine.execute(f'INSERT INTO journey.watermark (name, "at") VALUES {rows}')

    def _execute(self, statement: str, **extra: Any) -> int:
        return self.engine.execute(statement, {**self.parameters, **extra})

    def _query(self, statement: str, **extra: Any) -> list[tuple[Any, ...]]:
        return self.engine.query(statement, {**self.parameters, **extra})


class _Blamed:
    """Turns a refused statement into one that names the journey."""

    def __init__(self, journey: str) -> None:
        self.journey = journey

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StatementError):
            raise JourneyFailedError(self.journey, error) from error


Progress = Callable[[TickResult], None]
