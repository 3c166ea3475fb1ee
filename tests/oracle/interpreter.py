"""The meaning of a project, customer by customer: the second form of the specification.

`tick` does what `docs/language/semantics.md` says, in its order and in its words, one
customer after the other within each phase. It shares nothing with what it is compared to
but the model of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from journeylang.model.entry import entry_fields
from journeylang.model.journey import (
    Block,
    Calendar,
    Elapsed,
    Experiment,
    Factor,
    Factors,
    If,
    Invoke,
    Leave,
    Pick,
    Race,
    Repeat,
    Send,
    Set,
    Several,
    Start,
    TimeOfDay,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.types import Kind
from tests.oracle.chance import bucket, instant_key
from tests.oracle.clock import later, next_time
from tests.oracle.codes import draw
from tests.oracle.entering import Entries
from tests.oracle.facts import Called, Decision, Memory, Pending, Record, Run, Tables, Written
from tests.oracle.guards import judge
from tests.oracle.learning import arm_of, learn
from tests.oracle.moments import moment_of
from tests.oracle.sends import Intent, Verdict, charges, message
from tests.oracle.stage import Moving, Stage
from tests.oracle.values import Subject
from tests.oracle.ways import Pass, Resting, Way, ways


def tick(project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
    """Step everybody to `now`, or to the latest tick so far if that is later."""
    _Tick(project, tables, memory, now).run()


class _Tick(Stage):
    def __init__(self, project: Project, tables: Tables, memory: Memory, now: datetime) -> None:
        super().__init__(project, tables, memory, now)
        self._ways: dict[int, dict[str, tuple[Resting, Way]]] = {}

    def behind(self, run: Run, path: str) -> tuple[Resting, Way]:
        """A step of the run's version, and what comes behind it."""
        journey = run.pinned or self.project.journeys[run.journey]
        if id(journey) not in self._ways:
            self._ways[id(journey)] = ways(journey)
        return self._ways[id(journey)][path]

    def run(self) -> None:
        """The phases, in their order."""
        if self.loading():
            return
        judge(self)
        learn(self)
        self.exits()
        sleeping = self.active()
        entering = Entries(stage=self).all()
        moving = [*self.wakes(sleeping), *entering]
        for pause in self.memory.pauses:
            pause.awake = pause.awake or (
                pause.until is not None and not self.paused(pause.journey)
            )
        while moving:
            standing = [i for m in moving if (i := self.advance(m)) is not None]
            moving = self.arbitrate(standing)
        self.keep_profile()
        self.memory.now = self.now

    def loading(self) -> bool:
        """Whether so many are missing that the table of customers is rather being loaded."""
        active = self.active()
        missing = sum(run.customer not in self.reader.customers for run in active)
        (held, at), self.memory.missing = self.memory.missing, (0, None)
        too_many = not self.reader.customers or (missing > 100 and 2 * missing > len(active))
        still = at is not None and missing > 0 and not (held == missing and at < self.now)
        if not active or not (too_many or still):
            return False
        self.memory.missing = (missing, self.now)
        return True

    # --- 1. exits -------------------------------------------------------------

    def exits(self) -> None:
        for run in self.active():
            if run.customer in self.reader.customers:
                reason = self.exit_of(run)
                if reason is not None:
                    self.end(run, "exited", reason, self.now)
            else:
                self.end(run, "gone", "gone", self.now)

    def exit_of(self, run: Run) -> str | None:
        """The first exit that is true."""
        exits = self.project.journeys[run.journey].exits
        return next((x.reason for x in exits if self.holds(x.condition, run)), None)

    # --- 2. wakes -------------------------------------------------------------

    def wakes(self, sleeping: Iterable[Run]) -> Iterator[Moving]:
        for run in sleeping:
            if self.paused(run.journey):
                continue
            assert run.step is not None
            assert run.wake_at is not None
            step, behind = self.behind(run, run.step)
            match step:
                case Wait() if run.wake_at <= self.now:
                    run.arrived_at = run.wake_at
                    yield Moving(run=run, way=behind)
                case WaitMoment() if run.wake_at <= self.now:
                    run.arrived_at = run.wake_at
                    yield Moving(run=run, way=(*step.body, *behind))
                case WaitState():
                    there = run.customer in self.reader.customers
                    if there and self.holds(step.condition, run):
                        run.arrived_at = self.now
                        yield Moving(run=run, way=(*step.then, *behind))
                    elif run.wake_at <= self.now:
                        run.arrived_at = run.wake_at
                        yield Moving(run=run, way=(*step.timeout, *behind))
                case Race():
                    yield from self.race(run, step, behind, news=True)
                case Send() if run.wake_at <= self.now:
                    yield Moving(run=run, way=(step, *behind))
                case _:
                    pass

    def race(self, run: Run, race: Race, behind: Way, *, news: bool) -> Iterator[Moving]:
        """The way on, if the race is decided by now; `news`: only by events that are new."""
        deadline = run.wake_at
        assert deadline is not None
        found = [
            (event.at, position)
            for position, branch in enumerate(race.branches)
            for event in self.reader.happenings(branch.event, Subject(run=run))
            if run.arrived_at < event.at <= deadline
            and (not news or self.is_new(branch.event, event, self.slept_since(run.journey)))
            and (branch.where is None or self.holds(branch.where, run, event))
        ]
        if found:
            run.arrived_at, position = min(found)
            yield Moving(run=run, way=(*race.branches[position].body, *behind))
        elif deadline <= self.now:
            run.arrived_at = deadline
            yield Moving(run=run, way=(*race.timeout, *behind))

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
                case Set():
                    self.write(run, step)
                    way = behind
                case Invoke():
                    if not self.repeated(run, step):
                        self.call(run, step)
                    run.arrived_at, way = self.now, behind
                case Start():
                    if not self.repeated(run, step):
                        self.start(run, step)
                    way = behind
                case Factors():
                    for factor in step.factors:
                        arm, salt = self.drawn(run, factor), factor.value.salt
                        self.expose(run, factor.path, arm, run.arrived_at, salt=salt)
                    way = behind
                case Repeat():
                    run.passes[step.path] = 1
                    way = (*step.body, Pass(step), *behind)
                case Pass(of=loop):
                    done = loop.until is not None and self.holds(loop.until, run)
                    if done or run.passes[loop.path] >= loop.times:
                        del run.passes[loop.path]
                        way = behind
                    else:
                        run.passes[loop.path] += 1
                        way = (*loop.body, step, *behind)
                case Leave():
                    self.end(run, "finished", step.reason, run.arrived_at)
                    return None
                case Wait():
                    end = self.wait_end(run, step.until)
                    if end > self.now:
                        self.rest(run, step, end)
                        return None
                    run.arrived_at, way = end, behind
                case WaitMoment():
                    moment = moment_of(self, run, step)
                    if moment is None or moment <= run.arrived_at:
                        if step.leaves:
                            self.end(run, "finished", "passed", run.arrived_at)
                            return None
                        way = behind
                    elif moment > self.now:
                        self.rest(run, step, moment)
                        return None
                    else:
                        run.arrived_at, way = moment, (*step.body, *behind)
                case WaitState():
                    end = self.wait_end(run, step.deadline)
                    if self.holds(step.condition, run):
                        way = (*step.then, *behind)
                    elif end <= self.now:
                        run.arrived_at, way = end, (*step.timeout, *behind)
                    else:
                        self.rest(run, step, end)
                        return None
                case Race():
                    self.rest(run, step, self.wait_end(run, step.deadline))
                    on = next(self.race(run, step, behind, news=False), None)
                    if on is None:
                        return None
                    way = on.way
                case Send() if self.repeated(run, step):
                    self.refuse(run, step, "repeated")
                    run.arrived_at, run.reason, way = self.now, None, behind
                case Send():
                    return self.intent(run, step)
        self.end(run, "finished", "end", run.arrived_at)
        return None

    def arm(self, run: Run, experiment: Experiment) -> Block:
        """Drawn by the customer alone, so the same at each re-entry."""
        if experiment.learns is not None:
            names = [a.name for a in experiment.arms]
            got = arm_of(self, run, experiment.path, experiment.salt, names)
            arm = next(a for a in experiment.arms if a.name == got)
        else:
            drawn = bucket(experiment.salt, run.customer)
            arm = next(a for a in experiment.arms if a.low <= drawn < a.high)
        self.expose(run, experiment.path, arm.name, run.arrived_at, salt=experiment.salt)
        return arm.body

    def drawn(self, run: Run, factor: Factor) -> str:
        """The text of a factor's value."""
        if factor.value.learned is not None:
            options = [str(option.value) for option in factor.value.options]
            return arm_of(self, run, factor.path, factor.value.salt, options)
        return str(self.reader.evaluator.value(factor.value, Subject(run=run)))

    def rest(self, run: Run, step: Resting, until: datetime) -> None:
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
            lacking=any(
                p.otherwise is not None and len(self.picked(run, p)) < p.count for p in send.picks
            ),
            open=tuple(c for c in send.candidates if c.when is None or self.holds(c.when, run)),
        )

    def picked(self, run: Run, pick: Pick) -> list[Record]:
        """The rows of a catalogue that a message shows."""
        rows = [
            row
            for row in self.reader.catalog(pick.catalog)
            if pick.where is None or self.holds(pick.where, run, row)
        ]
        rows.sort(key=lambda row: row.key)
        if pick.by is not None:
            customer = self.reader.customers[run.customer]
            subjects = [Subject(customer=customer, run=run, event=row) for row in rows]
            by = [self.reader.evaluator.value(pick.by, s) for s in subjects]
            known = [(value, n) for n, value in enumerate(by) if value is not None]
            known.sort(key=lambda v: v[0], reverse=True)
            rows = [rows[n] for _, n in known]
        return [dict(row.fields) for row in rows[: pick.count]]

    def repeated(self, run: Run, step: Send | Invoke | Start) -> bool:
        """Whether the run has been through this step in this pass: by another order of steps."""
        here = (run.run_id, step.path, run.occurrence)
        match step:
            case Send():
                return here in {(m.run_id, m.step, m.occurrence) for m in self.memory.messages}
            case Invoke():
                return here in {(c.run_id, c.step, c.occurrence) for c in self.memory.calls}
            case Start():
                # In a loop it counts anew each time that somebody comes there.
                return (run.run_id, step.path) in self.memory.started

    # --- set ------------------------------------------------------------------

    def write(self, run: Run, step: Set) -> None:
        """Seen at once by the run itself, by others from the next tick."""
        journey = self.project.journeys[run.journey]
        self.reader.written.append(
            Written(
                run=run,
                step=step.path,
                name=step.name,
                value=self.value(step.value, run),
                order=(-journey.priority, run.arrived_at, run.journey, step.path, run.run_id),
            )
        )

    def start(self, run: Run, step: Start) -> None:
        """Left for a later tick."""
        subject = Subject(customer=self.reader.customers[run.customer], run=run)
        values = {}
        for name, expression, type_ in step.values:
            value = self.reader.evaluator.value(expression, subject)
            number = type_.kind is Kind.NUMBER and value is not None
            values[name] = float(value) if number else value
        if not run.passes:
            self.memory.started.add((run.run_id, step.path))
        declared = entry_fields(self.project.journeys[step.journey].entry)
        self.memory.pending.append(
            Pending(
                journey=step.journey,
                customer=run.customer,
                key=f"{run.run_id}:{step.path}:{instant_key(run.arrived_at)}",
                at=self.now,
                entry={name: values.get(name) for name, _ in declared},
            )
        )

    def call(self, run: Run, step: Invoke) -> None:
        """No rule is asked; it goes out like a message."""
        data: dict[str, Any] = {}
        for name, given in step.values:
            if isinstance(given, Several):
                items = [self.value(item, run) for item in given.items]
                data[name] = [item for item in items if item is not None]
            else:
                data[name] = self.value(given, run)
        self.memory.calls.append(
            Called(
                journey=run.journey,
                customer=run.customer,
                run_id=run.run_id,
                step=step.path,
                occurrence=run.occurrence,
                service=step.service,
                action=step.action,
                decided_at=self.now,
                expires_at=self.now + timedelta(days=7),
                data=data,
            )
        )

    def keep_profile(self) -> None:
        """Of a run's writes the last one, of several runs' the last in the order of sends."""
        latest = {(w.run.journey, w.run.run_id, w.name): w for w in self.reader.written}
        for written in sorted(latest.values(), key=lambda w: w.order):
            self.memory.profile[written.run.customer, written.name] = written

    # --- 5. arbitrate ---------------------------------------------------------

    def arbitrate(self, standing: list[Intent]) -> list[Moving]:
        """Rank 1 of every customer, then rank 2, …: what is granted counts for the next."""
        moving = []
        for rank in _by_rank(standing):
            for intent, short in zip(rank, self.rules.rationed(rank), strict=True):
                on = self.settle(intent, self.rules.decide(intent, short))
                if on is not None:
                    moving.append(on)
        return moving

    def settle(self, intent: Intent, verdict: Verdict) -> Moving | None:
        run, send = intent.run, intent.send
        if verdict.until is not None:
            self.rest(run, send, verdict.until)
            run.reason = verdict.reason
            return None
        refused = False
        if verdict.channel is not None and send.code is not None:
            refused = draw(self.reader, self.memory, intent) is None
            verdict = Verdict(reason="no_code") if refused else verdict
        if verdict.channel is not None:
            self.memory.messages.append(message(intent, verdict.channel, self.rules))
            self.memory.charges += charges(intent, verdict.channel, self.rules)
        else:
            assert verdict.reason is not None
            self.refuse(run, send, verdict.reason)
        run.arrived_at, run.reason = self.now, None
        _, behind = self.behind(run, send.path)
        if refused and send.code is not None and send.code.reason is not None:
            behind = (Leave(reason=send.code.reason, span=send.span),)
        if verdict.reason == "too_few":
            reasons = [p.reason for p in send.picks if p.otherwise == "exit"]
            behind = (Leave(reason=reasons[0] or "exit", span=send.span),) if reasons else behind
        return Moving(run=run, way=behind)

    def refuse(self, run: Run, send: Send, reason: str) -> None:
        """No message."""
        self.memory.decisions.append(
            Decision(
                journey=run.journey,
                customer=run.customer,
                run_id=run.run_id,
                step=send.path,
                at=self.now,
                reason=reason,
            )
        )


def _by_rank(standing: Iterable[Intent]) -> list[list[Intent]]:
    """All first intents of the customers in order, then all second ones, …"""
    counts: dict[object, int] = {}
    ranks: list[list[Intent]] = []
    for intent in sorted(standing, key=lambda i: i.order):
        rank = counts[intent.run.customer] = counts.get(intent.run.customer, 0) + 1
        if rank > len(ranks):
            ranks.append([])
        ranks[rank - 1].append(intent)
    return ranks
