"""How people have behaved: measured in the ledger and the bound tables, as assumptions.

Everybody is taken to be alike: what is measured is a share of all messages by a channel, and of
all customers per time. What brings about what is not measured, for rows do not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.engines.base import Engine
from journeylang.model.assumptions import Assumption
from journeylang.model.entry import EnterBySchedule, EnterJoins, EnterOn, EnterWhen
from journeylang.model.expressions import BoundEvent, EventSource, Expression, MessageEvent
from journeylang.model.journey import Experiment, Factors, Journey, Race
from journeylang.model.project import Project
from journeylang.model.steps import expressions, steps
from journeylang.model.walk import sources, walk
from journeylang.source import Span
from journeylang.sql.relations import customers, event
from journeylang.sql.scope import definitions

RIPE = timedelta(days=3)
"""Answers to younger messages may still be on their way: these are left out."""

PERIODS = tuple(n * 3600 for n in (30 * 24, 7 * 24, 24, 6, 1))
MOST = Decimal("0.25")
"""An event happens once at most in a period: the longest in which so few have it is taken."""

_NOWHERE = Span("", 0, 0)

# Twice the mean, for what is drawn is spread evenly over the time.
_ANSWERS = """SELECT m.channel, f.name, count(DISTINCT m.message_id),
  CAST(ceil(2 * avg(epoch(f."at" - m.decided_at))) AS BIGINT)
FROM journey.message AS m
JOIN journey.message_event AS f ON f.customer_id = m.customer_id AND f.message_id = m.message_id
WHERE m.action IS NULL AND m.decided_at > $since AND m.decided_at <= $until AND f."at" <= $start
GROUP BY ALL ORDER BY ALL"""
_MESSAGES = """SELECT m.channel, count(*) FROM journey.message AS m
WHERE m.action IS NULL AND m.decided_at > $since AND m.decided_at <= $until GROUP BY ALL"""
_FINEST = Decimal("0.000001")


def fitted(
    engine: Engine, project: Project, journeys: Iterable[Journey], start: datetime, span: timedelta
) -> Iterator[Assumption]:
    """What happened in the time before `start`, of all that these journeys ask for."""
    if engine.columns(("journey", "message")) is not None:
        yield from _answers(engine, start, span)
    seconds = int(span.total_seconds())
    base = customers(project.binding, engine.dialect, ())
    [[people]] = engine.query(f"SELECT count(*) FROM {base} AS c")
    for name in _asked(project, journeys):
        source = BoundEvent(name=name, span=_NOWHERE)
        [[rows]] = engine.query(
            f"SELECT count(*) FROM {event(project.binding, source, (), engine.dialect)} AS e"
            f' JOIN {base} AS c ON c.customer_id = e.customer_id WHERE e."_at" > $since'
            ' AND e."_at" <= $start',
            {"since": start - span, "start": start},
        )
        if rows and people:
            each = Decimal(rows) / people / seconds
            period = next((p for p in PERIODS if each * p <= MOST), PERIODS[-1])
            chance = min((each * period).quantize(_FINEST), Decimal(1))
            yield Assumption(event=source, chance=chance, seconds=period, per=True, span=_NOWHERE)


def _answers(engine: Engine, start: datetime, span: timedelta) -> Iterator[Assumption]:
    given = {"since": start - span, "until": start - RIPE, "start": start}
    sent = dict(engine.query(_MESSAGES, {k: v for k, v in given.items() if k != "start"}))
    for channel, name, messages, seconds in engine.query(_ANSWERS, given):
        yield Assumption(
            event=MessageEvent(name=name, channel=channel, span=_NOWHERE),
            chance=(Decimal(messages) / sent[channel]).quantize(_FINEST),
            seconds=max(seconds, 1),
            span=_NOWHERE,
        )


def _asked(project: Project, journeys: Iterable[Journey]) -> list[str]:
    """Events of the database that the journeys are entered by, wait for, aim at or ask for."""
    named = definitions(project)
    found: dict[str, None] = {}
    for journey in journeys:
        nodes = [node for asked in _conditions(journey) for node in walk(asked, named)]
        for source in (*_events(journey), *sources(nodes)):
            if isinstance(source, BoundEvent):
                bound = project.binding.events[source.name]
                found[bound.origin or bound.name] = None
    return list(found)


def _conditions(journey: Journey) -> Iterator[Expression]:
    yield from expressions(journey)
    match journey.entry:
        case EnterWhen(condition=asked) | EnterJoins(inside=asked):
            yield asked
        case EnterBySchedule(condition=asked) | EnterOn(where=asked):
            if asked is not None:
                yield asked
        case _:
            pass


def _events(journey: Journey) -> Iterator[EventSource]:
    if isinstance(journey.entry, EnterOn):
        yield journey.entry.event
    yield from (goal.event for goal in journey.goals)
    for step in steps(journey.body):
        if isinstance(step, Race):
            yield from (branch.event for branch in step.branches)
        if isinstance(step, Experiment | Factors) and step.goal is not None:
            yield step.goal.event
