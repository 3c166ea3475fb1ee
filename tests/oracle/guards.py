"""Guards, and journeys that stand still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.model.entry import EnterWhen
from journeylang.model.journey import Journey
from journeylang.model.measures import Target
from tests.oracle import results
from tests.oracle.facts import Decision, Message, Pause, Run
from tests.oracle.stage import Moving, Stage

EVENTS = {
    "open_rate": "opened",
    "click_rate": "clicked",
    "bounce_rate": "bounced",
    "complaint_rate": "complained",
    "unsubscribe_rate": "unsubscribed",
}
ENOUGH = 200


def judge(stage: Stage) -> None:
    """What no longer holds pauses its journey."""
    for journey in stage.project.journeys.values():
        if not stage.paused(journey.name) and any(
            not _holds(stage, journey, guard)
            for guard in journey.guards
            if guard.measure != "entries"
        ):
            _pause(stage, journey)


def _pause(stage: Stage, journey: Journey) -> None:
    stage.memory.pauses.append(
        Pause(journey=journey.name, since=stage.now, after=stage.previous, cause="guard")
    )


def _since(stage: Stage, journey: Journey, guard: Target) -> datetime:
    """From when on it counts: the window, and nothing from before the last pause."""
    ends = [p.until for p in stage.memory.pauses if p.journey == journey.name and p.until]
    edge = [stage.now - timedelta(seconds=guard.over)] if guard.over is not None else []
    return max([datetime.fromisoformat("1970-01-01"), *ends, *edge])


def _holds(stage: Stage, journey: Journey, guard: Target) -> bool:
    if guard.measure in ("conversion", "roi", "revenue", "orders", "leads"):
        return results.holds(stage, journey, guard)
    since = _since(stage, journey, guard)
    messages = [
        m
        for m in stage.memory.messages
        if m.journey == journey.name
        and guard.channel in (None, m.channel)
        and m.decided_at > since
        and (m.run_id, m.step, m.decided_at) not in stage.reader.tables.given_back
    ]
    if guard.measure == "sends":
        return guard.holds(Decimal(len(messages)))
    if guard.measure == "cost":
        return guard.holds(
            sum((stage.reader.tables.cost(m) or Decimal(0) for m in messages), Decimal(0))
        )
    if len(messages) < ENOUGH:
        return True
    hit = sum(1 for m in messages if _happened(stage, m, EVENTS[guard.measure]))
    return guard.holds(Decimal(hit) / len(messages))


def _happened(stage: Stage, message: Message, name: str) -> bool:
    return any(
        f["name"] == name
        and (f["run_id"], f["step"]) == (message.run_id, message.step)
        and f["at"] <= stage.now
        for f in stage.reader.tables.feedback
    )


def let_in(stage: Stage, journey: Journey, entering: Iterator[Moving]) -> list[Moving]:
    """Who enters: nobody into a journey that is paused, or that too many would enter."""
    memory = stage.memory
    if stage.paused(journey.name) and isinstance(journey.entry, EnterWhen):
        return []
    runs, exposures = len(memory.runs), len(memory.exposures)
    moving = list(entering)
    fresh = memory.runs[runs:]
    if not fresh:
        return moving
    reason = "paused"
    if not stage.paused(journey.name):
        if all(_fits(stage, journey, g) for g in journey.guards if g.measure == "entries"):
            return moving
        reason = "guard"
        _pause(stage, journey)
    del memory.runs[runs:]
    del memory.exposures[exposures:]
    if not isinstance(journey.entry, EnterWhen):
        memory.decisions += [_refused(stage, run, reason) for run in fresh]
    return []


def _fits(stage: Stage, journey: Journey, guard: Target) -> bool:
    since = _since(stage, journey, guard)
    entries = [r for r in stage.memory.runs if r.journey == journey.name and r.entered_at > since]
    return guard.holds(Decimal(len(entries)))


def _refused(stage: Stage, run: Run, reason: str) -> Decision:
    return Decision(
        journey=run.journey,
        customer=run.customer,
        run_id=run.run_id,
        step=None,
        at=stage.now,
        reason=reason,
    )
