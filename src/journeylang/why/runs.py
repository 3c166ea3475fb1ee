"""One run of a customer, line by line: where it went, and what each decision rested on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.entry import EnterByStart, EnterOn, EnterWhen
from journeylang.model.expressions import EventSource, Expression
from journeylang.model.journey import Journey
from journeylang.plan.operations import (
    ActionPark,
    Assign,
    Begin,
    Call,
    JourneyPlan,
    MomentPark,
    Park,
    RacePark,
    StatePark,
    WaitPark,
)
from journeylang.plan.taken import edges_taken, ways_to
from journeylang.why.chance import bucket
from journeylang.why.clauses import Clauses, parts, split
from journeylang.why.ledger import Enrolment, Ledger, Move
from journeylang.why.likeliest import likeliest
from journeylang.why.model import Clause, Line, Run
from journeylang.why.person import NotKept, Person
from journeylang.why.sends import Sends, park_of, run_of, state_of
from journeylang.why.wording import Wording, event_name

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Tells the runs of one journey; `plan` is that of the project's files now."""

    person: Person
    ledger: Ledger
    sends: Sends
    clauses: Clauses
    wording: Wording
    journey: Journey
    plan: JourneyPlan

    def run(self, enrolment: Enrolment) -> Run:
        """All lines of a run up to the present."""
        now = self.person.now
        moves = _chain([m for m in self.ledger.moves if m.run_id == enrolment.run_id])
        ended = enrolment.ended_at if enrolment.ended_at and enrolment.ended_at <= now else None
        over = enrolment.status != "active" and (ended is not None or not moves)
        last = moves[-1].to if moves else enrolment.step
        lines = [line for move in moves for line in self._lines(enrolment, move)]
        if not moves:
            lines = [self._drawn_out(enrolment)]
        since = run_of(enrolment)
        ahead: tuple[Clause, ...] = ()
        if not over:
            ahead = self.clauses.asked([e.condition for e in self.journey.exits], now, since)
        present = enrolment.status == "active" and enrolment.arrived_at <= now
        return Run(
            run_id=enrolment.run_id,
            version=enrolment.version,
            entered_at=enrolment.entered_at,
            status=enrolment.status if over else "active",
            reason=enrolment.reason if over or present else None,
            ended_at=ended if over else None,
            step=None if over else self.ledger.path(last),
            until=enrolment.wake_at if present and not over else None,
            lines=tuple(lines),
            ahead=ahead,
        )

    # --- a move ---------------------------------------------------------------

    def _lines(self, run: Enrolment, move: Move) -> Iterator[Line]:
        match move.why:
            case "entered":
                yield self._entered(run, move)
            case "sent" | "skipped":
                yield self.sends.decided(run, move)
            case "held":
                yield self.sends.held(run, move)
                return
            case "exit" | "gone":
                yield self._left(run, move)
                return
            case "moved":
                yield Line(
                    at=move.at,
                    kind="woke",
                    text="carried over by a new version of the journey",
                    step=self.ledger.path(move.origin),
                    reason=move.why,
                )
            case _:
                yield from self._woken(run, move)
        if move.why != "moved":
            yield from self._way(run, move)
        if move.to is None:
            yield self._left(run, move)
            return
        park = park_of(self.plan, move.to)
        if isinstance(park, WaitPark | MomentPark | StatePark | RacePark):
            yield Line(
                at=move.at,
                kind="waits",
                text=f"waits: {self._said(park)}",
                step=self.ledger.path(move.to),
            )

    def _said(self, park: Park) -> str:
        """A step as it is written, without its label and blocks."""
        text = self.wording.written(park.span)
        text = text.partition("{")[0].strip()
        label, _, rest = text.partition(": ")
        return rest if label.replace("_", "").isalnum() and rest else text

    # --- the way in -----------------------------------------------------------

    def _entered(self, run: Enrolment, move: Move) -> Line:
        conditions: list[Clause] = []
        entry = self.plan.entry
        text = "enters"
        match entry:
            case EnterOn():
                text += f": {event_name(entry.event)}{self._values(run)}"
                conditions += self._of_row(entry.event, entry.where, move, run)
            case EnterWhen():
                conditions += self.clauses.asked([entry.condition], move.now)
            case EnterByStart():
                text += f": started by another journey{self._values(run)}"
            case _:
                text += f": {self.wording.written(entry.span)}"
        if self.plan.only is not None:
            conditions += self.clauses.asked([self.plan.only], move.now)
        groups = ((self.plan.control, "the control group"), (self.plan.holdout, "the hold-out"))
        for group, name in groups:
            if group is not None:
                conditions.append(self._drawn(group.salt, group.share, name, out=False))
        return Line(at=run.entered_at, kind="entered", text=text, clauses=tuple(conditions))

    def _drawn_out(self, run: Enrolment) -> Line:
        """Who is held out, or in the control group, has a run and no way."""
        control = run.status == "global_control"
        group = self.plan.control if control else self.plan.holdout
        name = "the control group" if control else "the hold-out"
        drawn = () if group is None else (self._drawn(group.salt, group.share, name, out=True),)
        text = f"enters and is in {name}: nothing is sent, goals count"
        return Line(at=run.entered_at, kind="left", text=text, reason=run.status, clauses=drawn)

    def _drawn(self, salt: str, share: int, name: str, *, out: bool) -> Clause:
        mine = bucket(salt, self.person.key_text)
        return Clause(
            text=f"{'in' if out else 'not in'} {name}: bucket {mine:,} of 10,000,"
            f" {name} below {share:,}",
            holds=(mine < share) is out,
        )

    def _values(self, run: Enrolment) -> str:
        """What of the event the run has kept, without personal data."""
        hidden = self.wording.personal.of_entry(self.journey)
        kept = json.loads(run.entry) if run.entry else {}
        shown = ", ".join(
            f"{name}: {'(personal)' if name in hidden and value is not None else _plain(value)}"
            for name, value in kept.items()
        )
        return f" {{ {shown} }}" if shown else ""

    def _of_row(
        self,
        event: EventSource,
        where: Expression | None,
        move: Move,
        run: Enrolment,
    ) -> list[Clause]:
        """What was asked of the row of an event at an instant."""
        if where is None:
            return []
        wanted = split(where)
        nodes = [n for c in wanted for n in parts(self.clauses.project, c)]
        rows = self.person.rows_of(
            event, nodes, move.now, run=run_of(run), since=run.entered_at - _INSTANT, most=50
        )
        same = [row for row in rows if row.at == run.entered_at]
        met = [row for row in same if all(row.values[c] is True for c in wanted)]
        return [self.clauses.clause(c, row.values) for row in (met or same)[:1] for c in wanted]

    # --- out of a step --------------------------------------------------------

    def _woken(self, run: Enrolment, move: Move) -> Iterator[Line]:
        park, path = park_of(self.plan, move.origin), self.ledger.path(move.origin)
        clauses: tuple[Clause, ...] = ()
        match move.why:
            case "due":
                text = "the wait is over"
            case "timeout":
                text = "nothing came in time"
                if isinstance(park, StatePark):
                    text = "it did not come true in time"
                    clauses = self.clauses.asked([park.condition], move.now, run_of(run))
            case "state":
                text = "it came true"
                if isinstance(park, StatePark):
                    clauses = self.clauses.asked([park.condition], move.now, run_of(run))
            case "event":
                text, clauses = self._event(park, run, move)
            case "done":
                yield self._acted(park, run, move)
                return
            case _:
                text = move.why
        yield Line(at=move.at, kind="woke", text=text, step=path, reason=move.why, clauses=clauses)

    def _event(
        self, park: Park | None, run: Enrolment, move: Move
    ) -> tuple[str, tuple[Clause, ...]]:
        if not isinstance(park, RacePark):
            return "an awaited event came", ()
        for branch in park.branches:
            wanted = () if branch.where is None else split(branch.where)
            nodes = [n for c in wanted for n in parts(self.clauses.project, c)]
            rows = self.person.rows_of(
                branch.event, nodes, move.now, run=run_of(run), since=move.at, most=50
            )
            for row in rows:
                if row.at == move.at and all(row.values[c] is True for c in wanted):
                    shown = tuple(self.clauses.clause(c, row.values) for c in wanted)
                    return f"{event_name(branch.event)} came", shown
        names = " or ".join(dict.fromkeys(event_name(b.event) for b in park.branches))
        return f"{names} came", ()

    def _acted(self, park: Park | None, run: Enrolment, move: Move) -> Line:
        path = self.ledger.path(move.origin)
        if not isinstance(park, ActionPark):
            return Line(at=move.at, kind="set", text="done", step=path)
        match park.act:
            case Assign():
                value = self.person.ask([park.act.value], move.now, run_of(run))[park.act.value]
                shown = self.wording.value(park.act.value, value)
                text = f"set {park.act.name} = {self.wording.of(park.act.value)}"
                return Line(at=move.at, kind="set", text=f"{text}: {shown}", step=None)
            case Begin():
                return Line(
                    at=move.at, kind="started", text=f"starts `{park.act.journey}`", step=path
                )
            case Call():
                call = self.sends.message(run, move)
                told = f'calls {park.act.service} "{park.act.action}"'
                return Line(
                    at=move.at,
                    kind="called",
                    text=told + (state_of(call) if call else ""),
                    step=path,
                )
            case _:
                assert_never(park.act)

    # --- the way on, and out --------------------------------------------------

    def _way(self, run: Enrolment, move: Move) -> Iterator[Line]:
        """Branches and arms between two steps."""
        exited = run.status in ("exited", "gone") and move.to is None
        if exited:
            return
        ways = ways_to(edges_taken(self.plan, move.origin, move.why), move.to, run.reason)
        conditions = list(dict.fromkeys(c for way in ways for c, _ in way.choices))
        if not ways:
            return
        asked = {n: None for c in conditions for n in parts(self.clauses.project, c)}
        values = self.person.ask(list(asked), move.now, run_of(run)) if asked else {}
        arms = {e.experiment: e.arm for e in self.ledger.exposed}
        arms |= {step: arms[kept] for step, kept in self.plan.kept or () if kept in arms}
        way = likeliest(ways, values, arms)
        if way is None:
            return
        salts = dict(self.plan.salts)
        for step, arm in way.leaf.exposures:
            named = arm or arms.get(step, "?")
            salt = salts.get(step, "")
            drawn = f": bucket {bucket(salt, self.person.key_text):,} of 10,000" if salt else ""
            yield Line(
                at=move.at, kind="arm", text=f"arm `{named}`{drawn}", step=self.ledger.path(step)
            )
        park = park_of(self.plan, move.to)
        for condition, taken in way.choices:
            if isinstance(park, StatePark) and park.condition == condition and not taken:
                # What is waited for was not true already.
                continue
            clause = self.clauses.clause(condition, values)
            otherwise = values.get(condition) is (not taken)
            told = "" if not otherwise else "; the tables say otherwise now"
            text = f"if {clause.text}: {'yes' if taken else 'no'}{told}"
            unknown = isinstance(values.get(condition), NotKept)
            yield Line(at=move.at, kind="branch", text=text, clauses=() if unknown else (clause,))

    def _left(self, run: Enrolment, move: Move) -> Line:
        clauses: tuple[Clause, ...] = ()
        text = f"leaves as `{run.reason}`"
        if run.status in ("held_out", "global_control"):
            text = "nothing is sent to who is drawn so; goals count"
        elif run.status == "gone":
            text = "leaves: no longer among the customers"
        elif run.status == "exited":
            met = [e.condition for e in self.journey.exits if e.reason == run.reason]
            clauses = self.clauses.asked(met, move.now, run_of(run))
        elif run.reason == "end":
            text = "leaves at the end"
        return Line(at=move.at, kind="left", text=text, reason=run.reason, clauses=clauses)


def _plain(value: object) -> str:
    return "unknown" if value is None else json.dumps(value, ensure_ascii=False)


def _chain(moves: Sequence[Move]) -> list[Move]:
    """Moves in the order in which they were made: within a tick each begins where one ended."""
    waiting = sorted(moves, key=lambda m: (m.tick, m.at))
    found: list[Move] = []
    here: int | None = None
    while waiting:
        tick = waiting[0].tick
        following = [m for m in waiting if m.tick == tick and m.origin == here]
        # Held, and sent all the same in a later round: the hold came first.
        following.sort(key=lambda m: m.at)
        taken = following[0] if following else waiting[0]
        waiting.remove(taken)
        found.append(taken)
        here = taken.to
    return found
