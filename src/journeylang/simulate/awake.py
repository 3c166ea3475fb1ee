"""Ticks over those people alone to whom something may happen, a day at a time.

What a tick finds it finds by going through tables, for on DuckDB they have no index. Of a million
people some ten thousand move in a day; and who they can be is known at its beginning: whose run
wakes by its end, of whom there are new rows, whose condition an instant or a row may change. New
rows and messages within that day are theirs as well, for they follow from what happens to them.
So the rows of all others are put aside for that long. Every join is by the customer: a tick does
the same to those who are there as it would with everybody beside them.

What looks at everybody at once does so with all rows in their place: the tick of a schedule, of a
condition's first look, of a date in the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import ConsentTable
from journeylang.model.entry import EnterBySchedule, EnterJoins, EnterWhen
from journeylang.model.expressions import BoundEvent, SqlMembers, SqlValue
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.entries import clock, mark, turn_of
from journeylang.runtime.looks import look_mark
from journeylang.runtime.program import Ready
from journeylang.runtime.schedules import anywhere, occurrences
from journeylang.runtime.session import Session
from journeylang.simulate.behaviour import Behaviour
from journeylang.simulate.population import SCHEMA
from journeylang.simulate.reading import parts
from journeylang.source import Span
from journeylang.sql.dialects import Dialect, quote
from journeylang.sql.gone import AGAIN, HELD
from journeylang.sql.relations import bound_value, event, newness
from journeylang.sql.schema import ACTIVE

STRETCH = timedelta(days=1)
"""For so long people are put aside at a time."""

LEAST = 6
"""For fewer ticks it does not pay."""

WORTH = 20_000
"""With fewer customers the statements of a tick cost more than what they go through."""

# Of these rows are only added, `run` apart; each belongs to a customer.
_ADDED = ("message", "message_event", "decision", "exposure", "suppression")
_OF_MESSAGES = ("message", "message_event")
_AWAKE = f"{SCHEMA}.awake"
_ENTERED = f"{SCHEMA}.entered"
_DAY = 86_400


def may_part(ready: Ready, step: timedelta) -> bool:
    """Whether nobody's ticks hang on others, but by counts that are kept of all.

    Rankings, what is learned, goals of a guard are over everybody, SQL by hand over what it likes.
    """
    if ready.rankings or ready.results or ready.lessons or ready.best_hour is not None:
        return False
    project = ready.project
    running = [project.journeys[plan.name] for plan in ready.program.journeys]
    told = (running, project.metrics, project.segments, project.policies, project.binding)
    if any(isinstance(part, SqlValue | SqlMembers) for part in parts(told)):
        return False
    spans = [_DAY, *(g.over or 0 for p in ready.program.journeys for g in p.guards)]
    return all(timedelta(seconds=s) % step == timedelta() for s in spans) and all(
        kind == "when" and _every(plan) is not None
        for plan, sql in zip(ready.program.journeys, ready.journeys, strict=True)
        for kind in sql.looks.keys() - sql.news.keys()
    )


def _every(plan: JourneyPlan) -> int | None:
    return plan.entry.every if isinstance(plan.entry, EnterWhen | EnterJoins) else None


@dataclass(slots=True, kw_only=True)
class Awake:
    """Between ticks: who is in the tables at the next one, and until when (None: everybody).

    Ticks are at `start`, every `step`, before `end`. `kept` are the tables that are parted: what
    tells their rows' customers, and how many rows were there, if rows are only added to them.
    """

    session: Session
    behaviour: Behaviour
    start: datetime
    end: datetime
    step: timedelta
    until: datetime | None = None
    kept: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    def before(self, now: datetime) -> None:
        """Be ready for the tick at `now`."""
        if self.until is not None and now <= self.until:
            return
        self.gather()
        last = self._last(now)
        if last is not None:
            self._part(now, last)

    def gather(self) -> None:
        """Everybody comes back to their place."""
        if self.until is None:
            return
        engine = self._engine
        with engine.transaction():
            for table, (customer, rows) in self.kept.items():
                aside = _aside(table)
                added = f" WHERE rowid >= {rows}"
                if rows is None:
                    added = ""
                    engine.execute(f"DELETE FROM {aside} AS t WHERE {customer} IN (FROM {_AWAKE})")
                if not table.startswith(SCHEMA):
                    engine.execute(f"INSERT INTO {aside} SELECT * FROM {table}{added}")
                engine.execute(f"DROP TABLE {table}")
                engine.execute(f"ALTER TABLE {aside} RENAME TO {table.partition('.')[2]}")
        self.kept.clear()
        self.until = self.session.resting.entries = None

    @property
    def _engine(self) -> Engine:
        return self.session.engine

    def _last(self, now: datetime) -> datetime | None:
        """The last tick from `now` on that has no need of everybody; None if that is too soon."""
        found = None
        previous, tick = self._previous(), now
        marks = self._marks()
        if marks is None:
            return None
        while tick < min(self.end, now + STRETCH) and not self._asks_all(previous, tick, marks):
            found, previous, tick = tick, tick, tick + self.step
        return found if found is not None and found >= now + (LEAST - 1) * self.step else None

    def _previous(self) -> datetime:
        [[previous]] = self._engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")
        assert isinstance(previous, datetime)
        return previous

    def _marks(self) -> Mapping[str, datetime] | None:
        """Until when conditions have been looked at; None if the last tick left nothing certain."""
        known = list(self.session.memory.values())
        if not known or known[-1].counts is None:
            return None
        return None if known[-1].counts.startswith((HELD, AGAIN)) else known[-1].marks

    def _asks_all(self, previous: datetime, now: datetime, marks: Mapping[str, datetime]) -> bool:
        return any(
            self._journey_asks_all(plan, previous, now, marks)
            for plan in self.session.ready.program.journeys
        )

    def _journey_asks_all(
        self, plan: JourneyPlan, previous: datetime, now: datetime, marks: Mapping[str, datetime]
    ) -> bool:
        if isinstance(plan.entry, EnterBySchedule) and self._due(plan.entry, previous, now):
            return True
        sql = next(s for s in self.session.ready.journeys if s.journey == plan.journey)
        begins = plan.runs.start if plan.runs is not None else None
        if begins is not None and previous < begins <= now:
            return True
        every = _every(plan)
        for kind in sql.looks:
            last = marks.get(mark(plan.journey))
            if kind == "when" and every and not turn_of(now, last, every):
                continue
            looked, news = marks.get(look_mark(kind, plan.journey)), sql.news.get(kind)
            if news is None or looked is None:
                return True
            # What has its turn now and then may have been asked for long before the last tick.
            if any(looked < instant <= now for instant in news.found.instants):
                return True
        return False

    def _due(self, entry: EnterBySchedule, previous: datetime, now: datetime) -> bool:
        if not anywhere(entry.schedule, previous, now):
            return False
        names = self.session.zones.settled if entry.local else [None]
        project = self.session.ready.project
        return names is None or any(
            any(occurrences(clock(project, name), entry.schedule, previous, now)) for name in names
        )

    # --- putting aside ---------------------------------------------------------

    def _part(self, now: datetime, last: datetime) -> None:
        engine = self._engine
        with engine.transaction():
            engine.execute(
                f"CREATE OR REPLACE TABLE {SCHEMA}.stirring (customer_id {self.session.key_type})"
            )
            for people, given in self._stirring():
                engine.execute(f"INSERT INTO {SCHEMA}.stirring {people}", {"now": last, **given})
            engine.execute(
                f"CREATE OR REPLACE TABLE {_AWAKE} AS SELECT DISTINCT customer_id"
                f" FROM {SCHEMA}.stirring WHERE customer_id IS NOT NULL"
            )
            engine.execute(f"DROP TABLE {SCHEMA}.stirring")
            self._count_entries()
            for table, customer in self._tables():
                self._put_aside(table, customer)
        self.until = last
        self.session.resting.entries = _ENTERED

    def _stirring(self) -> Iterator[tuple[str, dict[str, datetime]]]:
        """Selects of those to whom something may happen until {now}, and what else they take."""
        d, ready = self._engine.dialect, self.session.ready
        previous, marks, now = self._previous(), self._marks(), d.parameter("now")
        assert marks is not None
        run = f"journey.run AS r WHERE r.status = {ACTIVE} AND r.wake_at <= {now}"
        yield f"SELECT r.customer_id FROM {run}", {}
        yield "SELECT p.customer_id FROM journey.pending_entry AS p", {}
        told = f'{SCHEMA}.answer AS a WHERE a."at" > {d.parameter("heard")} AND a."at" <= {now}'
        yield f"SELECT a.customer_id FROM {told}", {"heard": self.behaviour.heard}
        for name in (*ready.events, *(["sent"] if self._awaits_sends() else [])):
            since = previous - timedelta(seconds=ready.late(name))
            yield self._new(name, d), {"since": since}
        for sql in ready.journeys:
            for kind, found in sql.news.items():
                looked = min(marks.get(look_mark(kind, sql.journey), previous), previous)
                for part in found.parts:
                    yield part, {"looked": looked, **ready.news_behind(looked)}

    def _awaits_sends(self) -> bool:
        return any("sent" in sql.race_events for sql in self.session.ready.journeys)

    def _new(self, name: str, d: Dialect) -> str:
        """Whose rows count as new after {since}, as the probe asks it."""
        since, now = d.parameter("since"), d.parameter("now")
        binding = self.session.ready.project.binding
        if name in binding.events:
            bound = binding.events[name]
            rows = event(binding, BoundEvent(name=name, span=Span("", 0, 0)), (), d)
            new = f'{newness(bound)} > {since} AND e."_at" <= {now}'
            return f"SELECT e.customer_id FROM {rows} AS e WHERE {new}"
        if name == "sent":
            return f"SELECT m.customer_id FROM journey.message AS m WHERE m.decided_at > {since}"
        return (
            "SELECT f.customer_id FROM journey.message_event AS f"
            f' WHERE f."at" > {since} AND f."at" <= {now}'
        )

    def _count_entries(self) -> None:
        """How many have entered between two ticks, of those who are put aside.

        Guards count from tick to tick. What was before the first may count from any instant, if a
        journey has been paused.
        """
        d, step = self._engine.dialect, int(self.step.total_seconds())
        start = d.instant(self.start)
        at = (
            f"time_bucket({d.interval(step)}, r.entered_at - INTERVAL 1 MICROSECOND, {start})"
            f" + {d.interval(step)}"
        )
        [[paused]] = self._engine.query(
            "SELECT count(*) FROM journey.pause WHERE until IS NOT NULL"
        )
        if paused:
            at = f"CASE WHEN r.entered_at <= {start} THEN r.entered_at ELSE {at} END"
        self._engine.execute(
            f"CREATE OR REPLACE TABLE {_ENTERED} AS SELECT r.journey, {at} AS entered_at,"
            f" count(*) AS n FROM journey.run AS r"
            f" WHERE r.customer_id NOT IN (FROM {_AWAKE}) GROUP BY ALL"
        )

    def _tables(self) -> Iterator[tuple[str, str]]:
        """Tables that are parted, and what tells the customer of a row `t`."""
        ready = self.session.ready
        yield "journey.run", "t.customer_id"
        counted = any(g.measure != "entries" for p in ready.program.journeys for g in p.guards)
        for name in _ADDED:
            if not (counted and name in _OF_MESSAGES):
                yield f"journey.{name}", "t.customer_id"
        d, binding = self._engine.dialect, ready.project.binding
        assert binding.customers is not None, "checked: a project with journeys binds customers"
        bound = [(binding.customers.table, binding.customers.key)]
        bound += [
            (c.table, c.customer) for c in binding.consents.values() if isinstance(c, ConsentTable)
        ]
        seen = set()
        for table, customer in bound:
            # Only what a dry run has a copy of: several bindings may have one table.
            if table.parts[0] == SCHEMA and table.parts not in seen:
                seen.add(table.parts)
                yield f"{SCHEMA}.{quote(table.parts[1])}", bound_value(customer, d)

    def _put_aside(self, table: str, customer: str) -> None:
        engine, aside = self._engine, _aside(table)
        engine.execute(f"ALTER TABLE {table} RENAME TO {aside.partition('.')[2]}")
        nobody = " OR t.customer_id IS NULL" if table == "journey.suppression" else ""
        engine.execute(
            f"CREATE TABLE {table} AS SELECT t.* FROM {aside} AS t"
            f" WHERE {customer} IN (FROM {_AWAKE}){nobody}"
        )
        rows = None
        if table != "journey.run":
            [[rows]] = engine.query(f"SELECT count(*) FROM {table}")
        self.kept[table] = customer, rows


def _aside(table: str) -> str:
    """Where the rows of a table, schema and name, are meanwhile."""
    schema, _, name = table.partition(".")
    return f"{schema}.{quote(name.strip(chr(34)) + ' aside')}"
