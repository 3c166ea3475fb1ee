"""A dry run: ticks of the real engine over a scratch database, under a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.assumptions import Assumption
from journeylang.model.expressions import MessageEvent
from journeylang.model.journey import Start
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.pictures.daily import Limit, limits
from journeylang.runtime.aside import heeding, remembered
from journeylang.runtime.localtime import zones_in_use
from journeylang.runtime.numbers import key_type, numbering
from journeylang.runtime.pinned import PastOf
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.soundness import examine
from journeylang.runtime.tick import tick
from journeylang.runtime.upgrade import Refused
from journeylang.simulate import awake
from journeylang.simulate.behaviour import Behaviour, bound_names
from journeylang.simulate.closed.traces import MOVED
from journeylang.simulate.closed.whole import play_whole
from journeylang.simulate.courses import courses
from journeylang.simulate.experiments import powers
from journeylang.simulate.figures import HELD, Figures, Since
from journeylang.simulate.fitting import fitted
from journeylang.simulate.forecast import Forecast, Load
from journeylang.simulate.population import SCHEMA, at_hand, brought_about, sampled, scaled
from journeylang.simulate.reading import needed
from journeylang.simulate.scratch import Source, never_compacted
from journeylang.simulate.skipping import may_skip, next_due
from journeylang.simulate.verdicts import verdicts, within_budget
from journeylang.simulate.wording import written
from journeylang.sql.caps import span_of_time
from journeylang.sql.relations import customers


class TooEarlyError(Exception):
    """The journeys have come further already: a dry run can begin at `latest` at the earliest."""

    def __init__(self, latest: datetime) -> None:
        super().__init__(f"the latest tick was at {latest}")
        self.latest = latest


class NotAppliedError(Exception):
    """The project can't be applied to what is in the database."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(refused[0].reason)
        self.refused = tuple(refused)


class NotClosedError(Exception):
    """Lives can't be worked out at once: `reason` stands behind "because"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be played. `start` None is the latest tick, or `now` where there was none.

    `journeys`: these and those that they start; none named is all. `share` of the
    customers are drawn. With `fit` the lines are measured in so long a time before the start.
    `budget` is what all messages together may cost. What comes of it is the same in each `mode`.
    With `trace` whole lives leave each move behind as a row, as ticks do, and not only counts.
    """

    now: datetime
    start: datetime | None = None
    days: int = 30
    step: timedelta = timedelta(hours=1)
    seed: int = 0
    share: Decimal = Decimal(1)
    journeys: tuple[str, ...] = ()
    lines: tuple[Assumption, ...] = ()
    assumed_by: str = ""
    fit: timedelta | None = None
    budget: tuple[Decimal, str] | None = None
    mode: Mode = "auto"
    trace: bool = False


COMPACTED = "256MB"
"""So much ticks write before it is compressed: rows of runs that have moved on are let go then."""

Mode = Literal["auto", "closed", "stepped"]
"""Whole lives at once (`closed`), tick by tick (`stepped`), or the first that is possible."""

Progress = Callable[[datetime, int, int], None]
"""Told before each tick: its instant, how many there were, how many there will be."""


def play(
    engine: Engine,
    source: Source,
    project: Project,
    asked: Asked,
    *,
    template_entry_fields: Mapping[str, Sequence[str]],
    templates: Mapping[str, str],
    providers: Mapping[str, str],
    rates: Mapping[str, float] | None = None,
    past: Callable[[Engine], PastOf] | None = None,
    progress: Progress = lambda _now, _done, _of: None,
) -> Forecast:
    """Play the project on an empty database beside the live one, the `source` of its rows.

    `providers` names that of each channel, `rates` tell how many messages a second leave by it,
    where that is bounded. `past` has the projects of earlier versions, of which
    people may still be on some. Nothing of the live database is written.

    Raises:
        TooEarlyError, NotAppliedError, NotClosedError: see there.
        StatementError, JourneyFailedError: the database refused a statement.
    """
    engine.execute(f"CREATE SCHEMA {SCHEMA}")
    notes: list[str] = []
    mine = source.see(engine, replace(project, assumptions={}, trials=()))
    if asked.share < 1:
        mine = scaled(mine, asked.share)
        mine = replace(mine, binding=sampled(engine, mine.binding, asked.share, asked.seed))
        notes.append("budgets, capacities and counts of guards are those of the sample's share")
    kind = key_type(engine, mine)
    base = f"(SELECT customer_id FROM {customers(mine.binding, engine.dialect, ())} AS c)"
    source.copy_state(engine, kind, asked.now, base if asked.share < 1 else None)
    mine = heeding(mine, remembered(engine))
    start = _start(engine, asked)
    end = start + timedelta(days=asked.days)
    lines, assumed_by = asked.lines, asked.assumed_by
    if asked.fit is not None:
        absent = _left_out(mine, asked.journeys)
        named = [journey for n, journey in sorted(mine.journeys.items()) if n not in absent]
        lines = tuple(fitted(engine, mine, named, start, asked.fit))
        if not any(isinstance(line.event, MessageEvent) for line in lines):
            notes.append("no messages in that time: nobody opens or clicks")
        assumed_by = f"measured over {span_of_time(int(asked.fit.total_seconds()))}"
    drawn = needed(mine, _left_out(mine, asked.journeys), lines)
    binding, happenings = brought_about(engine, mine.binding, bound_names(drawn), start)
    mine = replace(mine, binding=binding)
    unsound = examine(engine, mine, keys=False)
    notes += [f"{d.code.id} {d.message}" for d in unsound.diagnostics]
    without = unsound.journeys | _left_out(mine, asked.journeys)
    if asked.journeys and without - unsound.journeys:
        left = ", ".join(sorted(without))
        notes.append(f"left out, also where they share caps and budgets: {left}")
    several = len(mine.journeys.keys() - without) > 1
    if not unsound.diagnostics and (several or asked.mode == "stepped"):
        # Tick by tick: of several journeys it is known that they are not whole lives.
        mine = replace(mine, binding=at_hand(engine, mine.binding))
    session = prepare(
        engine,
        mine,
        now=start,
        template_entry_fields=template_entry_fields,
        templates=templates,
        without=without,
        past=None if past is None else past(engine),
    )
    if isinstance(session, list):
        raise NotAppliedError(session)
    since = Since.now(engine)
    numbers = numbering(engine).steps
    behaviour = Behaviour(
        engine=engine,
        binding=mine.binding,
        lines=drawn,
        happenings=happenings,
        seed=asked.seed,
        start=start,
        end=end,
        key_type=kind,
        steps=numbers,
    )
    behaviour.begin()
    total = -((start - end) // asked.step)
    idle: int | None = None
    stepped: str | None = "it was asked for"
    if asked.mode != "stepped":
        # What a sample says of all people rests on what each of them has done.
        stepped = play_whole(
            session,
            behaviour,
            numbers,
            since,
            start=start,
            step=asked.step,
            count=total,
            trace=asked.trace or asked.share < 1,
        )
        if stepped is not None and asked.mode == "closed":
            raise NotClosedError(stepped)
    if stepped is not None:
        with never_compacted(engine, but_at=COMPACTED):
            total, idle = _Ticks(session, behaviour, set(without), since.tick).run(
                start, end, asked.step, progress
            )
    share = float(asked.share)
    figures = Figures(
        engine=engine,
        since=since,
        share=share,
        providers=providers,
        rates=rates or {},
        moved=MOVED if stepped is None and share >= 1 else None,
    )
    with never_compacted(engine):
        figures.gather()
    plans = {plan.name: plan for plan in session.ready.program.journeys}
    last = end - asked.step
    loads = tuple(figures.loads())
    [[people]] = engine.query(f"SELECT count(*) FROM {base} AS c")
    forecast = Forecast(
        start=start,
        end=end,
        step=int(asked.step.total_seconds()),
        seed=asked.seed,
        share=share,
        customers=round(people / share),
        ticks=total,
        idle=idle,
        stepped=stepped,
        assumed=tuple(written(line) for line in lines),
        assumed_by=assumed_by,
        courses=tuple(courses(figures, mine, plans, numbers)),
        days=tuple(figures.days({plan.journey: name for name, plan in plans.items()})),
        verdicts=tuple(verdicts(engine, mine, session.ready, figures, end=last)),
        experiments=tuple(
            powers(engine, mine, session.ready, numbers, start=start, end=end, share=share)
        ),
        loads=loads,
        notes=(*notes, *_queues(loads, asked.step)),
        limits=tuple(limits(project, sorted(plans))),
    )
    if asked.budget is None:
        return forecast
    verdict = within_budget(forecast, *asked.budget)
    amount, currency = asked.budget
    limit = Limit(
        name=verdict.target, amount=float(amount), currency=currency, journeys=frozenset(plans)
    )
    return replace(
        forecast, verdicts=(*forecast.verdicts, verdict), limits=(*forecast.limits, limit)
    )


def _queues(loads: Iterable[Load], step: timedelta) -> Iterator[str]:
    """What does not leave before the next tick, at the channel's rate."""
    for load in loads:
        if load.takes is not None and load.takes > step.total_seconds():
            took = round(timedelta(seconds=load.takes) / timedelta(hours=1), 1)
            yield (
                f"{load.provider}: what is decided by {load.takes_at:%Y-%m-%d %H:%M} takes"
                f" {took:,} h to leave at the channel's rate, with one worker"
            )


def _start(engine: Engine, asked: Asked) -> datetime:
    """Not before the latest tick, for what has happened since is in the tables already."""
    if engine.columns(("journey", "lock")) is None:
        return asked.start or asked.now
    [[known]] = engine.query("SELECT max(now) FROM journey.lock WHERE name = 'tick'")
    if known is None:
        return asked.start or asked.now
    if asked.start is not None and asked.start < known:
        raise TooEarlyError(known)
    return asked.start or known


def _left_out(project: Project, named: Collection[str]) -> frozenset[str]:
    """All but the journeys named and those that they start."""
    if not named:
        return frozenset()
    kept = list(named)
    for name in kept:
        kept += {
            step.journey
            for step in steps(project.journeys[name].body)
            if isinstance(step, Start) and step.journey not in kept
        }
    return frozenset(project.journeys) - set(kept)


@dataclass(slots=True)
class _Ticks:
    session: Session
    behaviour: Behaviour
    standing: set[str]
    number: int

    def run(
        self, start: datetime, end: datetime, step: timedelta, progress: Progress
    ) -> tuple[int, int]:
        """How many instants there were, and at how many of them nothing happened."""
        skips = may_skip(self.session.ready)
        parted = self._parted(start, end, step)
        # What is known of the customers is not written to meanwhile.
        self.session.zones.settled = zones_in_use(self.session.engine, self.behaviour.binding)
        idle = done = 0
        total = -((start - end) // step)
        while done < total:
            now = start + done * step
            progress(now, done, total)
            if parted is not None:
                parted.before(now)
            self.behaviour.hear(now)
            self.number += 1
            result = tick(self.session, now, skip=self.standing)
            done += 1
            if not result.idle:
                self.session.engine.execute(HELD, {"tick": self.number})
                if result.sent:
                    self.behaviour.answer()
                continue
            idle += 1
            if skips:
                left_out = self._empty(now, start, step, total) - done
                if parted is not None and parted.until is not None:
                    # Of those who are put aside nothing is asked before they are back.
                    left_out = min(left_out, (parted.until - now) // step)
                idle += left_out
                done += left_out
        if parted is not None:
            parted.gather()
        return total, idle

    def _parted(self, start: datetime, end: datetime, step: timedelta) -> awake.Awake | None:
        """Who is put aside, if that is possible, and worth it."""
        engine = self.session.engine
        base = customers(self.behaviour.binding, engine.dialect, ())
        [[people]] = engine.query(f"SELECT count(*) FROM {base} AS c")
        if people < awake.WORTH or not awake.may_part(self.session.ready, step):
            return None
        return awake.Awake(
            session=self.session, behaviour=self.behaviour, start=start, end=end, step=step
        )

    def _empty(self, now: datetime, start: datetime, step: timedelta, total: int) -> int:
        """The number of the next instant at which something may happen."""
        found = next_due(self.session.engine, self.behaviour.binding, now)
        dues = [due for due in (found, self.behaviour.next_answer) if due is not None]
        # A run whose time has come and that does not move waits for more than time.
        later = [due for due in dues if due > now]
        if len(later) < len(dues):
            return (now - start) // step + 1
        return min(total, -((start - min(later)) // step)) if later else total
