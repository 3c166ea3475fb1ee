"""One dry run by whole lives, or the reason why it has to go hour by hour."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta

from journeylang.runtime.localtime import ZoneTables, zones_in_use
from journeylang.runtime.session import Session
from journeylang.simulate.behaviour import Behaviour, Steps
from journeylang.simulate.closed.entering import Entering
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.guards import would_pause
from journeylang.simulate.closed.lives import DEEPEST, Lives, TooManyRunsError
from journeylang.simulate.closed.people import People
from journeylang.simulate.closed.possible import why_not
from journeylang.simulate.closed.sends import Sends
from journeylang.simulate.closed.stage import Stage
from journeylang.simulate.closed.traces import Traces
from journeylang.simulate.closed.underway import Underway
from journeylang.simulate.figures import Since
from journeylang.simulate.scratch import never_compacted
from journeylang.sql.compiler import Compiler


class _GuardError(Exception):
    """A guard would pause the journey: from then on its ticks are not each for themselves."""


def play_whole(
    session: Session,
    behaviour: Behaviour,
    steps: Steps,
    since: Since,
    *,
    start: datetime,
    step: timedelta,
    count: int,
    trace: bool,
) -> str | None:
    """Play all ticks at once; why that is not possible, with nothing changed, or None."""
    engine, ready = session.engine, session.ready
    [[latest]] = engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")
    grid = Grid(start=start, step=step, count=count, since=latest)
    reason = why_not(engine, ready, grid, session.applied, behaviour.lines)
    if reason is not None:
        return reason
    (plan,) = ready.program.journeys
    binding = ready.project.binding.customers
    assert binding is not None, "checked: a project with journeys binds customers"
    in_use = zones_in_use(engine, ready.project.binding)
    compiler = Compiler(project=ready.project, dialect=engine.dialect, steps=steps)
    people = People(compiler=compiler, plan=plan)
    entering = Entering(
        compiler=compiler,
        plan=plan,
        grid=grid,
        people=people,
        applied=session.applied[plan.journey],
    )
    stage = Stage(
        session=session,
        compiler=compiler,
        plan=plan,
        grid=grid,
        people=people,
        underway=Underway(dialect=engine.dialect, plan=plan, grid=grid, people=people),
        traces=Traces(
            journey=plan.journey,
            version=ready.versions[plan.journey],
            last=engine.dialect.instant(grid.last),
            trace=trace,
            entry="w.entry" if plan.entry_fields else "NULL",
        ),
        number=since.tick + 1,
        since=entering.since,
    )
    sends = Sends(stage=stage, behaviour=copy(behaviour), first_batch=since.batch)
    lives = Lives(stage=stage, entering=entering, sends=sends, zones=in_use)
    zones = ZoneTables(ahead=grid.last - start + timedelta(days=2))
    try:
        with never_compacted(engine), engine.transaction():
            zones.cover(
                engine,
                ready.program,
                in_use,
                binding.zone_else,
                low=min(entering.since, start),
                now=start,
            )
            lives.play()
            if would_pause(engine, plan, grid, session.applied[plan.journey]):
                raise _GuardError
    except _GuardError:
        return "a guard would pause it"
    except TooManyRunsError:
        return f"somebody enters it more than {DEEPEST} times"
    finally:
        session.zones.forget()
    return None
