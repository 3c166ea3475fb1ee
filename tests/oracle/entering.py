"""Who enters, who may not, and who is drawn into a control group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any, Literal

from journeylang.model.entry import (
    EnterBySchedule,
    EnterByStart,
    EnterJoins,
    EnterOn,
    EnterWhen,
    Yearly,
)
from journeylang.model.expressions import EventSource, MessageEvent
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from tests.oracle.chance import bucket, instant_key, number
from tests.oracle.clock import DAY, wall, zone
from tests.oracle.facts import Customer, Decision, Happening, Memory, Run, Tables
from tests.oracle.guards import let_in
from tests.oracle.reading import Reader
from tests.oracle.schedules import due
from tests.oracle.stage import Moving, Stage
from tests.oracle.values import Subject

EPOCH = datetime.fromisoformat("1970-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of one tick."""

    stage: Stage

    def all(self) -> list[Moving]:
        """Those who enter and go on, in all journeys."""
        return [
            moving
            for journey in self.stage.project.journeys.values()
            for moving in let_in(self.stage, journey, self.into(journey))
        ]

    def into(self, journey: Journey) -> Iterator[Moving]:
        match journey.entry:
            case EnterOn():
                yield from self.enter_on(journey, journey.entry)
            case EnterWhen():
                yield from self.enter_when(journey, journey.entry)
            case EnterJoins():
                yield from self.enter_joins(journey, journey.entry)
            case EnterByStart():
                yield from self.enter_by_start(journey)
            case EnterBySchedule():
                yield from self.enter_by_schedule(journey, journey.entry)

    def enter_on(self, journey: Journey, entry: EnterOn) -> Iterator[Moving]:
        """Each customer's new events, by (at, key)."""
        source = entry.event
        for key, customer in self.stage.reader.customers.items():
            rows = self.stage.reader.happenings(source, Subject(customer=customer))
            rows = [row for row in rows if row.key is not None]
            entered: set[Any] = set()
            for event in sorted(rows, key=lambda e: (e.at, _key(e, source))):
                run_id = number(journey.name, key, _key(event, source))
                about = None if entry.per is None else event.fields[entry.per]
                if (
                    not self.counts(journey, event.at)
                    or not self.stage.is_new(source, event)
                    or not self.fits(entry, customer, event)
                    or self.seen(journey, run_id)
                ):
                    continue
                refused = self.refusal(journey, customer, event.at, about)
                if about in entered:
                    refused = "active"
                # At most one run of a customer (`per` whatever it is about) enters in a tick,
                # held-out ones included.
                if refused is not None:
                    self.refuse(journey, customer, run_id, refused)
                    continue
                entered.add(about)
                yield from self.enter(journey, customer, run_id, event.at, event.fields)

    def counts(self, journey: Journey, at: datetime) -> bool:
        """Whether an entry of this instant is one: later than the first apply, as it runs."""
        runs = journey.runs
        return (
            journey.upgrade != "drain"
            and at > self.stage.memory.applied[journey.name]
            and (runs is None or runs.start is None or at >= runs.start)
            and (runs is None or runs.end is None or at < runs.end)
        )

    def fits(self, entry: EnterOn, customer: Customer, event: Happening) -> bool:
        subject = Subject(customer=customer, event=event)
        return entry.where is None or self.stage.reader.evaluator.holds(entry.where, subject)

    def seen(self, journey: Journey, run_id: int) -> bool:
        """Whether this entry has been decided: it is not tried again."""
        name = journey.name
        return any(r.run_id == run_id and r.journey == name for r in self.stage.memory.runs) or any(
            d.run_id == run_id and d.journey == name and d.step is None
            for d in self.stage.memory.decisions
        )

    def refuse(self, journey: Journey, customer: Customer, run_id: int, reason: str) -> None:
        self.stage.memory.decisions.append(
            Decision(
                journey=journey.name,
                customer=customer.key,
                run_id=run_id,
                step=None,
                at=self.stage.now,
                reason=reason,
            )
        )

    def refusal(
        self, journey: Journey, customer: Customer, at: datetime, about: Any = None
    ) -> str | None:
        """Why a customer may not enter; in this order."""
        per = journey.entry.per if isinstance(journey.entry, EnterOn) else None
        runs = [
            r
            for r in self.stage.memory.runs
            if r.journey == journey.name
            and r.customer == customer.key
            and (per is None or r.entry.get(per) == about)
        ]
        if any(r.status == "active" for r in runs):
            return "active"
        if runs and not self.may_return(journey, customer, max(r.entered_at for r in runs), at):
            return "reentry"
        subject = Subject(customer=customer)
        if journey.only is not None and not self.stage.reader.evaluator.holds(
            journey.only, subject
        ):
            return "audience"
        return None

    def may_return(
        self, journey: Journey, customer: Customer, previous: datetime, at: datetime
    ) -> bool:
        match journey.reenter.rule:
            case "never":
                return False
            case "always":
                return True
            case "after":
                tz = self.stage.rules.zone(customer)
                between = wall(tz, at).date() - wall(tz, previous).date()
                return between >= journey.reenter.days * DAY

    def enter_when(self, journey: Journey, entry: EnterWhen) -> Iterator[Moving]:
        """Everyone for whom it is true and who may; those who may not are not recorded."""
        if self.season(journey) != "open" or not self.turn(journey, entry.every):
            return
        for key, customer in self.stage.reader.customers.items():
            subject = Subject(customer=customer)
            if (
                self.stage.reader.evaluator.holds(entry.condition, subject)
                and self.refusal(journey, customer, self.stage.now) is None
            ):
                run_id = number(journey.name, key, instant_key(self.stage.now))
                yield from self.enter(journey, customer, run_id, self.stage.now, {})

    def enter_joins(self, journey: Journey, entry: EnterJoins) -> Iterator[Moving]:
        """Those who are inside and were not when it was last looked at."""
        if self.season(journey) == "over" or not self.turn(journey, entry.every):
            return
        before = self.stage.memory.members.get(journey.name, set())
        inside = members(entry, self.stage.reader)
        # Whoever is gone stays what they were.
        gone = {key for key in before if key not in self.stage.reader.customers}
        self.stage.memory.members[journey.name] = inside | gone
        if self.season(journey) == "before":
            return
        for key in inside - before:
            customer = self.stage.reader.customers[key]
            run_id = number(journey.name, key, instant_key(self.stage.now))
            refused = self.refusal(journey, customer, self.stage.now)
            if refused is not None:
                self.refuse(journey, customer, run_id, refused)
            else:
                yield from self.enter(journey, customer, run_id, self.stage.now, {})

    def enter_by_start(self, journey: Journey) -> Iterator[Moving]:
        """What earlier ticks started: once, whether it leads to a run or not."""
        memory, now = self.stage.memory, self.stage.now
        ripe = [p for p in memory.pending if p.journey == journey.name and p.at < now]
        memory.pending = [p for p in memory.pending if p not in ripe]
        entered = set()
        for pending in sorted(ripe, key=lambda p: p.key):
            customer = self.stage.reader.customers.get(pending.customer)
            if customer is None or self.season(journey) != "open":
                continue
            run_id = number(journey.name, customer.key, pending.key)
            refused = self.refusal(journey, customer, now)
            if customer.key in entered:
                refused = "active"
            if refused is not None:
                self.refuse(journey, customer, run_id, refused)
                continue
            entered.add(customer.key)
            yield from self.enter(journey, customer, run_id, now, pending.entry)

    def season(self, journey: Journey) -> str:
        """Whether the journey runs now; one that is drained is over."""
        runs, now = journey.runs, self.stage.now
        if journey.upgrade == "drain":
            return "over"
        if runs is not None and runs.start is not None and now < runs.start:
            return "before"
        if runs is not None and runs.end is not None and now >= runs.end:
            return "over"
        return "open"

    def turn(self, journey: Journey, seconds: int | None) -> bool:
        """The first tick in each `every`, or each tick; it is then looked at."""
        last = self.stage.memory.looked.get(journey.name)
        if last is not None and seconds is not None:
            every = timedelta(seconds=seconds)
            if (self.stage.now - EPOCH) // every == (last - EPOCH) // every:
                return False
        self.stage.memory.looked[journey.name] = self.stage.now
        return True

    def enter_by_schedule(self, journey: Journey, entry: EnterBySchedule) -> Iterator[Moving]:
        """The first instant since the last tick at which they may; nobody else is recorded."""
        for key, customer in self.stage.reader.customers.items():
            subject = Subject(customer=customer)
            tz = self.stage.rules.zone(customer) if entry.local else zone("UTC")
            assert tz is not None
            evaluator, born = self.stage.reader.evaluator, None
            if isinstance(entry.schedule, Yearly):
                born = evaluator.value(entry.schedule.date, subject)
            if entry.condition is not None and not evaluator.holds(entry.condition, subject):
                continue
            for at in due(tz, entry.schedule, born, self.stage.previous, self.stage.now):
                if self.counts(journey, at) and self.refusal(journey, customer, at) is None:
                    run_id = number(journey.name, key, instant_key(at))
                    yield from self.enter(journey, customer, run_id, at, {})
                    break

    def enter(
        self,
        journey: Journey,
        customer: Customer,
        run_id: int,
        at: datetime,
        fields: Mapping[str, Any],
    ) -> Iterator[Moving]:
        """Begin a run; it goes on unless it is drawn into a control group."""
        run = Run(
            journey=journey.name,
            customer=customer.key,
            run_id=run_id,
            entered_at=at,
            arrived_at=at,
            entry=fields,
        )
        self.stage.memory.runs.append(run)
        marketing = journey.purpose == "marketing"
        control = marketing and any(p.control for p in self.stage.project.policies.values())
        holdout = journey.holdout
        arm: Literal["treated", "global_control", "held_out"] = "treated"
        if marketing and self.stage.rules.controlled(customer):
            arm = "global_control"
        elif holdout is not None and bucket(holdout.salt, customer.key) < holdout.share:
            arm = "held_out"
        if control or holdout is not None:
            self.stage.expose(run, "holdout", arm, at)
        if arm == "treated":
            yield Moving(run=run, way=journey.body, entered=True)
        else:
            self.stage.end(run, arm, arm, at)


def _key(event: Happening, source: EventSource) -> Any:
    """What makes two rows the same; of a decision its message's name outside."""
    message = event.message
    if message is None or not isinstance(source, MessageEvent) or source.name != "sent":
        return event.key
    named = f"{message.customer}:{message.run_id}:{message.step}:1"
    return md5(named.encode(), usedforsecurity=False).hexdigest()


def members(entry: EnterJoins, reader: Reader) -> set[Any]:
    """Who is inside now."""
    return {
        key
        for key, customer in reader.customers.items()
        if reader.evaluator.holds(entry.inside, Subject(customer=customer))
    }


def begin(project: Project, tables: Tables, now: datetime) -> Memory:
    """What is remembered of the first apply of all journeys."""
    memory = Memory(applied=dict.fromkeys(project.journeys, now), now=now)
    reader = Reader(project, tables, memory, now)
    for name, journey in project.journeys.items():
        if isinstance(journey.entry, EnterJoins):
            memory.members[name] = members(journey.entry, reader)
    return memory
