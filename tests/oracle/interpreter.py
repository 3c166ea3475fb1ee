"""The meaning of a project, customer by customer: the second form of the specification.

`tick` does what `docs/language/semantics.md` says, in its order and in its words, one
customer after the other within each phase. It shares nothing with what it is compared to
but the model of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from journeylang.model.expressions import BoundEvent, EventSource, Expression
from journeylang.model.journey import (
    Block,
    Calendar,
    Elapsed,
    EnterOn,
    EnterWhen,
    Experiment,
    If,
    Journey,
    Leave,
    Race,
    Send,
    TimeOfDay,
    Wait,
)
from journeylang.model.project import Project
from tests.oracle.chance import bucket, instant_key, number
from tests.oracle.clock import DAY, later, next_time, wall
from tests.oracle.facts import (
    Customer,
    Decision,
    Exposure,
    Happening,
    Memory,
    Run,
    Status,
    Tables,
)
from tests.oracle.reading import Reader
from tests.oracle.sends import Intent, Rules, message
from tests.oracle.values import Subject
from tests.oracle.ways import ways

EPOCH = datetime.fromisoformat("1970-01-01")
FEEDBACK_LATE = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A run on its way: the steps before it. `entered` if it enters with this tick."""

    run: Run
    way: Block
    entered: bool = False


def tick(project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
    """Step everybody to `now`, or to the latest tick so far if that is later."""
    _Tick(project, tables, memory, now).run()


class _Tick:
    def __init__(self, project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
        self.project = project
        self.memory = memory
        self.previous = memory.now
        self.now = max(now, memory.now)
        self.reader = Reader(project, tables, memory, self.now)
        self.rules = Rules(reader=self.reader, memory=memory)
        self.ways = {name: ways(journey) for name, journey in project.journeys.items()}

    def run(self) -> None:
        self.exits()
        moving = [*self.wakes(), *self.entries()]
        while moving:
            standing = [i for m in moving if (i := self.advance(m)) is not None]
            moving = self.arbitrate(standing)
        self.memory.now = self.now

    def active(self) -> list[Run]:
        return [run for run in self.memory.runs if run.status == "active"]

    def holds(self, condition: Expression, run: Run, event: Happening | None = None) -> bool:
        """A condition of a run's, now."""
        customer = self.reader.customers.get(run.customer)
        subject = Subject(customer=customer, run=run, event=event)
        return self.reader.evaluator.holds(condition, subject)

    # --- 1. exits -------------------------------------------------------------

    def exits(self) -> None:
        for run in self.active():
            # Somebody who is no longer a customer leaves when the run is next moved.
            if run.customer in self.reader.customers:
                reason = self.exit_of(run)
                if reason is not None:
                    self.end(run, "exited", reason, self.now)

    def exit_of(self, run: Run) -> str | None:
        """The first exit that is true."""
        exits = self.project.journeys[run.journey].exits
        return next((x.reason for x in exits if self.holds(x.condition, run)), None)

    def end(self, run: Run, status: Status, reason: str, at: datetime) -> None:
        run.status = status
        run.step, run.wake_at, run.reason, run.arrived_at = None, None, reason, at

    # --- 2. wakes -------------------------------------------------------------

    def wakes(self) -> Iterator[Moving]:
        for run in self.active():
            assert run.step is not None
            assert run.wake_at is not None
            step, behind = self.ways[run.journey][run.step]
            match step:
                case Wait() if run.wake_at <= self.now:
                    run.arrived_at = run.wake_at
                    yield Moving(run=run, way=behind)
                case Race():
                    yield from self.race(run, step, behind, news=True)
                case Send() if run.wake_at <= self.now:
                    yield Moving(run=run, way=(step, *behind))
                case _:
                    pass

    def race(self, run: Run, race: Race, behind: Block, *, news: bool) -> Iterator[Moving]:
        """The way on, if the race is decided by now; `news`: only by events that are new."""
        deadline = run.wake_at
        assert deadline is not None
        found = [
            (event.at, position)
            for position, branch in enumerate(race.branches)
            for event in self.reader.happenings(branch.event, Subject(run=run))
            if run.arrived_at < event.at <= deadline
            and (not news or self.is_new(branch.event, event))
            and (branch.where is None or self.holds(branch.where, run, event))
        ]
        if found:
            run.arrived_at, position = min(found)
            yield Moving(run=run, way=(*race.branches[position].body, *behind))
        elif deadline <= self.now:
            run.arrived_at = deadline
            yield Moving(run=run, way=(*race.timeout, *behind))

    def is_new(self, source: EventSource, event: Happening) -> bool:
        """A row that comes up to `late` after the fact moves as if it had been there."""
        late = FEEDBACK_LATE
        if isinstance(source, BoundEvent):
            late = timedelta(seconds=self.project.binding.events[source.name].late)
        return self.previous - late < event.at

    # --- 3. entries -----------------------------------------------------------

    def entries(self) -> Iterator[Moving]:
        for journey in self.project.journeys.values():
            match journey.entry:
                case EnterOn():
                    yield from self.enter_on(journey, journey.entry)
                case EnterWhen():
                    yield from self.enter_when(journey, journey.entry)

    def enter_on(self, journey: Journey, entry: EnterOn) -> Iterator[Moving]:
        """Each customer's new events, by (at, key)."""
        source = BoundEvent(name=entry.event, span=entry.span)
        for key, customer in self.reader.customers.items():
            rows = self.reader.events(entry.event).get(key, [])
            entered = False
            for event in sorted(rows, key=lambda e: (e.at, e.key)):
                run_id = number(journey.name, key, event.key)
                if (
                    event.at <= self.memory.applied[journey.name]
                    or not self.is_new(source, event)
                    or not self.fits(entry, customer, event)
                    or self.seen(journey, run_id)
                ):
                    continue
                refused = "active" if entered else self.refusal(journey, customer, event.at)
                # At most one run of a customer enters in a tick, held-out ones included.
                if refused is not None:
                    self.refuse(journey, customer, run_id, refused)
                    continue
                entered = True
                yield from self.enter(journey, customer, run_id, event)

    def fits(self, entry: EnterOn, customer: Customer, event: Happening) -> bool:
        subject = Subject(customer=customer, event=event)
        return entry.where is None or self.reader.evaluator.holds(entry.where, subject)

    def seen(self, journey: Journey, run_id: int) -> bool:
        """Whether this entry has been decided: it is not tried again."""
        name = journey.name
        return any(r.run_id == run_id and r.journey == name for r in self.memory.runs) or any(
            d.run_id == run_id and d.journey == name and d.step is None
            for d in self.memory.decisions
        )

    def refuse(self, journey: Journey, customer: Customer, run_id: int, reason: str) -> None:
        self.memory.decisions.append(
            Decision(
                journey=journey.name,
                customer=customer.key,
                run_id=run_id,
                step=None,
                at=self.now,
                reason=reason,
            )
        )

    def refusal(self, journey: Journey, customer: Customer, at: datetime) -> str | None:
        """Why a customer may not enter; in this order."""
        runs = [
            r for r in self.memory.runs if r.journey == journey.name and r.customer == customer.key
        ]
        if any(r.status == "active" for r in runs):
            return "active"
        if runs and not self.may_return(journey, customer, max(r.entered_at for r in runs), at):
            return "reentry"
        subject = Subject(customer=customer)
        if journey.only is not None and not self.reader.evaluator.holds(journey.only, subject):
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
                tz = self.rules.zone(customer)
                between = wall(tz, at).date() - wall(tz, previous).date()
                return between >= journey.reenter.days * DAY

    def enter_when(self, journey: Journey, entry: EnterWhen) -> Iterator[Moving]:
        """Everyone for whom it is true and who may; those who may not are not recorded."""
        last = self.memory.looked.get(journey.name)
        if last is not None and entry.every is not None:
            every = timedelta(seconds=entry.every)
            if (self.now - EPOCH) // every == (last - EPOCH) // every:
                return
        self.memory.looked[journey.name] = self.now
        for key, customer in self.reader.customers.items():
            subject = Subject(customer=customer)
            if (
                self.reader.evaluator.holds(entry.condition, subject)
                and self.refusal(journey, customer, self.now) is None
            ):
                run_id = number(journey.name, key, instant_key(self.now))
                yield from self.enter(journey, customer, run_id, None)

    def enter(
        self, journey: Journey, customer: Customer, run_id: int, event: Happening | None
    ) -> Iterator[Moving]:
        """Begin a run; it goes on unless it is drawn into a control group."""
        at = self.now if event is None else event.at
        run = Run(
            journey=journey.name,
            customer=customer.key,
            run_id=run_id,
            entered_at=at,
            arrived_at=at,
            entry={} if event is None else event.fields,
        )
        self.memory.runs.append(run)
        marketing = journey.purpose == "marketing"
        control = marketing and any(p.control for p in self.project.policies.values())
        holdout = journey.holdout
        arm: Literal["treated", "global_control", "held_out"] = "treated"
        if marketing and self.rules.controlled(customer):
            arm = "global_control"
        elif holdout is not None and bucket(holdout.salt, customer.key) < holdout.share:
            arm = "held_out"
        if control or holdout is not None:
            self.expose(run, "holdout", arm, at)
        if arm == "treated":
            yield Moving(run=run, way=journey.body, entered=True)
        else:
            self.end(run, arm, arm, at)

    def expose(self, run: Run, experiment: str, arm: str, at: datetime) -> None:
        """The first time counts."""
        known = any(
            (x.journey, x.experiment, x.customer) == (run.journey, experiment, run.customer)
            for x in self.memory.exposures
        )
        if not known:
            self.memory.exposures.append(
                Exposure(
                    journey=run.journey,
                    experiment=experiment,
                    customer=run.customer,
                    arm=arm,
                    at=at,
                    run_id=run.run_id,
                )
            )

    # --- 4. advance -----------------------------------------------------------

    def advance(self, moving: Moving) -> Intent | None:
        """To the next send (then the intent), unfinished wait, or end."""
        run, way = moving.run, moving.way
        if run.customer not in self.reader.customers:
            self.end(run, "gone", "gone", run.arrived_at)
            return None
        if moving.entered and (reason := self.exit_of(run)) is not None:
            self.end(run, "exited", reason, run.arrived_at)
            return None
        while way:
            step, behind = way[0], way[1:]
            match step:
                case If():
                    holds = self.holds(step.condition, run)
                    way = (*(step.then if holds else step.otherwise), *behind)
                case Experiment():
                    way = (*self.arm(run, step), *behind)
                case Leave():
                    self.end(run, "finished", step.reason, run.arrived_at)
                    return None
                case Wait():
                    end = self.wait_end(run, step.until)
                    if end > self.now:
                        self.rest(run, step, end)
                        return None
                    run.arrived_at, way = end, behind
                case Race():
                    self.rest(run, step, self.wait_end(run, step.deadline))
                    on = next(self.race(run, step, behind, news=False), None)
                    if on is None:
                        return None
                    way = on.way
                case Send():
                    return self.intent(run, step)
        self.end(run, "finished", "end", run.arrived_at)
        return None

    def arm(self, run: Run, experiment: Experiment) -> Block:
        """Drawn by the customer alone, so the same at each re-entry."""
        drawn = bucket(experiment.salt, run.customer)
        arm = next(a for a in experiment.arms if a.low <= drawn < a.high)
        self.expose(run, experiment.path, arm.name, run.arrived_at)
        return arm.body

    def rest(self, run: Run, step: Wait | Race | Send, until: datetime) -> None:
        run.step, run.wake_at, run.reason = step.path, until, None

    def wait_end(self, run: Run, until: Elapsed | Calendar | TimeOfDay) -> datetime:
        tz = self.rules.zone(self.reader.customers[run.customer])
        match until:
            case Elapsed():
                return run.arrived_at + timedelta(seconds=until.seconds)
            case Calendar():
                return later(tz, run.arrived_at, until)
            case TimeOfDay():
                return next_time(tz, run.arrived_at, until)

    def intent(self, run: Run, send: Send) -> Intent:
        return Intent(
            run=run,
            journey=self.project.journeys[run.journey],
            send=send,
            open=tuple(c for c in send.candidates if c.when is None or self.holds(c.when, run)),
        )

    # --- 5. arbitrate ---------------------------------------------------------

    def arbitrate(self, standing: list[Intent]) -> list[Moving]:
        """Rank 1 of every customer, then rank 2, …: what is granted counts for the next."""
        moving = []
        for intent in _by_rank(standing):
            on = self.settle(intent)
            if on is not None:
                moving.append(on)
        return moving

    def settle(self, intent: Intent) -> Moving | None:
        run, send = intent.run, intent.send
        verdict = self.rules.decide(intent)
        if verdict.until is not None:
            self.rest(run, send, verdict.until)
            run.reason = verdict.reason
            return None
        if verdict.channel is not None:
            self.memory.messages.append(message(intent, verdict.channel, self.rules))
        else:
            assert verdict.reason is not None
            self.memory.decisions.append(
                Decision(
                    journey=run.journey,
                    customer=run.customer,
                    run_id=run.run_id,
                    step=send.path,
                    at=self.now,
                    reason=verdict.reason,
                )
            )
        run.arrived_at, run.reason = self.now, None
        _, behind = self.ways[run.journey][send.path]
        return Moving(run=run, way=behind)


def _by_rank(standing: Iterable[Intent]) -> list[Intent]:
    """All first intents of the customers in order, then all second ones, …"""
    ranks: dict[object, int] = {}
    ranked = []
    for intent in sorted(standing, key=lambda i: i.order):
        rank = ranks[intent.run.customer] = ranks.get(intent.run.customer, 0) + 1
        ranked.append((rank, intent))
    return [intent for _, intent in sorted(ranked, key=lambda r: r[0])]
