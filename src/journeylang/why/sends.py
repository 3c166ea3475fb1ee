"""What came of somebody at a send: a message, a hold or a non-send, with the rules behind it."""

from __future__ import annotations

from datetime import timedelta

from journeylang.classes import dataclass
from journeylang.plan.operations import JourneyPlan, Park, SendPark
from journeylang.why.ledger import Enrolment, Ledger, Message, Move, Refusal
from journeylang.why.model import Line, Rule
from journeylang.why.person import Since
from journeylang.why.rules import Rules, Standing, openings, waiting
from journeylang.why.wording import Wording


def park_of(plan: JourneyPlan, step: int | None) -> Park | None:
    """Where a run rests, or acts, at a step."""
    return next((p for p in plan.parks if p.step == step), None)


def run_of(run: Enrolment) -> Since:
    """A run, as expressions speak of it."""
    return Since(run_id=run.run_id, entered_at=run.entered_at, entry=run.entry)


def state_of(message: Message) -> str:
    """What has become of a message, behind a colon."""
    detail = f" ({message.detail})" if message.detail and message.state != "accepted" else ""
    return f": {message.state}{detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """Tells the decisions at the sends of one journey."""

    ledger: Ledger
    rules: Rules
    wording: Wording
    plan: JourneyPlan

    def message(self, run: Enrolment, move: Move) -> Message | None:
        mine = [
            m
            for m in self.ledger.messages
            if m.run_id == run.run_id and m.step == move.origin and m.at <= move.now
        ]
        return next((m for m in mine if m.at == move.now), mine[-1] if mine else None)

    def decided(self, run: Enrolment, move: Move) -> Line:
        path = self.ledger.path(move.origin)
        if move.why == "sent":
            message = self.message(run, move)
            if message is None:
                return Line(at=move.now, kind="sent", text="sent", step=path)
            said = "".join(f", {name} {self.wording.clock(at)}" for name, at in message.said)
            text = f"sent by {message.channel}{state_of(message)}{said}"
            return Line(at=move.now, kind="sent", text=text, step=path)
        refusal = self._refusal(run, move)
        reason = refusal.reason if refusal is not None else None
        rules = self._against(run, move, refusal)
        return Line(
            at=move.now,
            kind="not_sent",
            text=f"not sent: {reason or 'skipped'}{self._limit(run, move)}",
            step=path,
            reason=reason,
            rules=rules,
            needs=openings(rules),
        )

    def _limit(self, run: Enrolment, move: Move) -> str:
        """Whether it was decided only when its time was over."""
        park = park_of(self.plan, move.origin)
        arrived = [
            m.at for m in self.ledger.moves if m.run_id == run.run_id and m.to == move.origin
        ]
        arrived = [at for at in arrived if at <= move.now]
        if not isinstance(park, SendPark) or not arrived:
            return ""
        limit = arrived[-1] + timedelta(seconds=park.limit)
        return f"; its time was over {self.wording.clock(limit)}" if move.now >= limit else ""

    def _refusal(self, run: Enrolment, move: Move) -> Refusal | None:
        return next(
            (
                r
                for r in self.ledger.refusals
                if r.run_id == run.run_id and r.step == move.origin and r.tick == move.tick
            ),
            None,
        )

    def _against(self, run: Enrolment, move: Move, refusal: Refusal | None) -> tuple[Rule, ...]:
        park = park_of(self.plan, move.origin)
        if not isinstance(park, SendPark):
            return ()
        return self.rules.against(
            Standing(
                park=park,
                at=move.now,
                run=run_of(run),
                reason=refusal.reason if refusal is not None else None,
                figures=refusal.figures if refusal is not None else {},
            )
        )

    def held(self, run: Enrolment, move: Move) -> Line:
        rules = self._against(run, move, None)
        present = run.status == "active" and run.step == move.to and run.wake_at is not None
        latest = [m for m in self.ledger.moves if m.run_id == run.run_id][-1]
        until = ""
        if present and latest is move and run.wake_at is not None:
            until = f", tried again {self.wording.clock(run.wake_at)}"
        why = waiting(rules) or "a rule"
        return Line(
            at=move.now,
            kind="held",
            text=f"held: {why}{until}",
            step=self.ledger.path(move.origin),
            reason=why,
            rules=rules,
            needs=openings(rules),
        )
