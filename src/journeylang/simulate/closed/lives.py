"""Whole lives of runs, in a few statements for each step, in the order of the steps.

Everybody who ever comes to a step is there at once, each with the tick that brings them (`now`)
and their own arrival. What a tick would ask of them is asked at that instant: of rows that lie
ahead of it nothing is seen. What is left behind is what ticks would leave in the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.classes import dataclass
from journeylang.plan.operations import ActionPark, Call, RacePark, SendPark, WaitPark
from journeylang.simulate.closed.calls import call
from journeylang.simulate.closed.digests import CREATE_FIRST60
from journeylang.simulate.closed.entering import CANDIDATES, ENTERED, LATEST, ONE, Entering
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.people import zone_type
from journeylang.simulate.closed.rests import rest
from journeylang.simulate.closed.sending import clocks
from journeylang.simulate.closed.sends import Sends
from journeylang.simulate.closed.stage import Stage
from journeylang.simulate.closed.traces import CREATE_MOVED, MOVED
from journeylang.simulate.closed.ways import in_order
from journeylang.sql.schema import ACTIVE, WHY

DEEPEST = 200
"""So many runs of one customer, one after the other, are looked at."""


class TooManyRunsError(Exception):
    """Somebody enters again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Of one journey, that `why_not` has nothing against.

    `zones` are those of the customers, as they stand there.
    """

    stage: Stage
    entering: Entering
    sends: Sends
    zones: Sequence[str]

    def play(self) -> None:
        """All of it; TooManyRunsError if one customer has too many runs, one after the other."""
        stage = self.stage
        self.sends.behaviour.tell(stage.grid.last, stage.grid.tick('"at"'))
        stage.exposed_before = bool(stage.ask("SELECT 1 FROM journey.exposure LIMIT 1"))
        for statement in (CREATE_MOVED, CREATE_FIRST60, zone_type(self.zones), *clocks(stage.grid)):
            stage.do(statement)
        [[oldest]] = stage.ask(stage.underway.oldest())
        if oldest is not None:
            for statement in stage.underway.taken():
                stage.do(statement)
            # So that it lies behind the bound too.
            stage.since = min(oldest - ONE, stage.since)
            stage.generation = 1
            self._live()
        for statement in (self.entering.candidates(), self.entering.before()):
            stage.do(statement)
        stage.goes_on = False
        several = True
        while several and stage.ask(f"SELECT 1 FROM {CANDIDATES} LIMIT 1"):
            if stage.generation >= DEEPEST:
                raise TooManyRunsError
            stage.generation += 1
            [[several]] = stage.ask(
                f"SELECT count(*) > count(DISTINCT customer_id) FROM {CANDIDATES}"
            )
            known = bool(stage.ask(f"SELECT 1 FROM {LATEST} LIMIT 1"))
            stage.do(self.entering.judged(several=several, known=known))
            for statement in self.entering.settle(several=several):
                stage.do(statement)
            self._live()
            if several:
                stage.do(self.entering.follow())
        stage.do(_closed_once(stage.grid))

    def _live(self) -> None:
        """One generation: of each customer one run, from its entry or where it rests on."""
        stage = self.stage
        stage.went, stage.ways = {}, 0
        if not stage.goes_on:
            self._enter()
        for park in in_order(stage.plan):
            here = stage.came(park)
            if here is None and not stage.goes_on:
                continue
            match park:
                case SendPark():
                    self.sends.send(park, here)
                case WaitPark() | RacePark():
                    rest(stage, park, here)
                case ActionPark(act=Call() as act):
                    if here is not None:
                        call(self.sends, park, act, here)
                case _:
                    raise AssertionError(park)

    def _enter(self) -> None:
        stage = self.stage
        traces = stage.traces
        for statement in self.entering.drawn(
            traces.version, MOVED, first=stage.first_exposures, trace=traces.trace
        ):
            stage.do(statement)
        own = ", ".join("j.at AS entered_at" if c == "entered_at" else f"j.{c}" for c in stage.own)
        came = stage.seen("entered")
        stage.do(f"""CREATE OR REPLACE VIEW {came} AS
SELECT {own}, j.at AS left_at, j.now,
  CAST(NULL AS INTEGER) AS from_step, {WHY["entered"]} AS why
{ENTERED} AND j.status = {ACTIVE}""")
        (edge,) = (e for e in stage.plan.edges if e.kind == "entered")
        stage.advance(edge, came, "TRUE", exits=True)


def _closed_once(grid: Grid) -> str:
    """Answers to several messages that one tick hears of close a channel once, with the last."""
    start, mine, other = (f"TIMESTAMP '{grid.start}'", *(grid.tick(f'{a}."at"') for a in "sk"))
    return f"""DELETE FROM journey.suppression AS s WHERE s."at" > {start} AND EXISTS (
  SELECT 1 FROM journey.suppression AS k WHERE k.customer_id = s.customer_id
    AND k.channel = s.channel AND k.reason = s.reason AND {other} = {mine}
    AND (k."at" > s."at" OR (k."at" = s."at" AND k.rowid > s.rowid)))"""
