"""One tick: everything that is due at `now`, in one transaction.

The phases are those of the semantics: exits, wakes, entries, then advance and arbitrate
until nobody moves, then write. A tick with nothing to do is one probe. Time is the
caller's; a tick repeated at the same `now` changes nothing, for entries and wakes already
taken are not taken again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

from journeylang.engines.base import ConflictError, StatementError
from journeylang.model.entry import EnterWhen
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.entries import Entries, Opening, mark
from journeylang.runtime.gone import IncompleteError, held
from journeylang.runtime.late_rows import LateRows
from journeylang.runtime.learning import due, learn
from journeylang.runtime.lease import TakenOverError
from journeylang.runtime.leaving import Leaving, keep_counts
from journeylang.runtime.localtime import (
    needs_local_time,
    zones_in_use,
)
from journeylang.runtime.looks import Looks
from journeylang.runtime.pauses import by_guard, too_many
from journeylang.runtime.rankings import make_rankings
from journeylang.runtime.results import broken, results
from journeylang.runtime.session import (
    TRIES,
    Blamed,
    Done,
    Memory,
    News,
    Session,
    TickResult,
)
from journeylang.sql.gone import COUNTS
from journeylang.sql.moves import JourneySql
from journeylang.sql.pauses import caught_up, forget, keep_out, leave_asleep
from journeylang.sql.session import (
    DUE,
    INSIDE,
    REFUSED,
    temporary,
    trail_columns,
    written_table,
)


def tick(
    session: Session, now: datetime, *, skip: Iterable[str] = (), gone_is_meant: bool = False
) -> TickResult:
    """Step everybody to `now` (naive UTC), or to the high-water mark if that is later.

    `skip` names journeys that stand still. With `gone_is_meant` those who are no longer among the
    customers leave, however many they are.

    Raises:
        JourneyFailedError: the database refused a statement of one journey; nothing changed.
        StatementError: it refused another statement, or another runtime has taken over; nothing
            changed.
    """
    for _ in range(TRIES - 1):
        try:
            return _tick(session, now, frozenset(skip), gone_is_meant)
        except ConflictError:
            session.begin_again()
    return _tick(session, now, frozenset(skip), gone_is_meant)


def _tick(session: Session, now: datetime, skip: frozenset[str], gone_is_meant: bool) -> TickResult:
    session.lease.go_on()
    try:
        try:
            return _Tick(session, skip).run(now, gone_is_meant)
        except (ConflictError, TakenOverError):
            raise
        except StatementError:
            # All journeys move in one statement. Taken apart, it tells whose fault it is.
            session.zones.forget()
            return _Tick(session, skip, apart=True).run(now, gone_is_meant)
    except IncompleteError as error:
        session.zones.forget()
        with session.engine.transaction():
            keep_counts(session.engine, error.missing.counts)
        return TickResult(now=now, idle=True, missing=error.missing)
    except BaseException:
        session.zones.forget()
        raise


class _Tick(Leaving):
    """The phases around it: what there is to do, who leaves, wakes and enters, and what is kept."""

    def run(self, now: datetime, gone_is_meant: bool) -> TickResult:
        self.gone_is_meant = gone_is_meant
        with self.engine.transaction():
            self._lock(now)
            self.looks = Looks(
                ready=self.ready,
                marks=self.marks,
                previous=self.previous,
                now=self.now,
                late=LateRows(
                    ready=self.ready,
                    now=self.now,
                    before=self.seen,
                    query=self._query,
                    apart=self.apart,
                ),
            )
            entries = Entries(
                ready=self.ready,
                now=self.now,
                previous=self.previous,
                applied=self.session.applied,
                marks=self.marks,
                looks=self.looks,
            )
            plans = [plan for plan, _ in self.journeys]
            news = self._probe(zones=entries.asks_for_zones(plans))
            self.looks.news, self.looks.resumed = news.looks, news.pauses.resumed
            self._guard(news)
            self._learn(news)
            # Who fulfils a condition is not kept out for good: a pause just does not ask.
            asked = [
                plan
                for plan in plans
                if not (plan.journey in news.pauses.paused and isinstance(plan.entry, EnterWhen))
            ]
            leaving = [(plan, sql, self._exits_statement(sql, news)) for plan, sql in self.journeys]
            openings = entries.openings(
                asked, events=news.events, zones=news.zones, started=news.started
            )
            self.exits = [(plan, sql, exits) for plan, sql, exits in leaving if exits is not None]
            # What is held is let go though nobody is left who could be gone.
            waiting = any(news.active.values()) or held(self.counts) is not None
            self.gone = news.counts != self.counts and waiting
            moving = bool(openings or self.exits or self.gone)
            if moving or any(self._wakes(sql, news) for _, sql in self.journeys):
                result = self._move(news, openings)
            else:
                result = TickResult(now=self.now, idle=True)
                self.marks = {**self.marks, **dict.fromkeys(self.looks.seen, self.now)}
        self.session.memory[self.number] = Memory(
            marks=self.marks,
            counts=self.counts,
            spent=self.spent,
            seen=self.looks.rows(),
        )
        return replace(result, paused=tuple(self.paused.items())) if self.paused else result

    def _guard(self, news: News) -> None:
        """Guards of the last state: what no longer holds pauses its journey."""
        for plan, _ in self.journeys:
            why = news.pauses.broken(plan)
            if why is not None:
                self._pause(plan, why, news)
        if self.ready.results:
            self._guard_results(news)

    def _guard_results(self, news: News) -> None:
        """The same for what the journeys that are not paused have brought."""
        known = self.ready.results
        plans = [
            plan
            for plan, _ in self.journeys
            if plan.journey in known and plan.journey not in news.pauses.paused
        ]
        asking = {plan.journey for plan in plans if known[plan.journey].answers}
        if asking:
            self._local_time(news, among=None)
            make_rankings(self.engine, self.ready, self.session.key_type, asking, self.now)
        for group in [[plan] for plan in plans] if self.apart else [plans]:
            with Blamed(group[0].name) if self.apart else nullcontext():
                found = results(known, [plan.journey for plan in group], self._query)
            for plan in group:
                why = next(broken(plan, found, self.session.applied[plan.journey], self.now), None)
                if why is not None:
                    self._pause(plan, why, news)

    def _pause(self, plan: JourneyPlan, why: str, news: News) -> None:
        self.paused[plan.name] = why
        news.pauses.paused.add(plan.journey)
        statement = by_guard(self.engine.dialect, plan.journey, why, self.now, self.previous)
        self.engine.execute(statement)

    # --- what is there to do --------------------------------------------------

    def _lock(self, now: datetime) -> None:
        given = self._p("now")
        holder = f" AND holder = {self._p('holder')}" if self.engine.dialect.shared else ""
        rows = self.engine.query(
            f"""UPDATE journey.lock
SET token = token + 1, previous = now, now = greatest(now, {given})
WHERE name = 'tick'{holder} RETURNING token, previous, now, next_batch""",
            {"now": now, "holder": self.session.lease.holder},
        )
        if not rows:
            raise self.session.lease.lost()
        self.number, self.previous, self.now, self.next_batch = rows[0]
        self.first_batch = self.next_batch
        self.parameters = {"now": self.now, "tick": self.number}
        # Nobody else has ticked since: what this session wrote last still stands.
        known = self.session.memory.get(self.number - 1)
        self.session.memory.clear()
        if known is not None:
            self.marks, self.counts = known.marks, known.counts
            self.seen = known.seen
            later = self.ready.paid_later
            self.spent = {n: most for n, most in known.spent.items() if n not in later}
            return
        self.spent, self.seen = {}, None
        rows = self.engine.query(
            'SELECT name, "at", NULL FROM journey.watermark'
            f" UNION ALL SELECT name, NULL, value FROM journey.meta WHERE name = '{COUNTS}'"
        )
        self.marks = {name: at for name, at, _ in rows if at is not None}
        self.counts = next((value for _, at, value in rows if at is None), None)

    def _learn(self, news: News) -> None:
        plans = {plan.name: plan for plan, _ in self.journeys}
        lessons = list(due(self.ready.lessons, plans.values(), self.marks, self.now))
        asking = {plans[journey].journey for journey, _ in lessons}
        if asking & self.ready.dated:
            self._local_time(news, among=None)
        make_rankings(self.engine, self.ready, self.session.key_type, asking, self.now)
        if self.apart:
            for name in dict(lessons):
                with Blamed(name):
                    learn(self.engine, [x for journey, x in lessons if journey == name], self.now)
        elif lessons:
            learn(self.engine, [lesson for _, lesson in lessons], self.now)
        self._mark([lesson.mark for _, lesson in lessons])

    def _probe(self, *, zones: bool) -> News:
        for name in (*self.ready.events, "sent"):
            late = timedelta(seconds=self.ready.late(name))
            self.parameters[f"since_{name}"] = self.previous - late
        looked = self.looks.since()
        self.parameters |= {"looked": looked, **self.ready.news_behind(looked)}
        news = News()
        for kind, name, count, first, second in self._query(
            self.ready.probe_with_zones if zones else self.ready.probe
        ):
            if kind == "run":
                news.active[int(name)] = count
                wake = datetime.fromisoformat(second) if second is not None else None
                if wake is not None and wake <= self.now:
                    news.due.add(int(name))
                    news.earliest = min(wake, news.earliest or wake)
                continue
            if kind in ("pause", "guard"):
                news.pauses.read(kind, name, count, first, second)
            elif kind == "zone":
                news.zones.add(name)
            elif kind == "state":
                news.states.add(int(name))
            elif kind == "news":
                if count:
                    news.looks.add(int(name))
            elif kind == "start":
                news.started.add(name)
            elif kind == "gone":
                # The customers are the same ones, though not all of them are there to be counted.
                parted = self.session.resting.entries is not None
                news.counts = self.counts if parted else f"{self.ready.counted}{first}"
            elif count:
                news.events.add(name)
        return news

    # --- moving ---------------------------------------------------------------

    def _move(self, news: News, openings: Mapping[int, Opening]) -> TickResult:
        d = self.engine.dialect
        if self.looks.counting:
            self.looks.late.count()
        self.engine.execute(
            temporary(d, "trail", trail_columns(self.ready.program), self.session.key_type)
        )
        if any(sql.membership for _, sql in self.journeys if sql.journey in openings):
            self.engine.execute(
                temporary(self.engine.dialect, "inside", INSIDE, self.session.key_type)
            )
        due = [row for opening in openings.values() for row in opening.due]
        if due:
            self.engine.execute(temporary(self.engine.dialect, "due", DUE))
            self.engine.insert("due", DUE, due)
        if self.ready.profile:
            self.engine.execute(written_table(self.engine.dialect, self.session.key_type))
        invalid: tuple[str, ...] = ()
        acting = {sql.journey for _, sql in self.journeys if self._wakes(sql, news)}
        acting |= {sql.journey for _, sql, _ in self.exits} | set(openings)
        # Rules for re-entry and ages ask for local time before it is known who moves.
        early = any(p.reenter_rule is not None for p, _ in self.journeys if p.journey in openings)
        early = early or bool(acting & self.ready.dated)
        if early:
            invalid = self._local_time(news, among=None)
        make_rankings(self.engine, self.ready, self.session.key_type, acting, self.now)
        done = Done()
        self._leave(news, done)
        for plan, sql, exits in self.exits:
            with Blamed(plan.name):
                looked = self._since("exits", sql.journey) if exits == sql.exits_changed else {}
                done.left += self._execute(exits, **looked)
        waking = [sql for _, sql in self.journeys if self._wakes(sql, news)]
        self._wake([sql for sql in waking if sql.journey not in news.pauses.resumed], news, done)
        self._wake_resumed(waking, news, done)
        for plan, sql in self.journeys:
            opening = openings.get(plan.journey)
            if opening is not None:
                with Blamed(plan.name):
                    count = self._enter(sql, opening, news, done)
                    done.candidates += self._let_in(plan, count, news)
        behind = news.pauses.resumed.keys() - news.pauses.paused
        if behind:
            self.engine.execute(caught_up(sorted(behind)))
        if done.anybody:
            settled = self.session.zones.settled
            names = self._begin(zoned=self._clocked and not early and settled is None)
            if not early:
                invalid = self._local_time(news, among="trail", names=names)
            self._settle(done)
            self._look_again(done)
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

    def _let_in(self, plan: JourneyPlan, candidates: int, news: News) -> int:
        """Nobody enters a paused journey, or one that too many would enter; who is left."""
        if not candidates:
            return 0
        if plan.journey in news.pauses.paused:
            self.engine.execute(keep_out(plan.journey, "paused"))
            return candidates
        applied = self.session.applied[plan.journey]
        resting = self.session.resting.entries
        why = too_many(plan, applied, self.now, self.engine.dialect, self._query, resting)
        if why is None:
            return candidates
        self._pause(plan, why, news)
        self.engine.execute(leave_asleep(plan.journey))
        if isinstance(plan.entry, EnterWhen):
            self.looks.forget("when", plan.journey)
            return candidates - self.engine.execute(forget(plan.journey))
        self.engine.execute(keep_out(plan.journey, "guard"))
        return candidates

    @property
    def _clocked(self) -> bool:
        """Whether anything in the program depends on a customer's own clock."""
        return bool(self.ready.dated) or needs_local_time(self.ready.program)

    def _local_time(
        self, news: News, among: str | None, names: list[str] | None = None
    ) -> tuple[str, ...]:
        """Make the zone tables ready for those `among`, whose zones are `names` if known."""
        if not self._clocked:
            return ()
        customers = self.ready.project.binding.customers
        assert customers is not None
        longest = max(self.ready.late(name) for name in (*self.ready.events, "sent"))
        names = self.session.zones.settled if names is None else names
        if names is None:
            names = zones_in_use(self.engine, self.ready.project.binding, among)
        low = self.previous - timedelta(seconds=longest)
        if news.earliest is not None:
            low = min(low, news.earliest)
        return self.session.zones.cover(
            self.engine,
            self.ready.program,
            names,
            customers.zone_else,
            low=low,
            now=self.now,
        )

    def _enter(self, sql: JourneySql, opening: Opening, news: News, done: Done) -> int:
        members = sql.membership
        enter, straight = sql.enter, sql.straight
        if members is not None:
            changed = members.inside_changed if opening.among == "changed" else None
            self._execute(changed or members.inside, **opening.parameters)
        elif opening.among == "changed":
            assert sql.enter_changed is not None
            enter, straight = sql.enter_changed, sql.straight_changed
        if sql.journey in news.pauses.paused:
            straight = None
        candidates = self._execute(straight or enter, **opening.parameters)
        self.begun.add(0 if straight is None else 1)
        if candidates and straight is not None:
            done.fates.add(REFUSED)
        for statement in members.keep if members is not None else ():
            self.engine.execute(statement)
        if sql.taken is not None:
            self._execute(sql.taken)
        return candidates

    # --- writing --------------------------------------------------------------

    def _write(self, done: Done) -> None:
        """Leave behind what the trail says; statements that would write nothing are left out."""
        exposing = {(p.journey, x.leaf) for p, _ in self.journeys for x in p.leaves if x.exposures}
        wanted = {
            "clear runs": bool(done.woken or done.left),
            "exposures": bool(done.leaves & exposing),
            "drawn": done.candidates > 0,
            "non-sends": bool(done.outcomes),
            "non-entries": REFUSED in done.fates,
        }
        writes = self.ready.writes
        if self.landed is not None:
            writes = self.ready.landing_writes
            self.parameters["landed"] = self.landed
        counts = {
            name: self._execute(sql) if wanted.get(name, True) else 0
            for name, sql in writes.items()
        }
        if done.acted:
            for sql in self.ready.profile.values():
                self._execute(sql)
        done.refused = counts["non-entries"]
        done.moved = counts["transitions"]
        done.skipped = counts["non-sends"] + done.repeated
        did = {
            "entered": done.candidates - done.refused,
            "moved": done.moved,
            "sent": done.sent,
            "skipped": done.skipped,
        }
        given = ", ".join(self._p(name) for name in ("tick", "now", *did))
        self._execute(
            f"INSERT INTO journey.tick (tick, now, {', '.join(did)}) VALUES ({given})", **did
        )

    def _remember(self, openings: Mapping[int, Opening]) -> None:
        names = [mark(journey) for journey, opening in openings.items() if opening.looked]
        self._mark([*names, *self.looks.seen])
        self._lose(list(self.looks.lost))
        if self.next_batch != self.first_batch:
            self._execute(
                f"UPDATE journey.lock SET next_batch = {self._p('next')} WHERE name = 'tick'",
                next=self.next_batch,
            )

    def _lose(self, names: list[str]) -> None:
        """Let these watermarks not have been."""
        if not names:
            return
        self.marks = {name: at for name, at in self.marks.items() if name not in names}
        listed = ", ".join(f"'{name}'" for name in names)
        self.engine.execute(f"DELETE FROM journey.watermark WHERE name IN ({listed})")

    def _mark(self, names: list[str]) -> None:
        """Set these watermarks to now."""
        if not names:
            return
        names = list(dict.fromkeys(names))
        known = self.marks.keys() >= set(names)
        self.marks = {**self.marks, **dict.fromkeys(names, self.now)}
        listed = ", ".join(f"'{name}'" for name in names)
        if known:
            now = self._p("now")
            update = f'UPDATE journey.watermark SET "at" = {now} WHERE name IN ({listed})'
            if self._execute(update) == len(names):
                return
        now = self.engine.dialect.instant(self.now)
        rows = ", ".join(f"('{name}', {now})" for name in names)
        self.engine.execute(f"DELETE FROM journey.watermark WHERE name IN ({listed})")
        self.engine.execute(f'INSERT INTO journey.watermark (name, "at") VALUES {rows}')
