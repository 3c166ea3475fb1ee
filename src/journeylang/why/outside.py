"""Why somebody has not entered: what the way in asks, condition by condition, and near misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.model.entry import (
    EnterBySchedule,
    EnterByStart,
    EnterJoins,
    EnterOn,
    EnterWhen,
)
from journeylang.model.journey import Journey, Start
from journeylang.model.steps import steps
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.zones import local, resolve
from journeylang.why.chance import bucket, hash60
from journeylang.why.clauses import Clauses, parts, split
from journeylang.why.ledger import Enrolment, Ledger, Refusal
from journeylang.why.model import Clause, Line, Outside, Shown
from journeylang.why.person import Person, Row
from journeylang.why.wording import Wording, event_name

ROWS = 20
"""So many of the newest rows of a trigger are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The way into one journey for one customer."""

    person: Person
    ledger: Ledger
    clauses: Clauses
    wording: Wording
    journey: Journey
    plan: JourneyPlan

    @property
    def _runs(self) -> list[Enrolment]:
        return [r for r in self.ledger.runs if r.journey == self.plan.journey]

    # --- not in ---------------------------------------------------------------

    def outside(self) -> Outside:
        """What has to be so for the customer to enter, as of the present."""
        standing = list(self._standing())
        if not self.person.there:
            return Outside(clauses=tuple(standing[:1]), needs=standing[0].needs)
        if any(c.holds is False and not c.needs for c in standing):
            # For good: whatever else holds makes no difference.
            return Outside(clauses=tuple(standing), needs=())
        clauses = [*standing, *self._trigger(), *self._only(self.person.now)]
        notes = list(self._notes())
        needs = tuple(dict.fromkeys(n for c in clauses if c.holds is False for n in c.needs))
        if any(c.holds is False and not c.needs for c in clauses):
            needs = ()
            notes.append(
                "it does not come about by itself: something that happened stands against it"
            )
        if all(c.holds for c in clauses):
            notes.append("nothing stands against it: enters at the next tick that looks")
        return Outside(clauses=tuple(clauses), needs=needs, notes=tuple(notes))

    def _standing(self) -> Iterator[Clause]:
        """What is asked of everybody, whatever the way in."""
        now, clock = self.person.now, self.wording.clock
        bound = self.person.whole.binding.customers
        assert bound is not None
        if not self.person.there:
            where = f" with {self.wording.of(bound.only_where)}" if bound.only_where else ""
            text = f"in the customers: {bound.table}{where}"
            yield Clause(text=text, holds=False, needs=(f"a row in {bound.table}{where}",))
        for pause in self.ledger.pauses:
            if pause.journey == self.plan.journey and (pause.until is None or pause.until > now):
                yield Clause(
                    text=f"not paused: by {pause.cause} since {clock(pause.since)}",
                    holds=False,
                    values=(Shown(of="why", value=pause.detail),) if pause.detail else (),
                    needs=(f"`journey resume {self.plan.name}`",),
                )
        runs = self.plan.runs
        if runs is not None:
            early = runs.start is not None and now < runs.start
            late = runs.end is not None and now >= runs.end
            needs: tuple[str, ...] = ()
            if early and runs.start is not None:
                needs = (f"after {clock(runs.start)}",)
            elif late:
                needs = ("a later `runs … until`",)
            yield Clause(
                text=self.wording.written(runs.span), holds=not (early or late), needs=needs
            )
        yield from self._again(now)

    def _again(self, now: datetime) -> Iterator[Clause]:
        """The rule of re-entry."""
        before = self._runs
        rule = self.plan.reenter
        if not before or rule.rule == "always" or self._per:
            return
        latest = before[-1].entered_at
        value = (Shown(of="the latest entry", value=self.wording.clock(latest)),)
        if rule.rule == "never":
            yield Clause(text="reenter never", holds=False, values=value)
            return
        free = self._free(latest)
        yield Clause(
            text=f"reenter after {rule.days}d",
            holds=now >= free,
            values=value,
            needs=() if now >= free else (f"after {self.wording.clock(free)}",),
        )

    def _free(self, latest: datetime) -> datetime:
        """The first instant of the local day from which on an entry may follow."""
        tz = self.person.tz
        day = local(tz, latest).date() + timedelta(days=self.plan.reenter.days)
        return resolve(tz, datetime.combine(day, datetime.min.time()))

    @property
    def _per(self) -> bool:
        return isinstance(self.plan.entry, EnterOn) and self.plan.entry.per is not None

    def _trigger(self) -> Iterator[Clause]:
        entry, now = self.plan.entry, self.person.now
        match entry:
            case EnterOn():
                yield from self._event(entry)
            case EnterWhen():
                yield from self.clauses.asked([entry.condition], now)
            case EnterJoins():
                yield from self._joins(entry)
            case EnterBySchedule():
                when = self.wording.written(entry.span)
                yield Clause(text=when, holds=None, needs=(f"the next time of `{when}`",))
                if entry.condition is not None:
                    yield from self.clauses.asked([entry.condition], now)
            case EnterByStart():
                names = ", ".join(f"`{name}`" for name in self._starters()) or "no journey"
                yield Clause(
                    text=f"started by another journey ({names} may)",
                    holds=False,
                    needs=(f"a `start {self.plan.name}` in {names}",),
                )

    def _event(self, entry: EnterOn) -> Iterator[Clause]:
        name = event_name(entry.event)
        wanted = () if entry.where is None else split(entry.where)
        where = "" if entry.where is None else f" where {self.wording.of(entry.where)}"
        fresh = [row for row in self._rows(entry) if not self._known(row)]
        need = f"1 more {name}{where}" if self._runs else f"1 {name}{where}"
        text = f"a new {name}{where}"
        if not fresh:
            yield Clause(text=text, holds=False, needs=(need,))
            return
        for row in fresh[:3]:
            mine = tuple(self.clauses.clause(c, row.values) for c in wanted)
            if all(c.holds is True for c in mine):
                # It fulfils what is asked, and yet nothing came of it.
                shown = Shown(of=name, value=f"{self.wording.clock(row.at)}, came too late")
                yield Clause(text=text, holds=False, values=(shown,), needs=(need,))
                return
        near = fresh[0]
        yield Clause(
            text=text,
            holds=False,
            values=(Shown(of=f"the newest {name}", value=self.wording.clock(near.at)),),
            parts=tuple(self.clauses.clause(c, near.values) for c in wanted),
            needs=(need,),
        )

    def _rows(self, entry: EnterOn) -> list[Row]:
        """The newest rows since the journey's first apply."""
        wanted = () if entry.where is None else split(entry.where)
        nodes = [n for c in wanted for n in parts(self.clauses.project, c)]
        since = self.ledger.applied.get(self.plan.journey)
        rows = self.person.rows_of(entry.event, nodes, self.person.now, since=since, most=ROWS)
        return [row for row in rows if since is None or row.at > since]

    def run_of(self, row: Row) -> int:
        """The id of the run that a row of the trigger leads to."""
        return hash60(self.plan.name, self.person.key_text, row.key)

    def _known(self, row: Row) -> bool:
        """Whether a row has led to a run, or to a non-entry that is on record."""
        mine = self.run_of(row)
        entered = any(r.run_id == mine for r in self.ledger.runs)
        return entered or any(r.run_id == mine for r in self.ledger.refusals)

    def _joins(self, entry: EnterJoins) -> Iterator[Clause]:
        inside = self.clauses.asked([entry.inside], self.person.now)
        yield from inside
        rows = self.person.engine.query(
            "SELECT 1 FROM journey.member WHERE customer_id ="
            f" {self.person.key} AND journey = {self.plan.journey}"
        )
        if all(c.holds for c in inside) and rows:
            yield Clause(
                text="comes in from outside: was inside already when last looked at",
                holds=False,
                needs=("to be outside at one look, and inside at a later one",),
            )

    def _only(self, at: datetime) -> Sequence[Clause]:
        only = self.plan.only
        return () if only is None else self.clauses.asked([only], at)

    def _starters(self) -> list[str]:
        return [
            name
            for name, journey in self.clauses.project.journeys.items()
            if any(
                isinstance(s, Start) and s.journey == self.plan.name for s in steps(journey.body)
            )
        ]

    def _notes(self) -> Iterator[str]:
        """What would become of somebody who enters."""
        groups = ((self.plan.control, "the control group"), (self.plan.holdout, "the hold-out"))
        for group, name in groups:
            if group is not None and bucket(group.salt, self.person.key_text) < group.share:
                yield f"who enters is in {name}, and gets nothing"
        if isinstance(self.plan.entry, EnterOn) and not self._runs:
            since = self.ledger.applied.get(self.plan.journey)
            event = self.plan.entry.event
            early = self.person.rows_of(event, [], since, most=1) if since is not None else []
            if early:
                at = self.wording.clock(early[0].at)
                yield f"the {event_name(event)} of {at} was before the journey was applied"

    # --- was not let in -------------------------------------------------------

    def refused(self) -> tuple[Line, ...]:
        """Non-entries on record, each with why."""
        mine = [
            r for r in self.ledger.refusals if r.journey == self.plan.journey and r.step is None
        ]
        by_run: dict[int, Row] = {}
        if mine and isinstance(self.plan.entry, EnterOn):
            by_run = {self.run_of(row): row for row in self._rows(self.plan.entry)}
        return tuple(self._refusal(r, by_run.get(r.run_id)) for r in mine)

    def _refusal(self, refusal: Refusal, row: Row | None) -> Line:
        clock = self.wording.clock
        of = ""
        if row is not None and isinstance(self.plan.entry, EnterOn):
            of = f" by the {event_name(self.plan.entry.event)} of {clock(row.at)}"
        clauses: tuple[Clause, ...] = ()
        needs: tuple[str, ...] = ()
        told = ""
        before = [r for r in self._runs if r.entered_at <= refusal.at]
        match refusal.reason:
            case "active" if before:
                since = next((r for r in reversed(before) if _is_in(r, refusal.at)), before[-1])
                told = f": was in since {clock(since.entered_at)}"
                needs = ("to have left",)
            case "reentry" if before and self.plan.reenter.rule == "after":
                free = self._free(before[-1].entered_at)
                told = f": reenter after {self.plan.reenter.days}d, was in"
                told += f" {clock(before[-1].entered_at)}"
                needs = (f"after {clock(free)}",)
            case "reentry" if before:
                told = f": reenter never, was in {clock(before[-1].entered_at)}"
            case "audience":
                clauses = tuple(self._only(refusal.at))
                needs = tuple(n for c in clauses for n in c.needs)
            case "guard" | "paused":
                pauses = [p for p in self.ledger.pauses if p.journey == self.plan.journey]
                pause = next((p for p in reversed(pauses) if p.since <= refusal.at), None)
                if pause is not None:
                    told = f": paused by {pause.cause} since {clock(pause.since)}"
                    told += f" ({pause.detail})" if pause.detail else ""
            case _:
                pass
        return Line(
            at=refusal.at,
            kind="refused",
            text=f"not let in{of}: {refusal.reason}{told}",
            reason=refusal.reason,
            clauses=clauses,
            needs=needs,
        )


def _is_in(run: Enrolment, at: datetime) -> bool:
    return run.entered_at <= at and (run.ended_at is None or run.ended_at >= at)
