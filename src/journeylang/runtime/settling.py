"""Advance and arbitrate, until nobody moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from journeylang.runtime.arbitrate import Arbiter, project_day
from journeylang.runtime.codes import draw
from journeylang.runtime.session import Blamed, Done, Marks, Session
from journeylang.sql.allowances import Rations
from journeylang.sql.arbitration import BATCH
from journeylang.sql.beginning import beginning, fates
from journeylang.sql.moves import Way
from journeylang.sql.reach import Situation
from journeylang.sql.session import ACT, GO, HELD, INTENT, SEND, SKIPPED, decided_columns, temporary


class Settling:
    """One tick's statements; `apart` does one journey at a time, to tell whose fault it is."""

    now: datetime
    marks: Marks
    counts: str | None
    # By allowance what is used up of it at most: as measured, and what was taken since.
    spent: dict[int, Decimal]
    first_batch: int
    next_batch: int

    def __init__(self, session: Session, skip: frozenset[str], *, apart: bool = False) -> None:
        self.engine = session.engine
        self.ready = session.ready
        self.session = session
        self.apart = apart
        self.journeys = [
            (plan, sql)
            for plan, sql in zip(
                session.ready.program.journeys, session.ready.journeys, strict=True
            )
            if plan.name not in skip
        ]
        self.parameters: dict[str, Any] = {}
        self.paused: dict[str, str] = {}
        # Whether it is asked in this tick who is no longer among the customers.
        self.gone = False
        # The rounds in which those stand who set out: 1, if they have been taken on already.
        self.begun: set[int] = set()
        # The round of the arbitration whose decided are written as they stand.
        self.landed: int | None = None
        # What was asked of those who set out: a round's fates, and what may stand against sends.
        self._known: dict[int, list[tuple[Any, ...]]] = {}
        self._there: Situation | None = None

    def _settle(self, done: Done) -> None:
        """Advance and arbitrate until nobody moves."""
        arbitrated = -1
        standing: set[int] = set()
        limit = 4 + sum(plan.max_rounds for plan, _ in self.journeys)
        for current in range(min(self.begun, default=0), limit):
            going: set[tuple[int, int]] = set()
            acting: set[int] = set()
            self._pass_by(done, current)
            known = self._known.pop(current, None)
            found = self._fates(current) if known is None else known
            for journey, fate, edge, step, leaf in found:
                done.fates.add(fate)
                if fate in (GO, ACT):
                    going.add((journey, edge))
                if fate == ACT:
                    acting.add(step)
                elif fate == SEND:
                    standing.add(step)
                done.leaves.add((journey, leaf))
            self._act(done, acting, current)
            self._advance(self.ready.moves.advance, going, current)
            if not going and current >= max(self.begun, default=0):
                if not standing:
                    return
                if self._arbitrate(done, standing, after=arbitrated, current=current):
                    return
                arbitrated = current
                standing = set()
        raise AssertionError("a journey passes each of its parks once per tick")

    def _pass_by(self, done: Done, current: int) -> None:
        """Let those go on who have come to a step again that they have been through."""
        repeats = self.ready.repeats
        if repeats is None:
            return
        if repeats.record:
            done.repeated += self._execute(repeats.record, round=current)
        for statement in repeats.pass_by:
            self._execute(statement, round=current)

    def _act(self, done: Done, acting: set[int], current: int) -> None:
        """Let those at steps that leave something behind do so, before they go on."""
        done.acted |= acting
        if not acting:
            return
        for plan, sql in self.journeys if self.apart else [(None, None)]:
            steps = acting if plan is None else acting & {p.step for p in plan.parks}
            for statement in self.ready.moves.act(frozenset(steps)):
                with Blamed(sql.name) if sql is not None else nullcontext():
                    self._execute(statement, round=current)
            call = self.ready.moves.call(frozenset(steps))
            if call is not None:
                with Blamed(sql.name) if sql is not None else nullcontext():
                    base = self.next_batch * BATCH
                    self._batches(self._execute(call, round=current, base=base))

    def _advance(
        self, statement: Callable[[frozenset[Way]], str], going: set[Way], current: int
    ) -> None:
        if not going:
            return
        hour = self.ready.best_hour
        if hour is not None and "best_hour" not in self.parameters and going & hour.ways:
            self.parameters["best_hour"] = self._query(hour.everybody)[0][0]
        if not self.apart:
            self._execute(statement(frozenset(going)), round=current)
            return
        for plan, sql in self.journeys:
            mine = frozenset(way for way in going if way[0] == plan.journey)
            if mine:
                with Blamed(sql.name):
                    self._execute(statement(mine), round=current)

    def _fates(self, current: int) -> list[tuple[Any, ...]]:
        """What the rows of a round are, each combination once."""
        return self._query(fates(self.engine.dialect), round=current)

    def _begin(self, *, zoned: bool) -> list[str] | None:
        """Ask of those who set out, at once, all that is asked of them; in which zones they are.

        None if that was not asked for, or has to be asked by itself.
        """
        arbitration = self.ready.arbitration
        asked = arbitration is not None and arbitration.intents is None
        # Who passes by a step is taken off the round before it is looked at.
        if self.ready.repeats is not None or not (zoned or asked):
            return None
        statement = beginning(
            self.ready.project.binding, self.engine.dialect, zoned=zoned, situation=asked
        )
        first, names, found = min(self.begun, default=0), [], []
        for what, *row, zone in self._query(statement, round=first):
            if what == 0:
                found.append(tuple(row))
            elif what == 1:
                names.append(zone)
            else:
                self._there = Situation(*map(bool, row[:3]))
        self._known[first] = found
        return sorted(names) if zoned else None

    def _arbitrate(self, done: Done, standing: set[int], *, after: int, current: int) -> bool:
        """Decide about all who stand at a send, and let go on whoever does not wait there.

        True if all of them rest then, wherever they have come to.
        """
        arbitration = self.ready.arbitration
        assert arbitration is not None
        self.parameters["after"] = after
        if after < 0:
            self._empty("decided", decided_columns(self.ready.program))
        claims: int | None = None
        if arbitration.intents is not None:
            self._empty("intent", INTENT)
            claims = self._execute(arbitration.intents)
        there, ranks = self._there, 1
        if there is None:
            *told, ranks = (*self._query(arbitration.situation)[0], 1)[:4]
            there = Situation(*told)
        decide = arbitration.decide(frozenset(standing), there)
        if decide.rations is not None:
            self.parameters |= project_day(self.ready.project, self.now)
            if self._enough(decide.rations, claims):
                decide = arbitration.decide(frozenset(standing), there, enough=True)
        arbiter = Arbiter(self._execute, decide, self.engine.dialect, self.session.key_type)
        for rank in range(1, ranks + 1):
            arbiter.decide(round=current, rank=rank)
            if self.ready.codes is not None:
                at = frozenset(standing)
                draw(self._execute, self._query, self.ready.codes, at, round=current, rank=rank)
            base = self.next_batch * BATCH
            count = self._execute(arbitration.messages, round=current, rank=rank, base=base)
            done.sent += count
            self._batches(count)
            arbiter.charge(base, count)
            if decide.rations is not None:
                self.spent = decide.rations.charged(self.spent, count)
        if decide.lands:
            self.landed = current
            done.outcomes.add(SKIPPED)
            return True
        ahead: set[Way] = set()
        outcomes = set()
        for journey, outcome, edge in self._query(arbitration.outcomes, round=current):
            outcomes.add(outcome)
            if outcome != HELD:
                ahead.add((journey, edge))
        if HELD in outcomes:
            self._execute(arbitration.held, round=current)
        done.outcomes |= outcomes
        go_on = partial(self.ready.moves.go_on, zoned=decide.zoned)
        self._advance(go_on, ahead, current)
        leaves = self.ready.moves.reached(frozenset(ahead))
        done.leaves |= {(journey, leaf.leaf) for journey, leaf in leaves}
        return self.ready.moves.rests(leaves)

    def _enough(self, rations: Rations, claims: int | None) -> bool:
        """Whether budgets and capacities last for all who stand at a send, whoever is let through.

        It is measured when what is known to have been spent at most is too much for that.
        """
        if claims is None:
            assert self.ready.arbitration is not None
            [[claims]] = self._query(self.ready.arbitration.standing)
        if self.spent.keys() >= rations.takes.keys() and rations.enough(self.spent, claims):
            return True
        found = {number: amount for number, amount, _ in self._query(rations.used)}
        self.spent |= {number: found.get(number, Decimal(0)) for number in rations.takes}
        return rations.enough(self.spent, claims)

    def _empty(self, table: str, columns: Mapping[str, str]) -> None:
        statement = temporary(self.engine.dialect, table, columns, self.session.key_type)
        self.engine.execute(statement)

    def _batches(self, messages: int) -> None:
        """Cut the messages just written into batches, and begin the next ones behind them."""
        if not messages:
            return
        batches = -(-messages // BATCH)
        self._execute(
            "INSERT INTO journey.batch (batch_id, decided_at, messages, done, token)"
            f" SELECT {self.next_batch} + g.n, {self._p('now')},"
            f" least({BATCH}, {messages} - g.n * {BATCH}), FALSE, 0"
            f" FROM generate_series(0, {batches - 1}) AS g(n)"
        )
        self.next_batch += batches

    def _p(self, name: str) -> str:
        return self.engine.dialect.parameter(name)

    def _execute(self, statement: str, **extra: Any) -> int:
        return self.engine.execute(statement, {**self.parameters, **extra})

    def _query(self, statement: str, **extra: Any) -> list[tuple[Any, ...]]:
        return self.engine.query(statement, {**self.parameters, **extra})
